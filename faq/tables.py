"""Tables of what the knowledge does not hold yet, and of what was approved to be added to it."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, String, Table, Text, UniqueConstraint

from bot.storage.tables import metadata
from bot.storage.types import BigId, Instant, Json

gaps = Table(
    "gaps",
    metadata,
    Column("id", BigId, primary_key=True),
    # the message that was asked; one message is one gap at most
    Column("inbox_id", BigId, ForeignKey("inbox.id"), nullable=False, unique=True),
    Column("conversation_id", BigId, ForeignKey("conversations.id"), nullable=False),
    Column("asked_at", Instant, nullable=False),
    # masked: no phone number, address or order number stands here
    Column("words", Text, nullable=False),
    # unanswered, clarified (a question came back) or corrected (the answer was not what was meant)
    Column("kind", String(16), nullable=False),
    # the nearest entry, and the probability that it was right; of a corrected one, the entry that was wrong
    Column("entry_id", String(200)),
    Column("confidence", Float, nullable=False),
    # the entry that the resident chose when she was asked what she meant
    Column("chosen_id", String(200)),
    Column("community_id", String(64)),
    # the number under which a person was asked; that person's answer may become a new entry
    Column("ticket_id", BigId),
    # open, approved or dismissed
    Column("status", String(16), nullable=False),
    Column("decided_at", Instant),
    Index("ix_gaps_status", "status", "id"),
    Index("ix_gaps_conversation", "conversation_id", "id"),
)

group_answers = Table(
    "group_answers",
    metadata,
    # When an entry was last answered in a group.
    Column("channel", String(64), primary_key=True),
    Column("chat", String(128), primary_key=True),
    Column("entry_id", String(200), primary_key=True),
    Column("said_at", Instant, nullable=False),
)

knowledge_additions = Table(
    "knowledge_additions",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("entry_id", String(200), nullable=False),
    Column("phrasing", String(500), nullable=False),
    # of a new entry's first phrasing, which is its question
    Column("answer", Text),
    # empty: all
    Column("communities", Json, nullable=False),
    Column("added_at", Instant, nullable=False),
    UniqueConstraint("entry_id", "phrasing"),
)
