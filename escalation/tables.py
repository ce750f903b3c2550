"""Tables of tickets: what waits for a person, who has it, who was told, and what happened to it."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, text

from bot.storage.tables import metadata
from bot.storage.types import BigId, Instant, Json

_OPEN_HANDOFF = text("kind = 'handoff' AND status IN ('waiting', 'held')")

tickets = Table(
    "tickets",
    metadata,
    # the number that people read; never given twice
    Column("id", BigId, primary_key=True),
    # handoff (somebody shall speak with the resident) or claim (somebody shall decide)
    Column("kind", String(16), nullable=False),
    Column("conversation_id", BigId, ForeignKey("conversations.id"), nullable=False),
    Column("resident_id", BigId, ForeignKey("residents.id")),
    Column("community_id", String(64)),
    # masked, as staff read it
    Column("name", String(64), nullable=False),
    # waiting (nobody has it), held, solved (somebody says so) or confirmed (the resident says so)
    Column("status", String(16), nullable=False),
    # P0, P1 or P2
    Column("priority", String(2), nullable=False),
    Column("reason", Text, nullable=False),
    # lines that staff read beside the reason
    Column("facts", Json, nullable=False),
    # the person who took it, or who solved it
    Column("owner", String(64)),
    Column("opened_at", Instant, nullable=False),
    Column("first_response_at", Instant),
    Column("solved_at", Instant),
    Column("confirmed_at", Instant),
    Column("reopened", Integer, nullable=False),
    Index(
        "uq_tickets_open_handoff",
        "conversation_id",
        unique=True,
        sqlite_where=_OPEN_HANDOFF,
        postgresql_where=_OPEN_HANDOFF,
    ),
    Index("ix_tickets_conversation", "conversation_id", "status"),
    Index("ix_tickets_resident", "resident_id"),
    Index("ix_tickets_owner", "owner", "status"),
    sqlite_autoincrement=True,
)

ticket_events = Table(
    "ticket_events",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("ticket_id", BigId, ForeignKey("tickets.id"), nullable=False),
    Column("at", Instant, nullable=False),
    # a staff id, "resident" or "bot"
    Column("actor", String(64), nullable=False),
    # opened, repeated, unannounced (nobody could be told), taken, replied, approved, rejected, solved, confirmed,
    # reopened, bot_on, bot_off, undelivered (to the resident) or unnotified (a member of staff)
    Column("kind", String(16), nullable=False),
    Column("note", Text, nullable=False),
    Index("ix_ticket_events_ticket", "ticket_id", "id"),
)

ticket_watchers = Table(
    "ticket_watchers",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("ticket_id", BigId, ForeignKey("tickets.id"), nullable=False),
    Column("staff_id", String(64), nullable=False),
    UniqueConstraint("ticket_id", "staff_id"),
    Index("ix_ticket_watchers_staff", "staff_id"),
)
