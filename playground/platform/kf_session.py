"""One customer's session with a customer-service account: who serves it, and what may be sent (doc 94669, 94677)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from playground.platform.errors import ApiError

WINDOW = timedelta(hours=48)
MESSAGES = 5  # after each of the customer's messages, within the window


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
