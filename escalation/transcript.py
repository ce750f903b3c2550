"""What a resident has written, in words for staff."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from bot.storage.tables import inbox
from config.texts import Texts
from shop.masking import mask_phone

_NAMED = frozenset({"image", "voice", "video", "file", "location", "link", "other"})
_PHONE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
_LONGEST_LINE = 120


@dataclass(frozen=True, slots=True)
class Line:
    """One message of a resident, in words."""

    at: datetime
    words: str


def in_words(texts: Texts, kind: str, text: str) -> str:
    """A message as it can be read: the text itself, or what kind of message it is with the words it brings along."""
    mark = f"[{texts.say(f'notice.kind_{kind}')}]" if kind in _NAMED else ""
    return f"{mark} {text}".strip()


def shortened(words: str) -> str:
    """One line of at most 120 characters."""
    line = " ".join(words.split())
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…"


def without_phones(words: str) -> str:
    """The words with mobile numbers masked, for readers who have not taken the ticket."""
    return _PHONE.sub(lambda found: mask_phone(found[0]), words)


def last_lines(connection: Connection, texts: Texts, conversation_id: int, limit: int) -> list[Line]:
    """The resident's last messages, oldest first."""
    query = (
        select(inbox.c.received_at, inbox.c.kind, inbox.c.text)
        .where(inbox.c.conversation_id == conversation_id, inbox.c.kind != "event")
        .order_by(inbox.c.id.desc())
        .limit(limit)
    )
    rows = connection.execute(query).all()
    return [Line(row.received_at, in_words(texts, row.kind, row.text)) for row in reversed(rows)]
