"""Tables of claims: what was bad, what the resident wants, the photos, and who decided."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, text

from bot.storage.tables import metadata
from bot.storage.types import BigId, Instant, Json

_OPEN = text("status IN ('submitted', 'approved')")

claims = Table(
    "claims",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("ticket_id", BigId, ForeignKey("tickets.id"), nullable=False, unique=True),
    Column("conversation_id", BigId, ForeignKey("conversations.id"), nullable=False),
    Column("resident_id", BigId, ForeignKey("residents.id")),
    # none while nobody knows what was bought
    Column("order_line_id", BigId, ForeignKey("order_lines.id")),
    # what is wrong, the main kind first
    Column("kinds", Json, nullable=False),
    # how much, in the resident's words, and as a part of the line (0-1) where the words tell it
    Column("share", String(60), nullable=False),
    Column("share_ratio", Float),
    # refund, replacement, coupon or any (she leaves it to us)
    Column("wish", String(16), nullable=False),
    # submitted, approved or rejected
    Column("status", String(16), nullable=False),
    Column("submitted_at", Instant, nullable=False),
    # a staff id
    Column("decided_by", String(64)),
    Column("decided_at", Instant),
    Column("decision_reason", Text),
    Index("uq_claims_open_order_line", "order_line_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("ix_claims_conversation", "conversation_id", "id"),
)

evidence = Table(
    "evidence",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("claim_id", BigId, ForeignKey("claims.id"), nullable=False),
    Column("attachment_id", BigId, ForeignKey("attachments.id"), nullable=False, index=True),
    # the order in which the photos came, from 1
    Column("position", Integer, nullable=False),
    UniqueConstraint("claim_id", "attachment_id"),
)
