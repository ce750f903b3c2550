"""The customers' sessions with a customer-service account: who serves, and what may be sent (94669, 94677, 95122)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from playground.clock import PlatformClock
from playground.platform.errors import ApiError

WINDOW = timedelta(hours=48)
MESSAGES = 5  # after each of the customer's messages, within the window
CODE_LASTS = timedelta(seconds=20)  # of a welcome, and of a session's end
TEXT, TEXT_OR_MENU = frozenset({"text"}), frozenset({"text", "msgmenu"})


class State(IntEnum):
    """The platform's own numbers."""

    NEW = 0
    ASSISTANT = 1
    POOL = 2
    PERSON = 3
    ENDED = 4


# What kf/service_state/trans may change a state to.
MOVES: Mapping[State, frozenset[State]] = {
    State.NEW: frozenset({State.ASSISTANT, State.POOL, State.PERSON}),
    State.ASSISTANT: frozenset({State.POOL, State.PERSON}),
    State.POOL: frozenset({State.PERSON}),
    State.PERSON: frozenset({State.PERSON, State.ENDED}),
    State.ENDED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Entrance:
    """How a customer came in last: what the link's maker and its poster wrote into it."""

    scene: str
    scene_param: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EventCode:
    """A permission to send one message outside of the budget.

    It holds until ``until`` and, but for a welcome, only while the session is in the state that gave it.
    """

    account: str
    kinds: frozenset[str]
    until: datetime
    state: State | None = None


class Session:
    """What the platform remembers of one customer. Callers hold the world's lock."""

    def __init__(self) -> None:
        self.state = State.ENDED
        self.servicer = ""
        self.wrote_at: datetime | None = None
        self.welcomed_at: datetime | None = None
        self.entrance: Entrance | None = None
        self.left = 0
        self.gave_reply_code = False

    def look(self, now: datetime) -> None:
        """Lets the session end 48 hours after the customer's last message."""
        if self.wrote_at is not None and now - self.wrote_at >= WINDOW:
            self.end()

    def hear(self, now: datetime) -> None:
        """The customer writes: an ended session begins anew, and five messages may be sent."""
        if self.state is State.ENDED:
            self.state = State.NEW
            self.gave_reply_code = False
        self.wrote_at, self.left = now, MESSAGES

    def may_be_welcomed(self, now: datetime) -> bool:
        """Whether entering now gives a welcome code: neither welcomed nor written within 48 hours."""
        return all(at is None or now - at >= WINDOW for at in (self.wrote_at, self.welcomed_at))

    def check_move(self, target: State) -> None:
        """Raises ``ApiError``: 95013 for an ended session, 95016 for a change that is not in the table."""
        if self.state is State.ENDED:
            raise ApiError(95013)
        if target not in MOVES[self.state]:
            raise ApiError(95016)

    def serve(self, servicer: str) -> None:
        self.state, self.servicer = State.PERSON, servicer

    def end(self) -> None:
        self.state, self.servicer = State.ENDED, ""

    def spend(self) -> int:
        """Takes one message from the budget and gives how many are used. Raises ``ApiError``.

        95018 when a person serves the session, or nobody does (it has ended, or 48 hours are over); 95001 after five.
        """
        if self.state not in (State.NEW, State.ASSISTANT):
            raise ApiError(95018)
        if self.left == 0:
            raise ApiError(95001)
        self.left -= 1
        return MESSAGES - self.left


class Sessions:
    """All customers' sessions, and the codes that events gave. Callers hold the world's lock."""

    def __init__(self, clock: PlatformClock) -> None:
        self._clock = clock
        self.clear()

    def clear(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._codes: dict[str, EventCode] = {}

    def __contains__(self, account: object) -> bool:
        """Whether this customer ever came."""
        return account in self._sessions

    def of(self, account: str) -> Session:
        """A customer's session, as it is now; a new one for whoever never came."""
        session = self._sessions.setdefault(account, Session())
        session.look(self._clock.now())
        return session

    def welcome_code(self, account: str) -> str:
        return self._code(account, TEXT_OR_MENU, CODE_LASTS)

    def code_of_change(self, account: str) -> str:
        """A session's first change to the pool or to a person, and its end, let one message be sent; else ""."""
        session = self.of(account)
        if session.state is not State.ENDED:
            if session.state is State.ASSISTANT or session.gave_reply_code:
                return ""
            session.gave_reply_code = True
        return self.code_of_state(account)

    def code_of_state(self, account: str) -> str:
        """Lets one message be sent while the session is in the state in which it is now."""
        state = self.of(account).state
        kinds, lasts = (TEXT_OR_MENU, CODE_LASTS) if state is State.ENDED else (TEXT, WINDOW)
        return self._code(account, kinds, lasts, state)

    def _code(self, account: str, kinds: frozenset[str], lasts: timedelta, state: State | None = None) -> str:
        code = secrets.token_urlsafe(24)
        self._codes[code] = EventCode(account, kinds, self._clock.now() + lasts, state)
        return code

    def check_code(self, code: str, kind: object) -> EventCode:
        """What a code allows. Raises ``ApiError``: 40008 for another kind of message, 95018 in another state.

        The documents name no errcode for a code that is used, late or unknown: here it is 95007.
        """
        found = self._codes.get(code)
        if found is None or found.until <= self._clock.now():
            raise ApiError(95007, "code")
        if kind not in found.kinds:
            raise ApiError(40008)
        if found.state is not None and self.of(found.account).state is not found.state:
            raise ApiError(95018)
        return found

    def use_code(self, code: str) -> None:
        """The one message is sent."""
        used = self._codes.pop(code)
        if used.state is None:
            self.of(used.account).welcomed_at = self._clock.now()
