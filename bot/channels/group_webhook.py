"""The webhook of a group of staff (群机器人): the bot writes alerts, and nobody is heard.

Source: developer.work.weixin.qq.com document 99110. The key in the address is a secret: whoever has it can write into
the group. It goes into the request and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import redis

from bot.channels.budget import SendingBudget
from bot.channels.capabilities import GROUP_WEBHOOK
from bot.channels.channel import Inbound, Outgoing
from bot.channels.client import Transport
from bot.clock import Clock
from bot.errors import ForgedCallback, OverRate, PlatformError
from bot.message import Media
from config.channels import GroupWebhookConfig

_SEND = "/cgi-bin/webhook/send"
_FULL = 45009
"""The group has had its messages of this minute: from us, or from somebody else who has the key."""
_SOON = 10.0
"""Seconds after which it may take one more: its minute moves on."""


class GroupWebhook:
    """One group of staff."""

    capabilities = GROUP_WEBHOOK
    content_type = "text/plain; charset=utf-8"
    acknowledgement = ""

    def __init__(self, config: GroupWebhookConfig, connection: redis.Redis, clock: Clock) -> None:
        self.name = config.name
        parts = urlsplit(config.url)
        self._key = parse_qs(parts.query)["key"][0]
        self._transport = Transport(f"{parts.scheme}://{parts.netloc}")
        self._budget = SendingBudget(config.name, self.capabilities.rates, connection, clock)

    def verify(self, query: Mapping[str, str], now: datetime) -> str:
        raise ForgedCallback("nobody calls back from a group webhook")

    def receive(self, query: Mapping[str, str], body: bytes, now: datetime) -> Inbound:
        raise ForgedCallback("nobody calls back from a group webhook")

    def passive_reply(self, inbound: Inbound, text: str | None, now: datetime) -> str:
        raise ForgedCallback("nobody calls back from a group webhook")

    def send(self, account: str, outgoing: Outgoing) -> None:
        self._budget.take(account, outgoing.key)
        text: dict[str, Any] = {"content": outgoing.text}
        if mentions := outgoing.data.get("mentions"):
            text["mentioned_list"] = list(mentions)
        self._post({"msgtype": "text", "text": text})

    def _post(self, body: Mapping[str, Any]) -> None:
        """The platform knows no key of ours, so what it took without a word is read twice: better than an alert that
        nobody reads.
        """
        try:
            self._transport.call("POST", _SEND, params={"key": self._key}, json=body, repeatable=True)
        except PlatformError as error:
            if error.errcode != _FULL:
                raise
            raise OverRate(_SOON) from None

    def fetch(self, media: Media, limit: int) -> bytes:
        raise PlatformError(0, "a group webhook has no media", permanent=True)
