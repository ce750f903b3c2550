"""The peer: the least that any bot on this stack must do. Decrypt, parse, encrypted text reply, nothing else."""

from __future__ import annotations

import os
import time

from flask import Flask, Response, request
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.replies import TextReply


def create() -> Flask:
    """The echo as a WSGI application; its account comes in the environment."""
    crypto = WeChatCrypto(os.environ["ECHO_TOKEN"], os.environ["ECHO_AES_KEY"], os.environ["ECHO_APP_ID"])
    app = Flask("echo")

    @app.post("/callback/oa")
    def callback() -> Response:
        query = request.args
        plain = crypto.decrypt_message(request.get_data(), query["msg_signature"], query["timestamp"], query["nonce"])
        message = parse_message(plain)
        reply = TextReply(content=message.content, message=message).render()
        sealed = crypto.encrypt_message(reply, query["nonce"], str(int(time.time())))
        return Response(sealed, content_type="application/xml")

    return app
