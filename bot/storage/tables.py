"""Tables of the chat machine. The rooms above add theirs to the same ``metadata``."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from bot.storage.types import BigId, Instant, Json

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("channel", String(64), nullable=False),
    Column("account", String(128), nullable=False),
    Column("chat", String(128), nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Json, nullable=False),
    Column("holder", String(64)),
    Column("followed", Boolean, nullable=False),
    # The platform's reply window: until when, how many messages are left in it, and when the last one went out.
    Column("window_closes_at", Instant),
    Column("window_left", Integer, nullable=False),
    Column("last_sent_at", Instant),
    # Who speaks on the platform itself: "" the bot, "person" somebody in its own client, "pool" nobody yet, "ended".
    Column("session", String(16), nullable=False),
    # Where the last message may be answered once, later; a secret.
    Column("reply_address", String(1024)),
    # The flood budget: how many messages came since the burst began.
    Column("burst_began_at", Instant),
    Column("burst_count", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("channel", "account", "chat"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("channel", String(64), nullable=False),
    Column("dedupe_key", String(200), nullable=False),
    Column("conversation_id", BigId, ForeignKey("conversations.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("payload", Json, nullable=False),
    # Where it may be answered once, later; a secret.
    Column("reply_address", String(1024)),
    Column("sent_at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    # waiting (stored, not thought about yet), handled, ignored, throttled or failed
    Column("outcome", String(16), nullable=False),
    Column("handler", String(64), nullable=False),
    Column("note", String(200), nullable=False),
    Column("error", Text),
    UniqueConstraint("channel", "dedupe_key"),
    Index("ix_inbox_conversation", "conversation_id", "id"),
)
_waiting = inbox.c.outcome == "waiting"
Index("ix_inbox_waiting", inbox.c.conversation_id, inbox.c.id, sqlite_where=_waiting, postgresql_where=_waiting)

cursors = Table(
    "cursors",
    metadata,
    # How far the messages of a channel that is pulled have been taken over.
    Column("channel", String(64), primary_key=True),
    Column("cursor", String(256), nullable=False),
    # From the last callback that said that something waits.
    Column("token", String(256), nullable=False),
    Column("poked_at", Instant),
    Column("due_at", Instant, nullable=False),
    Column("lease_until", Instant),
)

attachments = Table(
    "attachments",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("inbox_id", BigId, ForeignKey("inbox.id"), nullable=False, unique=True),
    Column("conversation_id", BigId, ForeignKey("conversations.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    # an id, or the address of the file
    Column("platform_id", String(2048), nullable=False),
    # pending, stored, refused (the file is not what it should be) or lost (the platform no longer has it)
    Column("status", String(16), nullable=False),
    Column("sha256", String(64)),
    Column("content_type", String(64)),
    Column("size", Integer),
    Column("reason", String(64)),
    Index("ix_attachments_conversation", "conversation_id", "id"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("conversation_id", BigId, ForeignKey("conversations.id"), nullable=False),
    Column("inbox_id", BigId, ForeignKey("inbox.id")),
    # unique: the same thing is never said twice by accident
    Column("key", String(120), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("payload", Json, nullable=False),
    # bot, person (a human speaks through us) or notice (to staff)
    Column("voice", String(16), nullable=False),
    # what the words belong to ("ticket:12"), told when they cannot be delivered
    Column("about", String(64)),
    # offered, queued, sending, sent, uncertain, dead, expired or withdrawn
    Column("status", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("lease_until", Instant),
    Column("sent_at", Instant),
    # The row that carried these words along in one message.
    Column("merged_into", BigId),
    # What the platform said of it that is needed later.
    Column("receipt", Json),
    Column("error", String(200)),
    Index("ix_outbox_conversation", "conversation_id", "id"),
    Index("ix_outbox_due", "status", "due_at"),
    Index("ix_outbox_inbox", "inbox_id"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("key", String(120), nullable=False, unique=True),
    Column("payload", Json, nullable=False),
    # queued, running, done or dead
    Column("status", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("lease_until", Instant),
    Column("error", String(200)),
    Index("ix_jobs_due", "status", "due_at"),
)
