"""The reply window: until when something may be said to a person, and how many messages, where the platform counts.

Both stand in the conversation's row.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Connection, Integer, Row, bindparam, case, func, not_, or_, select, update

from bot.channels.capabilities import Capabilities, Window
from bot.message import Message
from bot.storage.tables import conversations, outbox
from bot.storage.types import Instant

_SINCE = bindparam("since", type_=Instant)
# What has gone out since a message was sent counts for the window that it opens. Answers to an event's code do not,
# nor what was carried along in another message; what went out in an HTTP answer was never tried.
_SENT_SINCE = (
    select(func.count())
    .where(
        outbox.c.conversation_id == conversations.c.id,
        outbox.c.sent_at >= _SINCE,
        outbox.c.attempts > 0,
        outbox.c.merged_into.is_(None),
        outbox.c.kind != "session",
        outbox.c.payload["code"].as_string().is_(None),
    )
    .scalar_subquery()
)
_LEFT = bindparam("left", type_=Integer)

AFTER_A_MESSAGE = {
    # Sends count down meanwhile without a new version, so a turn that opens no window leaves the count alone.
    "window_closes_at": func.coalesce(bindparam("closes", type_=Instant), conversations.c.window_closes_at),
    "window_left": case(
        (not_(bindparam("opens", type_=Boolean)), conversations.c.window_left),
        (or_(conversations.c.last_sent_at.is_(None), conversations.c.last_sent_at < _SINCE), _LEFT),
        else_=_LEFT - _SENT_SINCE,
    ),
}
"""The columns in an update of the conversation; :func:`opened` gives their parameters."""


def opened(window: Window | None, at: datetime) -> dict[str, Any]:
    """Parameters for what was sent ``at`` and has opened this window, or none."""
    return {
        "closes": at + window.length if window else None,
        "opens": window is not None,
        "left": window.messages if window else 0,
        # Platforms tell whole seconds, rounded down: what left just before the message may count, never the reverse.
        "since": at,
    }


def opened_by(message: Message, conversation: Row[Any], at: datetime, rules: Capabilities) -> Window | None:
    """What this message opens; an event's short window does not take the place of a longer one."""
    if message.kind != "event":
        return rules.window
    window = rules.event_windows.get(message.event)
    if window is None or conversation.window_closes_at is None:
        return window
    better = conversation.window_closes_at > at + window.length and conversation.window_left >= window.messages
    return None if better else window


def is_over(conversation: Row[Any], now: datetime) -> bool:
    """Whether its time is over, or there was never one."""
    return conversation.window_closes_at is None or conversation.window_closes_at <= now


def take_place(connection: Connection, conversation: int, now: datetime, *, messages: int) -> None:
    """Counts what is about to leave; ``messages`` is 0 where its place is taken already."""
    query = update(conversations).where(conversations.c.id == conversation)
    connection.execute(query.values(window_left=conversations.c.window_left - messages, last_sent_at=now))


def give_back(connection: Connection, conversation: int, window: Window | None, *, used_up: bool) -> None:
    """Takes back the place of a message that certainly did not leave; ``used_up``: the platform says there is none.

    Somebody who wrote meanwhile has opened a whole window, into which nothing can be given back.
    """
    left = conversations.c.window_left
    back = case((left < (window.messages if window else 0), left + 1), else_=left)
    query = update(conversations).where(conversations.c.id == conversation)
    connection.execute(query.values(window_left=0 if used_up else back))
