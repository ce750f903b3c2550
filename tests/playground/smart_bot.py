"""A tiny smart bot: what it heard, and the answers that a test gives it to say."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import Flask, request
from wechatpy.crypto import _get_signature
from wechatpy.enterprise.crypto import PrpCrypto, WeChatCrypto

from playground.platform.server import Server

Heard = dict[str, Any]


def stream(content: str, *, finish: bool = True, **more: Any) -> dict[str, Any]:
    return {"msgtype": "stream", "stream": {"id": "s1", "finish": finish, "content": content, **more}}


class SmartBot:
    """Answers on ``/callback/group-bot`` with what ``answer`` makes of each message; None answers nothing."""

    def __init__(self, token: str, aes_key: str) -> None:
        self.heard: list[Heard] = []
        self.answer: Callable[[Heard], dict[str, Any] | None] = lambda heard: stream("好的")
        self.nonce = ""
        self.status = 200
        self._token = token
        self._crypto = WeChatCrypto(token, aes_key, "")
        app = Flask("smart")
        app.add_url_rule("/callback/group-bot", view_func=self._receive, methods=["POST"])
        app.add_url_rule("/callback/group-bot", endpoint="verify", view_func=self._verify)
        self.server = Server(app)

    def asked(self, kind: str) -> list[Heard]:
        return [heard for heard in self.heard if heard["msgtype"] == kind]

    def _open(self, sealed: str) -> str:
        query = request.args
        message = {"Encrypt": sealed}
        opened: str = self._crypto.decrypt_message(message, query["msg_signature"], query["timestamp"], query["nonce"])
        return opened

    def _verify(self) -> str:
        return self._open(request.args["echostr"])

    def _receive(self) -> Any:
        heard = json.loads(self._open(request.get_json()["encrypt"]))
        self.heard.append(heard)
        answer = self.answer(heard)
        if answer is None:
            return "", self.status
        nonce = self.nonce or request.args["nonce"]
        sealed = PrpCrypto(self._crypto.key).encrypt(json.dumps(answer), "").decode()
        signature = _get_signature(self._token, "1641002400", nonce, sealed)
        return {"encrypt": sealed, "msgsignature": signature, "timestamp": 1641002400, "nonce": nonce}
