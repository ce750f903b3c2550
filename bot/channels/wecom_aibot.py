"""A smart bot (智能机器人) by callback: members of the corporation write to it alone, or call it in their groups.

It cannot speak unasked. An answer that takes long is left open, and the platform asks again for it; one more may follow
within the hour. Sources: developer.work.weixin.qq.com documents 100719, 101027, 101031, 101033 and 101138.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

import redis
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from bot.channels.aibot_message import WELCOME, inbound
from bot.channels.capabilities import WECOM_AIBOT
from bot.channels.channel import Inbound, Outgoing
from bot.channels.client import Transport
from bot.channels.envelope import Envelope, Signature, check_age
from bot.channels.examination import Finding, Verification
from bot.channels.template_card import chosen_card, menu_card
from bot.clock import Clock
from bot.errors import BotError, MediaTooLarge, PlatformError
from bot.message import Media, Message
from config.channels import WecomAibotConfig

_WAIT = "…"
"""What stands in the chat while an answer is being thought about."""

_PLATFORM = "qyapi.weixin.qq.com"
_LATER_ANSWERS = "/cgi-bin/aibot/"
# Where the platform keeps the files that members send; seen in document 100719 and in callbacks.
_FILES = re.compile(r"ww-aibot-img-1258476243\.cos\.[a-z0-9-]{1,32}\.myqcloud\.com|([a-z0-9-]{1,63}\.){1,4}qq\.com")
_BLOCK = 32  # PKCS#7 to 32 bytes: document 100719

_ADDRESS = re.compile(r"https?://[!-~]+")
_MARKUP = str.maketrans("*_`#<>[]~|\\", "＊＿｀＃＜＞［］～｜＼")


class WecomAibot:
    """One smart bot."""

    capabilities = WECOM_AIBOT
    content_type = "application/json"
    acknowledgement = ""

    def __init__(self, config: WecomAibotConfig, connection: redis.Redis, clock: Clock) -> None:
        self.name = config.name
        self._config = config
        self._envelope = Envelope(config.token, config.aes_key, "")
        self._key = base64.b64decode(config.aes_key + "=")
        self._base = urlsplit(config.api_base)
        self._transport = Transport(config.api_base)

    def verify(self, query: Mapping[str, str], now: datetime) -> str:
        """The answer to the platform's GET is the plain text that it carries (document 101033)."""
        return self._envelope.open_echo(query, now)

    def receive(self, query: Mapping[str, str], body: bytes, now: datetime) -> Inbound:
        signature = Signature.of(query)
        check_age(signature.timestamp, now)
        fields = self._envelope.open_json(body, signature)
        told = inbound(self.name, fields, nonce=signature.nonce, now=now, bot_name=self._config.bot_name)
        message = told.message
        if message is None:
            return told
        if message.reply_address and not self._later(message.reply_address):
            told = replace(told, message=replace(message, reply_address=""))
        of_menu = message.choice and not message.event  # other cards stay as they are
        return replace(told, acknowledgement=self._changed_card(told, message, now)) if of_menu else told

    def passive_reply(self, inbound: Inbound, text: str | None, now: datetime) -> str:
        """A stream, finished when there is something to say; somebody who comes in gets a plain welcome."""
        if _is_welcome(inbound):
            return self._seal({"msgtype": "text", "text": {"content": text}}, inbound, now) if text else ""
        return self._seal({"msgtype": "stream", "stream": _stream(inbound, text)}, inbound, now)

    def answer_with_buttons(self, inbound: Inbound, text: str, menu: Mapping[str, Any], now: datetime) -> str:
        """A stream with a card below. Its words are whole without it, as not every client may show the card."""
        card = None if _is_welcome(inbound) else menu_card(menu, _answered(inbound))
        if card is None:
            return self.passive_reply(inbound, text, now)
        content = {"msgtype": "stream_with_template_card", "stream": _stream(inbound, text), "template_card": card}
        return self._seal(content, inbound, now)

    def send(self, account: str, outgoing: Outgoing) -> None:
        """The one later answer to a message, to its ``response_url`` (document 101138)."""
        address = self._later(outgoing.reply_address)
        if address is None:
            raise BotError("there is no message that could be answered", code="window_closed")
        if outgoing.kind != "text":
            raise PlatformError(0, "a later answer is text", permanent=True)
        body = {"msgtype": "markdown", "markdown": {"content": without_markup(outgoing.text)}}
        # Only path and code are taken over, so the answer cannot be led anywhere but to the platform.
        self._transport.call("POST", f"{address.path}?{address.query}", json=body)

    def fetch(self, media: Media, limit: int) -> bytes:
        """A file within five minutes of its message, decrypted (document 100719)."""
        parts = urlsplit(media.platform_id)
        if not self._keeps_files(parts):
            raise PlatformError(0, "the file lies where the platform keeps none", permanent=True)
        place = Transport(f"{parts.scheme}://{parts.netloc}")
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        content = self._opened(place.download(path, limit + _BLOCK))
        if len(content) > limit:
            raise MediaTooLarge("the file is too large")
        return content

    def examine(self) -> Iterator[Finding]:
        """There is no token and no call that asks for nothing: what can be seen is the callback."""
        if not self._config.bot_name:
            what = "the bot's name is not known, so a call in the middle of a sentence is read as part of it"
            yield Finding("warn", what, f"write bot_name: … under {self.name} in channels.yaml")

    def verification(self, now: datetime, nonce: str) -> Verification:
        return Verification(self._envelope.sealed_echo(nonce, now), echo=nonce)

    def _seal(self, content: Mapping[str, Any], inbound: Inbound, now: datetime) -> str:
        """The answer bears the nonce of the request (document 101033)."""
        timestamp = int(now.timestamp())
        plain = json.dumps(content, ensure_ascii=False)
        encrypted, signature = self._envelope.sealed_text(plain, inbound.nonce, str(timestamp))
        sealed = {"encrypt": encrypted, "msgsignature": signature, "timestamp": timestamp, "nonce": inbound.nonce}
        return json.dumps(sealed)

    def _changed_card(self, told: Inbound, message: Message, now: datetime) -> str:
        """What a menu shows to whoever has tapped it (document 101031)."""
        card = chosen_card(message.extra["task"], message.choice, message.text)
        # In a group the others may still choose; in a single chat nobody can be named.
        whose = {"userids": [message.account]} if message.chat else {}
        return self._seal({"response_type": "update_template_card", **whose, "template_card": card}, told, now)

    def _later(self, address: str) -> SplitResult | None:
        """Where a later answer goes; None for an address that is not the platform's."""
        parts = _split(address)
        if parts is None or not parts.path.startswith(_LATER_ANSWERS) or not parts.query:
            return None
        return parts if self._is_platform(parts) else None

    def _keeps_files(self, parts: SplitResult) -> bool:
        if parts.scheme == "https" and parts.netloc == parts.hostname and _FILES.fullmatch(parts.hostname or ""):
            return True
        return self._is_platform(parts)

    def _is_platform(self, parts: SplitResult) -> bool:
        of_base = (parts.scheme, parts.netloc) == (self._base.scheme, self._base.netloc)
        return of_base or (parts.scheme, parts.netloc) == ("https", _PLATFORM)

    def _opened(self, sealed: bytes) -> bytes:
        if not sealed or len(sealed) % 16:
            raise PlatformError(0, "the file is not encrypted as it should be", permanent=True)
        decryptor = Cipher(AES(self._key), CBC(self._key[:16])).decryptor()
        plain = decryptor.update(sealed) + decryptor.finalize()
        fill = plain[-1]
        if not 1 <= fill <= _BLOCK or plain[-fill:] != bytes([fill]) * fill:
            raise PlatformError(0, "the file is not encrypted as it should be", permanent=True)
        return plain[:-fill]


def _is_welcome(inbound: Inbound) -> bool:
    return inbound.message is not None and inbound.message.event == WELCOME


def _answered(inbound: Inbound) -> str:
    """The key of the message that is answered, now or when the platform asks again."""
    return inbound.asks_again or (inbound.message.dedupe_key if inbound.message else "")


def _stream(inbound: Inbound, text: str | None) -> dict[str, Any]:
    name = _answered(inbound)
    return {
        "id": name,
        "finish": text is not None,
        "content": without_markup(text) if text else _WAIT,
        "feedback": {"id": name},
    }


def without_markup(text: str) -> str:
    """The text as it stands: answers are read as markdown, in which somebody's words could become a link or a title.

    Signs that could do so are replaced by their wide twins, but for those in web addresses.
    """
    parts, end = [], 0
    for address in _ADDRESS.finditer(text):
        parts += [text[end : address.start()].translate(_MARKUP), address[0]]
        end = address.end()
    return "".join((*parts, text[end:].translate(_MARKUP)))


def _split(address: str) -> SplitResult | None:
    try:
        return urlsplit(address) if address else None
    except ValueError:
        return None
