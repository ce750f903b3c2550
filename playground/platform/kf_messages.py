"""The message list of a customer-service account, and how ``kf/sync_msg`` may read it (document 94670)."""

from __future__ import annotations

import base64
import bisect
import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from playground.platform import kf_content
from playground.platform.errors import ApiError
from playground.platform.kf_content import Content
from playground.world import World

KEPT = timedelta(days=3)
TOKEN_LASTS = timedelta(minutes=10)
UNTOKENED_PER_MINUTE = 5  # the documents only say that reading without a callback's token is strictly limited
MINUTE = timedelta(minutes=1)
LONGEST_CURSOR, LONGEST_TOKEN = 64, 128  # bytes
LARGEST_PAGE = 1000
CUSTOMER, SYSTEM, SERVICER = 3, 4, 5  # origins


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the message list. ``number`` grows; ``message`` is what ``kf/sync_msg`` gives."""

    number: int
    at: datetime
    message: Mapping[str, Any]


class MessageList:
    """What customers, servicers and the platform said in the last three days. Callers hold the world's lock."""

    def __init__(self, world: World, open_kfid: str) -> None:
        self._world = world
        self._open_kfid = open_kfid
        self.clear()

    def clear(self) -> None:
        self._entries: list[Entry] = []
        self._tokens: dict[str, datetime] = {}
        self._untokened: deque[datetime] = deque()

    # --- what comes into it

    def note(self, content: Content, origin: int, account: str, servicer: str = "") -> str:
        """Adds a message and gives its msgid."""
        where = {"open_kfid": self._open_kfid, "external_userid": account}
        return self._append({**where, **({"servicer_userid": servicer} if servicer else {}), **content}, origin)

    def note_earlier(self, content: Content, account: str, at: datetime) -> None:
        """Adds a customer's message of an earlier time, behind those that are there."""
        self._append({"open_kfid": self._open_kfid, "external_userid": account, **content}, CUSTOMER, at)

    def note_event(self, event_type: str, account: str, **fields: str | int) -> str:
        """Adds an event, whose ids stand inside it, and gives its msgid; of no customer when ``account`` is ""."""
        where = {"open_kfid": self._open_kfid, **({"external_userid": account} if account else {})}
        return self._append(kf_content.event(event_type, **where, **fields), SYSTEM)

    def _append(self, content: Mapping[str, Any], origin: int, at: datetime | None = None) -> str:
        msgid, clock = secrets.token_urlsafe(33), self._world.clock
        sent = int((at or clock.wire()).timestamp())
        message = {"msgid": msgid, "send_time": sent, "origin": origin, **content}
        self._entries.append(Entry(self._world.next_message_id(), at or clock.now(), message))
        self._world.touch()
        return msgid

    # --- how it is read

    def all(self) -> list[Entry]:
        """Oldest first."""
        gone = bisect.bisect_left(self._entries, self._world.clock.now() - KEPT, key=lambda entry: entry.at)
        del self._entries[:gone]
        return list(self._entries)

    def after(self, place: int) -> list[Entry]:
        """What came behind a place."""
        entries = self.all()
        return entries[bisect.bisect_right(entries, place, key=lambda entry: entry.number) :]

    def new_token(self) -> str:
        """A callback's token: so long as it holds, reading is free."""
        now = self._world.clock.now()
        self._tokens = {name: at for name, at in self._tokens.items() if now - at < TOKEN_LASTS}
        token = f"ENC{secrets.token_urlsafe(33)}"
        self._tokens[token] = now
        return token

    def check_token(self, token: object) -> None:
        """Raises ``ApiError``: 95007 for a token that is late or was never given, 45009 without one too often."""
        now = self._world.clock.now()
        if token:
            is_known = isinstance(token, str) and len(token.encode()) <= LONGEST_TOKEN and token in self._tokens
            if not is_known or now - self._tokens[str(token)] >= TOKEN_LASTS:
                raise ApiError(95007)
            return
        while self._untokened and now - self._untokened[0] >= MINUTE:
            self._untokened.popleft()
        if len(self._untokened) >= UNTOKENED_PER_MINUTE:
            raise ApiError(45009)
        self._untokened.append(now)


def cursor_of(place: int) -> str:
    """A place in the list (an entry's number), as readers get it told."""
    return base64.urlsafe_b64encode(f"kf:{place}".encode()).decode().rstrip("=")


def place_of(cursor: object) -> int:
    """The place behind a cursor, 0 for none. Raises ``ApiError`` 40058 for what never was one."""
    if not cursor:
        return 0
    if not isinstance(cursor, str) or len(cursor.encode()) > LONGEST_CURSOR:
        raise ApiError(40058, "cursor")
    try:
        head, _, number = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition(":")
    except ValueError:
        raise ApiError(40058, "cursor") from None
    if head != "kf" or not number.isdigit():
        raise ApiError(40058, "cursor")
    return int(number)


def limit_of(limit: object) -> int:
    """How many entries a page may have. Raises ``ApiError`` 40058 for what is no number."""
    if not limit:
        return LARGEST_PAGE
    if not isinstance(limit, int) or limit < 0:
        raise ApiError(40058, "limit")
    return min(limit, LARGEST_PAGE)
