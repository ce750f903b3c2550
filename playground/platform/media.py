"""Pictures and sounds that the platforms keep for three days."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from playground.clock import PlatformClock
from playground.platform.errors import ApiError

KEPT = timedelta(days=3)
MEGABYTE = 1024 * 1024
# WeCom doc 90253; the Official Account's limits are the same for what is used here.
MAX_BYTES = {"image": 10 * MEGABYTE, "voice": 2 * MEGABYTE, "video": 10 * MEGABYTE, "file": 20 * MEGABYTE}
AMR_TYPE = "audio/amr"
CONTENT_TYPES = (
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
    (b"\x89PNG", "image/png", "png"),
    (b"GIF8", "image/gif", "gif"),
    (b"#!AMR", AMR_TYPE, "amr"),
    (b"\x1aE\xdf\xa3", "audio/webm", "webm"),
    (b"OggS", "audio/ogg", "ogg"),
)


@dataclass(frozen=True, slots=True)
class MediaItem:
    """One stored file; ``kind`` is image, voice, video or file."""

    id: str
    kind: str
    content: bytes
    content_type: str
    filename: str
    created_at: datetime


class MediaStore:
    """What people sent and the bot uploaded. Callers hold the world's lock."""

    def __init__(self, clock: PlatformClock) -> None:
        self._clock = clock
        self._items: dict[str, MediaItem] = {}

    def add(self, kind: str, content: bytes) -> MediaItem:
        """Keeps a file under a new media id; ``ApiError`` 40004 for an unknown kind, 40006 for a size not taken."""
        if kind not in MAX_BYTES:
            raise ApiError(40004)
        if not 5 < len(content) <= MAX_BYTES[kind]:
            raise ApiError(40006)
        content_type, ending = _recognise(kind, content)
        media_id = secrets.token_urlsafe(48)
        item = MediaItem(media_id, kind, content, content_type, f"{media_id[:12]}.{ending}", self._clock.now())
        self._items[media_id] = item
        return item

    def get(self, media_id: str) -> MediaItem:
        """The file; ``ApiError`` 40007 when it never was or is over three days old."""
        item = self._items.get(media_id)
        if item is None or self._clock.now() - item.created_at > KEPT:
            raise ApiError(40007)
        return item


def content_type_of(kind: str, content: bytes) -> str:
    """What a file is, told by its first bytes."""
    return _recognise(kind, content)[0]


def _recognise(kind: str, content: bytes) -> tuple[str, str]:
    for magic, content_type, ending in CONTENT_TYPES:
        if content.startswith(magic):
            return content_type, ending
    if content[8:12] == b"WEBP":
        return "image/webp", "webp"
    if kind in ("video", "voice") and content[4:8] == b"ftyp":
        return ("video/mp4", "mp4") if kind == "video" else ("audio/mp4", "m4a")
    return ("video/mp4", "mp4") if kind == "video" else ("application/octet-stream", "bin")
