"""What a person sent, in one form for all channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

MessageKind = Literal["text", "image", "voice", "video", "file", "location", "link", "event", "other"]

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Media:
    """A picture, sound or file that the platform keeps until a worker fetches it.

    ``platform_id`` is what the platform fetches it by, ``format`` what it says it is ("amr"), if anything.
    """

    kind: Literal["image", "voice", "video", "file"]
    platform_id: str
    format: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One inbound message or event.

    ``dedupe_key`` is unique per channel: a repeat of the same callback carries the same key.
    ``text`` holds the words; for a voice message the platform's transcript, when there is one.
    ``chat`` is the group's id, empty in a private chat. ``event`` names the event when kind is "event".
    ``choice`` is the id of the menu entry that was tapped. ``reply_code`` answers this event once, outside of all
    budgets; ``reply_address`` takes one later answer. ``extra``: what else the event tells, as plain JSON values.
    """

    channel: str
    account: str
    dedupe_key: str
    kind: MessageKind
    sent_at: datetime
    text: str = ""
    media: Media | None = None
    chat: str = ""
    event: str = ""
    choice: str = ""
    reply_code: str = ""
    reply_address: str = field(default="", repr=False)
    extra: Mapping[str, Any] = field(default_factory=lambda: NOTHING)

    def details(self) -> dict[str, Any]:
        """What the inbox keeps beside the columns of its own, as JSON; ``reply_address`` has one, being a secret."""
        details: dict[str, Any] = {
            "event": self.event,
            "choice": self.choice,
            "reply_code": self.reply_code,
            "extra": dict(self.extra),
            "media": asdict(self.media) if self.media else None,
        }
        return {name: value for name, value in details.items() if value}
