"""More doors: windows that count down, messages that are pulled and wait, receipts, and who speaks on the platform."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
INSTANT = sa.DateTime(timezone=True)
WAITING = sa.text("outcome = 'waiting'")

_FIVE_IN_48_HOURS = (timedelta(hours=48), 5)


def upgrade() -> None:
    op.add_column("conversations", sa.Column("window_closes_at", INSTANT, nullable=True))
    op.add_column("conversations", sa.Column("window_left", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("conversations", sa.Column("last_sent_at", INSTANT, nullable=True))
    op.add_column("conversations", sa.Column("session", sa.String(length=16), nullable=False, server_default=""))
    op.add_column("conversations", sa.Column("reply_address", sa.String(length=1024), nullable=True))
    _move_windows()
    with op.batch_alter_table("conversations") as table:
        table.alter_column("window_left", server_default=None)
        table.alter_column("session", server_default=None)
        table.drop_column("window_opened_at")
        table.drop_column("window_sent")
    op.add_column("outbox", sa.Column("merged_into", BIG_ID, nullable=True))
    op.add_column("outbox", sa.Column("receipt", JSON, nullable=True))
    op.create_index(
        "ix_inbox_waiting", "inbox", ["conversation_id", "id"], sqlite_where=WAITING, postgresql_where=WAITING
    )
    op.create_table(
        "cursors",
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("cursor", sa.String(length=256), nullable=False),
        sa.Column("token", sa.String(length=256), nullable=False),
        sa.Column("poked_at", INSTANT, nullable=True),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_cursors")),
    )


def _move_windows() -> None:
    """The only windows so far were those of 48 hours and five messages."""
    conversations = sa.table(
        "conversations",
        sa.column("id", BIG_ID),
        sa.column("window_opened_at", INSTANT),
        sa.column("window_sent", sa.Integer()),
        sa.column("window_closes_at", INSTANT),
        sa.column("window_left", sa.Integer()),
    )
    length, messages = _FIVE_IN_48_HOURS
    opened = sa.select(conversations).where(conversations.c.window_opened_at.is_not(None))
    for row in op.get_bind().execute(opened).all():
        values = {
            "window_closes_at": row.window_opened_at + length,
            "window_left": max(0, messages - row.window_sent),
        }
        op.execute(conversations.update().where(conversations.c.id == row.id).values(**values))
