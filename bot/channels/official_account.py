"""WeChat Official Account (公众号) in secure mode: encrypted callbacks, passive replies, customer messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import redis

from bot.channels.capabilities import OFFICIAL_ACCOUNT, Capabilities
from bot.channels.channel import Inbound, Outgoing
from bot.channels.client import OfficialAccountClient, Transport
from bot.channels.envelope import Envelope, Signature, check_age, same_signature, signature_of
from bot.channels.examination import Finding, Verification, examine_official_account
from bot.channels.tokens import AccessToken
from bot.channels.upload import upload
from bot.channels.xml_message import inbound, text_reply
from bot.clock import Clock
from bot.errors import ForgedCallback, PlatformError
from bot.message import Media
from config.channels import OfficialAccountConfig

_TYPING_ALREADY, _NOTHING_LATELY, _UNKNOWN_PERSON = 45081, 45080, 40003
_MEANS = {45015: "window_closed", 45047: "window_used_up"}
"""Source: developers.weixin.qq.com, Customer_Service_Messages."""
_CHINA = ZoneInfo("Asia/Shanghai")
"""The platform shows a notification's time as it is, and its readers are there."""
_NOTIFICATION_LENGTH = 20
"""Characters of a "thing" field in a subscription message."""


class OfficialAccount:
    """One Official Account."""

    content_type = "application/xml; charset=utf-8"
    acknowledgement = "success"

    def __init__(self, config: OfficialAccountConfig, connection: redis.Redis, clock: Clock) -> None:
        self.name = config.name
        self.capabilities = _rules(config)
        self._config = config
        self._clock = clock
        self._envelope = Envelope(config.token, config.aes_key, config.app_id)
        self._transport = Transport(config.api_base)
        token = AccessToken(config.name, self._fetch_token, connection, clock)
        self._client = OfficialAccountClient(config.app_id, self._transport, token)

    def verify(self, query: Mapping[str, str], now: datetime) -> str:
        """The GET is signed over token, timestamp and nonce; the answer is ``echostr`` as it is."""
        echo, signature = query.get("echostr", ""), query.get("signature", "")
        timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        if not (echo and signature and nonce) or len(echo) > 1024:
            raise ForgedCallback("the verification is not signed")
        check_age(timestamp, now)
        if not same_signature(signature, self._config.token, timestamp, nonce):
            raise ForgedCallback("the signature does not fit")
        return echo

    def receive(self, query: Mapping[str, str], body: bytes, now: datetime) -> Inbound:
        signature = Signature.of(query)
        check_age(signature.timestamp, now)
        return inbound(self.name, self._envelope.open_body(body, signature), signature.nonce)

    def passive_reply(self, inbound: Inbound, text: str | None, now: datetime) -> str:
        xml = text_reply(inbound.sender, inbound.receiver, text or "", now)
        return self._envelope.seal(xml, inbound.nonce, str(int(now.timestamp())))

    def send(self, account: str, outgoing: Outgoing) -> None:
        try:
            self._send(account, outgoing)
        except PlatformError as error:
            # Words for what every channel may run into, so that the machine can keep count.
            code = _MEANS.get(error.errcode, "")
            raise PlatformError(error.errcode, error.detail, permanent=error.permanent, code=code) from None

    def _send(self, account: str, outgoing: Outgoing) -> None:
        if outgoing.kind == "text":
            self._client.message.send_text(account, outgoing.text)
            return
        if outgoing.kind == "notification":
            self._notify(account, outgoing)
            return
        media_id = upload(self._client, outgoing)
        if outgoing.kind == "voice":
            self._client.message.send_voice(account, media_id)
        else:
            self._client.message.send_image(account, media_id)

    def fetch(self, media: Media, limit: int) -> bytes:
        return self._client.download_media(media.platform_id, limit)

    def show_typing(self, account: str) -> None:
        """Shows for 15 s that somebody is at work. Source: Customer_Service_Messages, customer service typing."""
        with _refusals_ignored(_TYPING_ALREADY, _NOTHING_LATELY, _UNKNOWN_PERSON):
            body = {"touser": account, "command": "Typing"}
            self._client.post("message/custom/typing", data=body, repeatable=True)

    def replace_menu(self, menu: Mapping[str, Any]) -> None:
        """Puts the account's menu in the place of the one before. Source: Custom_Menus, Creating_Custom-Defined_Menu.

        ``menu``: the platform's own form, ``{"button": [...]}``. Raises as ``send`` does.
        """
        self._client.post("menu/create", data=dict(menu), repeatable=True)

    def _notify(self, account: str, outgoing: Outgoing) -> None:
        """A subscription message, which needs the person's consent. Source: Subscription_Messages, bizsend."""
        text = outgoing.text
        values = {
            "words": text if len(text) <= _NOTIFICATION_LENGTH else f"{text[: _NOTIFICATION_LENGTH - 1]}…",
            "number": str(outgoing.data.get("about") or "").partition(":")[2] or "0",
            "time": f"{self._clock.now().astimezone(_CHINA):%Y-%m-%d %H:%M}",
        }
        fields = self._config.notification_fields
        body = {
            "touser": account,
            "template_id": self._config.notification_template,
            "data": {field: {"value": values.get(shown, shown)} for field, shown in fields.items()},
        }
        self._client.post("message/subscribe/bizsend", data=body)

    def examine(self) -> Iterator[Finding]:
        return examine_official_account(self._transport, self._fetch_token)

    def verification(self, now: datetime, nonce: str) -> Verification:
        timestamp = str(int(now.timestamp()))
        signature = signature_of(self._config.token, timestamp, nonce)
        query = {"signature": signature, "timestamp": timestamp, "nonce": nonce, "echostr": nonce}
        return Verification(query, echo=nonce)

    def _fetch_token(self) -> tuple[str, int]:
        """Source: developers.weixin.qq.com, getStableAccessToken."""
        answer = self._transport.call(
            "POST",
            "/cgi-bin/stable_token",
            repeatable=True,
            json={
                "grant_type": "client_credential",
                "appid": self._config.app_id,
                "secret": self._config.secret,
                "force_refresh": False,
            },
        )
        return str(answer["access_token"]), int(answer["expires_in"])


def _rules(config: OfficialAccountConfig) -> Capabilities:
    if not config.verified:
        return replace(OFFICIAL_ACCOUNT, pushes=False, typing=False)
    return replace(OFFICIAL_ACCOUNT, notifies=bool(config.notification_template))


@contextmanager
def _refusals_ignored(*codes: int) -> Iterator[None]:
    """Takes these error codes for an answer: there was nothing to do."""
    try:
        yield
    except PlatformError as error:
        if error.errcode not in codes:
            raise
