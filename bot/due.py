"""Rows that are due and that nobody may have been told of."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, func, or_, select

from bot.offers import OFFER_SECONDS
from bot.storage.tables import cursors, inbox, jobs, outbox

_LIMIT = 500
_TOLD_SECONDS = 2
"""Whoever stored a message has told the workers by then."""


def due_conversations(connection: Connection, now: datetime) -> list[int]:
    """Conversations with a message to send now, an offer whose process died, or a lease that ran out."""
    due = or_(
        and_(outbox.c.status == "queued", outbox.c.due_at <= now),
        and_(outbox.c.status == "offered", outbox.c.due_at <= now - timedelta(seconds=OFFER_SECONDS)),
        and_(outbox.c.status == "sending", outbox.c.lease_until <= now),
    )
    oldest = func.min(outbox.c.due_at)
    query = (
        select(outbox.c.conversation_id).where(due).group_by(outbox.c.conversation_id).order_by(oldest).limit(_LIMIT)
    )
    return list(connection.execute(query).scalars())


def due_jobs(connection: Connection, now: datetime) -> list[int]:
    """Jobs to do now, and those whose worker died."""
    due = or_(
        and_(jobs.c.status == "queued", jobs.c.due_at <= now),
        and_(jobs.c.status == "running", jobs.c.lease_until <= now),
    )
    return list(connection.execute(select(jobs.c.id).where(due).order_by(jobs.c.id).limit(_LIMIT)).scalars())


def due_thoughts(connection: Connection, now: datetime) -> list[int]:
    """Conversations with messages that are stored and that nobody has thought about yet."""
    told = now - timedelta(seconds=_TOLD_SECONDS)
    query = select(inbox.c.conversation_id).where(inbox.c.outcome == "waiting", inbox.c.received_at <= told)
    return list(connection.execute(query.distinct().limit(_LIMIT)).scalars())


def due_pulls(connection: Connection, now: datetime) -> list[str]:
    """Channels whose messages should be fetched now: poked, left behind by a worker that died, or not for a while."""
    free = or_(cursors.c.lease_until.is_(None), cursors.c.lease_until <= now)
    return list(connection.execute(select(cursors.c.channel).where(cursors.c.due_at <= now, free)).scalars())
