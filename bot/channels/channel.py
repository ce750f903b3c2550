"""What every channel is to the rest of the machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from bot.channels.capabilities import Capabilities
from bot.message import NOTHING, Media, Message

CARD_TAPPED = "card"
"""The event of a tapped card: ``choice`` is the button's key, ``extra`` holds the code that may change the card."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """An opened callback: the message, or None for an event that is known to mean nothing to us.

    ``seen`` names what came ("text", "event:location"), for the counters. ``sender`` and ``receiver`` and ``nonce``
    are what a passive reply needs. ``poke``: the callback only says that messages wait to be pulled, with this token
    (which may be empty). ``answers_in_words``: the HTTP answer can carry a text. ``asks_again``: the platform asks for
    what became of the message with this dedupe key. ``acknowledgement``: the HTTP answer to this one when no text goes
    into it, where that is not the channel's own.
    """

    message: Message | None
    seen: str
    sender: str = ""
    receiver: str = ""
    nonce: str = ""
    poke: str | None = None
    asks_again: str = ""
    answers_in_words: bool = True
    acknowledgement: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the messages that waited, oldest first, and the cursor after them.

    ``more``: another page waits, however empty this one is.
    """

    messages: tuple[Message, ...]
    cursor: str
    more: bool


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One thing to send.

    ``kind``: "text" with ``text``; "menu" with ``text`` (the same as words) and ``data`` ("head", "choices" as pairs
    of id and label, "tail"); "image" or "voice" with the file's ``content``; or a kind of the channel's own with
    ``data``. ``key``: 32 characters of a-z and 0-9, the same at every try. ``reply_code`` and ``reply_address`` stand
    in the message that this answers.
    """

    kind: str
    text: str = ""
    content: bytes = b""
    content_type: str = ""
    data: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    key: str = ""
    reply_code: str = ""
    reply_address: str = field(default="", repr=False)


Receipt = Mapping[str, Any]
"""What a channel wants kept of a sent message, as JSON. ``session``: who speaks on the platform from now on."""


SESSION_STAYS = "session_stays"
"""The code of a hand-over that the platform did not take: the bot goes on passing words to and fro."""


class Channel(Protocol):
    """One configured account on one platform: opens callbacks, sends messages, fetches media.

    ``acknowledgement`` is the HTTP answer that says nothing to the person and stops the platform's retries;
    ``content_type`` is that of a passive reply.
    """

    name: str
    capabilities: Capabilities
    acknowledgement: str
    content_type: str

    def verify(self, query: Mapping[str, str], now: datetime) -> str:
        """Answers the platform's GET: the text to return as it is. Raises ForgedCallback or MalformedCallback."""
        ...

    def receive(self, query: Mapping[str, str], body: bytes, now: datetime) -> Inbound:
        """Opens a POST. Raises ForgedCallback or MalformedCallback."""
        ...

    def passive_reply(self, inbound: Inbound, text: str | None, now: datetime) -> str:
        """The HTTP answer that carries a text to the person who wrote.

        None where the channel streams: nothing yet, ask again.
        """
        ...

    def send(self, account: str, outgoing: Outgoing) -> Receipt | None:
        """Sends through the platform's API.

        Raises PlatformError, PlatformUnreachable (certainly not sent), OverRate (not tried) or ResultUnknown
        (perhaps sent).
        """
        ...

    def fetch(self, media: Media, limit: int) -> bytes:
        """Downloads a media file of at most ``limit`` bytes. Raises as ``send`` does, or MediaTooLarge."""
        ...


class PulledChannel(Channel, Protocol):
    """A channel whose messages are fetched: its capabilities say ``pulled``."""

    def pull(self, cursor: str, token: str) -> Page:
        """The messages after ``cursor`` (empty: from the oldest kept). ``token``: from the last poke, or empty.

        Raises as ``send`` does.
        """
        ...


@runtime_checkable
class ShowsButtons(Protocol):
    """A channel whose HTTP answers may have buttons under their words: its capabilities say ``answer_buttons``."""

    def answer_with_buttons(self, inbound: Inbound, text: str, menu: Mapping[str, Any], now: datetime) -> str:
        """As ``passive_reply``, with the choices of a menu to tap; ``menu``: "head", and "choices" as pairs of id and
        label, all of which stand in the text, too.
        """
        ...


@runtime_checkable
class ShowsTyping(Protocol):
    """A channel on which one can see that somebody is at work."""

    def show_typing(self, account: str) -> None:
        """Shows it for a few seconds. Raises as ``send`` does."""
        ...


def text_of(fields: Mapping[str, Any], name: str) -> str:
    """A field of an opened callback as text that a database takes; an absent, empty or repeated one is empty.

    JSON may hold halves of characters, which are no text, and zeros, which PostgreSQL does not store.
    """
    value = fields.get(name)
    if not isinstance(value, str):
        return ""
    return value.encode("utf-8", "replace").decode().replace("\0", "")
