"""What a person sent, in one form for all channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

MessageKind = Literal["text", "image", "voice", "video", "file", "location", "link", "event", "other"]

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Media:
    """A picture, sound or file that the platform keeps until a worker fetches it.

    ``platform_id`` is the platform's media id, ``format`` what the platform says it is ("amr"), if anything.
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
    extra: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
