"""What every channel is to the rest of the machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bot.channels.capabilities import Capabilities
from bot.message import Media, Message


@dataclass(frozen=True, slots=True)
class Inbound:
    """An opened callback: the message, or None for an event that is known to mean nothing to us.

    ``seen`` names what came ("text", "event:location"), for the counters. ``sender`` and ``receiver`` and ``nonce``
    are what a passive reply needs.
    """

    message: Message | None
    seen: str
    sender: str
    receiver: str
    nonce: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to send: kind "text" with ``text``, or "image" / "voice" with the file's ``content``."""

    kind: str
    text: str = ""
    content: bytes = b""
    content_type: str = ""


class Channel(Protocol):
    """One configured account on one platform: opens callbacks, sends messages, fetches media.

    ``acknowledgement`` is the HTTP answer that says nothing to the person and stops the platform's retries.
    """

    name: str
    capabilities: Capabilities
    acknowledgement: str

    def verify(self, query: Mapping[str, str], now: datetime) -> str:
        """Answers the platform's GET: the text to return as it is. Raises ForgedCallback or MalformedCallback."""
        ...

    def receive(self, query: Mapping[str, str], body: bytes, now: datetime) -> Inbound:
        """Opens a POST. Raises ForgedCallback or MalformedCallback."""
        ...

    def passive_reply(self, inbound: Inbound, text: str, now: datetime) -> str:
        """The HTTP answer that carries a text to the person who wrote."""
        ...

    def send(self, account: str, outgoing: Outgoing) -> None:
        """Sends through the platform's API.

        Raises PlatformError, PlatformUnreachable (certainly not sent) or ResultUnknown (perhaps sent).
        """
        ...

    def fetch(self, media: Media, limit: int) -> bytes:
        """Downloads a media file of at most ``limit`` bytes. Raises as ``send`` does, or MediaTooLarge."""
        ...


def text_of(fields: Mapping[str, Any], name: str) -> str:
    """A field of the decrypted XML as text; an absent, empty or repeated one is empty."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""
