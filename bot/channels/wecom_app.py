"""A WeCom app (企业微信自建应用): how staff get notices and send commands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import redis
import structlog

from bot.channels.budget import SendingBudget
from bot.channels.capabilities import WECOM_APP
from bot.channels.channel import Inbound, Outgoing, Receipt
from bot.channels.client import Transport, WecomClient, wecom_token
from bot.channels.envelope import Envelope, Signature, check_age
from bot.channels.examination import Finding, Verification, examine_wecom_app
from bot.channels.template_card import template_card
from bot.channels.tokens import AccessToken
from bot.channels.upload import upload
from bot.channels.xml_message import inbound, text_reply
from bot.clock import Clock
from bot.errors import PlatformError
from bot.message import Media
from config.channels import WecomAppConfig

_DUPLICATE_SECONDS = 1800
_CARD_IS_THERE = 42014
"""The task id is in use; ours are never given twice."""
_CARD_REFUSED = frozenset({40008, 40016, 40035, 40058, 42018, 42019, 42020, 48002})
"""Codes that speak of the card and not of its reader. Source: the platform's list of global error codes."""

log = structlog.get_logger()


class WecomApp:
    """One self-built app of a corporation."""

    capabilities = WECOM_APP
    content_type = "application/xml; charset=utf-8"
    acknowledgement = ""

    def __init__(self, config: WecomAppConfig, connection: redis.Redis, clock: Clock) -> None:
        self.name = config.name
        self._config = config
        self._envelope = Envelope(config.token, config.aes_key, config.corp_id)
        self._transport = Transport(config.api_base)
        self._fetch_token = wecom_token(self._transport, config.corp_id, config.secret)
        token = AccessToken(config.name, self._fetch_token, connection, clock)
        self._budget = SendingBudget(config.name, self.capabilities.rates, connection, clock)
        self._client = WecomClient(config.corp_id, self._transport, token)

    def verify(self, query: Mapping[str, str], now: datetime) -> str:
        return self._envelope.open_echo(query, now)

    def receive(self, query: Mapping[str, str], body: bytes, now: datetime) -> Inbound:
        signature = Signature.of(query)
        check_age(signature.timestamp, now)
        return inbound(self.name, self._envelope.open_body(body, signature), signature.nonce)

    def passive_reply(self, inbound: Inbound, text: str | None, now: datetime) -> str:
        xml = text_reply(inbound.sender, inbound.receiver, text or "", now)
        return self._envelope.seal(xml, inbound.nonce, str(int(now.timestamp())))

    def send(self, account: str, outgoing: Outgoing) -> Receipt | None:
        if outgoing.kind == "card_update":
            self._change_card(account, outgoing.data)
            return None
        self._budget.take(account, outgoing.key)
        if outgoing.kind == "card":
            return self._send_card(account, outgoing)
        if outgoing.kind == "text":
            content: dict[str, Any] = {"msgtype": "text", "text": {"content": outgoing.text}}
        else:
            content = {"msgtype": outgoing.kind, outgoing.kind: {"media_id": upload(self._client, outgoing)}}
        self._send(account, content)
        return None

    def _send_card(self, account: str, outgoing: Outgoing) -> Receipt | None:
        """A card; as words when the platform does not take it."""
        content = {"msgtype": "template_card", "template_card": template_card(outgoing.data["card"])}
        try:
            answer = self._send(account, content)
        except PlatformError as error:
            if error.errcode == _CARD_IS_THERE:
                return None  # an earlier try, whose answer was lost, has brought it
            if error.errcode not in _CARD_REFUSED:
                raise
            self._send(account, {"msgtype": "text", "text": {"content": outgoing.text}})
            return None
        return {"response_code": answer["response_code"]} if answer.get("response_code") else None

    def _change_card(self, account: str, data: Mapping[str, Any]) -> None:
        """Source: developer.work.weixin.qq.com document 94888; a code is good for one change."""
        body = {
            "userids": [account],
            "agentid": self._config.agent_id,
            "response_code": data["code"],
            "template_card": template_card(data["card"]),
        }
        try:
            self._client.post("message/update_template_card", data=body)
        except PlatformError as error:
            # The words have said it already: a card that stays as it was harms nobody, its buttons are checked anyway.
            log.info("card_not_changed", channel=self.name, error=error.code)

    def _send(self, account: str, content: dict[str, Any]) -> dict[str, Any]:
        # With the duplicate check a text whose result is unknown may be sent again: document 90236.
        content |= {"enable_duplicate_check": 1, "duplicate_check_interval": _DUPLICATE_SECONDS}
        answer: dict[str, Any] = self._client.message.send(self._config.agent_id, account, msg=content)
        if answer.get("invaliduser"):
            raise PlatformError(81013, "the member cannot be reached through this app", permanent=True)
        return answer

    def fetch(self, media: Media, limit: int) -> bytes:
        return self._client.download_media(media.platform_id, limit)

    def examine(self) -> Iterator[Finding]:
        return examine_wecom_app(self._transport, self._fetch_token, self._config.agent_id)

    def verification(self, now: datetime, nonce: str) -> Verification:
        return Verification(self._envelope.sealed_echo(nonce, now), echo=nonce)
