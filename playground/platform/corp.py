"""What every application of a WeCom corp has: an access token for its secret, and callbacks sealed for the corp."""

from __future__ import annotations

import secrets

from flask import Response, jsonify, request
from wechatpy.enterprise.crypto import WeChatCrypto

from playground.platform import xml
from playground.platform.base import API, Platform
from playground.platform.callbacks import Callback, Envelope
from playground.platform.errors import ApiError
from playground.platform.tokens import Tokens
from playground.platform.xml import Fields
from playground.world import World


class CorpPlatform(Platform):
    """One application; ``agent_id`` stands around its callbacks, and ``envelope`` inside them (document 90930)."""

    def __init__(
        self,
        name: str,
        world: World,
        *,
        corp_id: str,
        secret: str,
        token: str,
        aes_key: str,
        agent_id: str,
        envelope: Fields,
        callback_timeout: float,
    ) -> None:
        self._corp_id = corp_id
        self._secret = secret
        self._agent_id = agent_id
        self._tokens = Tokens(world.clock)
        super().__init__(
            name,
            world,
            WeChatCrypto(token, aes_key, corp_id),
            receiver=corp_id,
            envelope=envelope,
            callback_timeout=callback_timeout,
        )

    def verify(self) -> bool:
        return self.wire.verify_sealed()

    def seal(self, callback: Callback) -> Envelope:
        sealed = self.wire.seal(callback.body)
        query = {"msg_signature": sealed.signature, "timestamp": sealed.timestamp, "nonce": sealed.nonce}
        envelope = {"ToUserName": self._corp_id, "AgentID": self._agent_id, "Encrypt": sealed.encrypt}
        return Envelope(query, xml.write(envelope))

    def check_token(self, token: str) -> None:
        self._tokens.check(token)

    def expire_tokens(self) -> None:
        with self.world.changed:
            self._tokens.expire_all()

    def add_routes(self) -> None:
        self.app.add_url_rule(API + "gettoken", view_func=self._gettoken)

    def _gettoken(self) -> Response:
        """doc 91039"""
        if request.args.get("corpid") != self._corp_id:
            raise ApiError(40013)
        if not secrets.compare_digest(request.args.get("corpsecret", "").encode(), self._secret.encode()):
            raise ApiError(40001)
        with self.world.changed:
            token, seconds = self._tokens.current()
        return jsonify(errcode=0, errmsg="ok", access_token=token, expires_in=seconds)
