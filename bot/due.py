"""Rows that are due and that nobody may have been told of."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, or_, select

from bot.delivery import OFFER_SECONDS
from bot.storage.tables import jobs, outbox

_LIMIT = 500


def due_conversations(connection: Connection, now: datetime) -> list[int]:
    """Conversations with a message to send now, an offer whose process died, or a lease that ran out."""
    due = or_(
        and_(outbox.c.status == "queued", outbox.c.due_at <= now),
        and_(outbox.c.status == "offered", outbox.c.due_at <= now - timedelta(seconds=OFFER_SECONDS)),
        and_(outbox.c.status == "sending", outbox.c.lease_until <= now),
    )
    query = select(outbox.c.conversation_id).where(due).distinct().limit(_LIMIT)
    return list(connection.execute(query).scalars())


def due_jobs(connection: Connection, now: datetime) -> list[int]:
    """Jobs to do now, and those whose worker died."""
    due = or_(
        and_(jobs.c.status == "queued", jobs.c.due_at <= now),
        and_(jobs.c.status == "running", jobs.c.lease_until <= now),
    )
    return list(connection.execute(select(jobs.c.id).where(due).order_by(jobs.c.id).limit(_LIMIT)).scalars())
