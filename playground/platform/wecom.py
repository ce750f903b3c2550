"""A WeCom application (企业微信自建应用) whose members are the shop's staff, and the API that its bot calls."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from flask import Response, jsonify, request
from wechatpy.enterprise.crypto import WeChatCrypto

from playground.platform import payloads, xml
from playground.platform.base import API, TEXT_LIMIT, Platform, Verdict, text_of
from playground.platform.callbacks import Callback, Envelope
from playground.platform.errors import ApiError
from playground.platform.payloads import Payload
from playground.platform.tokens import Tokens
from playground.world import World

# doc 90454: what goes beyond is accepted and never shown.
PER_MINUTE = 30
MINUTE = timedelta(minutes=1)
# doc 90236, in seconds
DUPLICATE_INTERVAL = 1800
LONGEST_DUPLICATE_INTERVAL = 14400


class Wecom(Platform):
    """The corp's platform; ``members`` are the userids that the application may write to."""

    def __init__(
        self,
        name: str,
        world: World,
        *,
        corp_id: str,
        agent_id: int,
        secret: str,
        token: str,
        aes_key: str,
        members: Collection[str],
        callback_timeout: float = 5.0,
    ) -> None:
        self._corp_id = corp_id
        self._agent_id = agent_id
        self._secret = secret
        self._members = frozenset(members)
        self._tokens = Tokens(world.clock)
        self._shown_at: dict[str, deque[datetime]] = {}
        self._said: dict[tuple[str, str], datetime] = {}
        self._dropped = 0
        super().__init__(
            name,
            world,
            WeChatCrypto(token, aes_key, corp_id),
            receiver=corp_id,
            envelope={"AgentID": agent_id},
            callback_timeout=callback_timeout,
        )

    @property
    def dropped(self) -> int:
        """Messages accepted and not shown because their member had thirty within the minute."""
        with self.world.changed:
            return self._dropped

    # --- callbacks

    def verify(self) -> bool:
        echo = str(secrets.randbelow(10**18))
        sealed = self.wire.seal(echo)
        query = {
            "msg_signature": sealed.signature,
            "timestamp": sealed.timestamp,
            "nonce": sealed.nonce,
            "echostr": sealed.encrypt,
        }
        return self.wire.get(query) == echo

    def seal(self, callback: Callback) -> Envelope:
        sealed = self.wire.seal(callback.body)
        query = {"msg_signature": sealed.signature, "timestamp": sealed.timestamp, "nonce": sealed.nonce}
        envelope = {"ToUserName": self._corp_id, "AgentID": str(self._agent_id), "Encrypt": sealed.encrypt}
        return Envelope(query, xml.write(envelope))

    def judge(self, callback: Callback, answer: tuple[int, str] | None) -> Verdict:
        if answer is None:
            return Verdict(accepted=False, again=True)
        status, body = answer
        if status != 200 or not body:
            return Verdict(accepted=status == 200)
        try:
            return Verdict(accepted=True, reply=self.read_reply(callback, body))
        except ValueError:
            return Verdict(accepted=False)

    def add_voice(self, content: bytes, recognition: str) -> Payload:
        with self.world.changed:
            return payloads.voice(self.media.add("voice", content).id)

    def reset(self) -> None:
        super().reset()
        with self.world.changed:
            self._shown_at.clear()
            self._said.clear()
            self._dropped = 0

    # --- the API

    def check_token(self, token: str) -> None:
        self._tokens.check(token)

    def expire_tokens(self) -> None:
        with self.world.changed:
            self._tokens.expire_all()

    def add_routes(self) -> None:
        self.app.add_url_rule(API + "gettoken", view_func=self._gettoken)
        self.app.add_url_rule(API + "agent/get", view_func=self._agent)
        self.app.add_url_rule(API + "message/send", view_func=self._send, methods=["POST"])

    def _gettoken(self) -> Response:
        if request.args.get("corpid") != self._corp_id:
            raise ApiError(40013)
        if not secrets.compare_digest(request.args.get("corpsecret", "").encode(), self._secret.encode()):
            raise ApiError(40001)
        with self.world.changed:
            token, seconds = self._tokens.current()
        return jsonify(errcode=0, errmsg="ok", access_token=token, expires_in=seconds)

    def _agent(self) -> Response:
        """doc 90227"""
        self.authorise()
        if request.args.get("agentid") != str(self._agent_id):
            raise ApiError(301002)
        members = {"user": [{"userid": member} for member in sorted(self._members)]}
        return jsonify(errcode=0, errmsg="ok", agentid=self._agent_id, close=0, allow_userinfos=members)

    def _send(self) -> Response:
        body = self.authorised_json()
        if str(body.get("agentid")) != str(self._agent_id):
            raise ApiError(40056)
        wanted = [user for user in str(body.get("touser") or "").split("|") if user]
        known = [user for user in wanted if user in self._members]
        if not known:
            raise ApiError(81013)
        with self.world.changed:
            kind, text, media = self._content(body)
            for member in known:
                if not self._is_repeat(member, body):
                    self._show(member, kind, text, media)
        unknown = "|".join(user for user in wanted if user not in self._members)
        return jsonify(errcode=0, errmsg="ok", invaliduser=unknown, msgid=secrets.token_urlsafe(24))

    def _content(self, body: dict[str, Any]) -> tuple[str, str, bytes | None]:
        kind = body.get("msgtype")
        if kind in ("text", "markdown"):
            return kind, text_of(body, kind).encode()[:TEXT_LIMIT].decode(errors="ignore"), None
        if kind in ("image", "voice"):
            return kind, "", self.take_media(body, kind)
        raise ApiError(40008)

    def _is_repeat(self, member: str, body: dict[str, Any]) -> bool:
        """Whether the same content went to this member within the interval that the caller asks for."""
        if not body.get("enable_duplicate_check"):
            return False
        seconds = min(int(body.get("duplicate_check_interval") or DUPLICATE_INTERVAL), LONGEST_DUPLICATE_INTERVAL)
        kind = body["msgtype"]
        content = (member, f"{kind} {body[kind]}")
        now = self.world.clock.now()
        before = self._said.get(content)
        if before is not None and now - before < timedelta(seconds=seconds):
            return True
        self._said[content] = now
        return False

    def _show(self, member: str, kind: str, text: str, media: bytes | None) -> None:
        now = self.world.clock.now()
        recent = self._shown_at.setdefault(member, deque())
        while recent and now - recent[0] >= MINUTE:
            recent.popleft()
        if len(recent) >= PER_MINUTE:
            self._dropped += 1
            return
        recent.append(now)
        self.world.show(self.name, member, "bot", kind, text, media)
