"""WeChat Official Account (公众号) in secure mode: encrypted callbacks, passive replies, customer messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

import redis

from bot.channels.capabilities import OFFICIAL_ACCOUNT
from bot.channels.channel import Inbound, Outgoing
from bot.channels.client import OfficialAccountClient, Transport
from bot.channels.envelope import Envelope, Signature, check_age, same_signature, signature_of
from bot.channels.examination import Finding, Verification, examine_official_account
from bot.channels.tokens import AccessToken
from bot.channels.upload import upload
from bot.channels.xml_message import inbound, text_reply
from bot.clock import Clock
from bot.errors import ForgedCallback
from bot.message import Media
from config.channels import OfficialAccountConfig


class OfficialAccount:
    """One Official Account."""

    capabilities = OFFICIAL_ACCOUNT
    acknowledgement = "success"

    def __init__(self, config: OfficialAccountConfig, connection: redis.Redis, clock: Clock) -> None:
        self.name = config.name
        self._config = config
        self._envelope = Envelope(config.token, config.aes_key, config.app_id)
        self._transport = Transport(config.api_base)
        self._token = AccessToken(config.name, self._fetch_token, connection, clock)
        self._client = OfficialAccountClient(config.app_id, self._transport, self._token)

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

    def passive_reply(self, inbound: Inbound, text: str, now: datetime) -> str:
        xml = text_reply(inbound.sender, inbound.receiver, text, now)
        return self._envelope.seal(xml, inbound.nonce, str(int(now.timestamp())))

    def send(self, account: str, outgoing: Outgoing) -> None:
        if outgoing.kind == "text":
            self._client.message.send_text(account, outgoing.text)
            return
        media_id = upload(self._client, outgoing)
        if outgoing.kind == "voice":
            self._client.message.send_voice(account, media_id)
        else:
            self._client.message.send_image(account, media_id)

    def fetch(self, media: Media, limit: int) -> bytes:
        return self._client.download_media(media.platform_id, limit)

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
