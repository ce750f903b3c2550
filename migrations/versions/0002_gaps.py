"""Questions that the knowledge does not hold yet, and what was approved to be added to it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "gaps",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("inbox_id", BIG_ID, nullable=False),
        sa.Column("conversation_id", BIG_ID, nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("entry_id", sa.String(length=200), nullable=True),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("chosen_id", sa.String(length=200), nullable=True),
        sa.Column("community_id", sa.String(length=64), nullable=True),
        sa.Column("ticket_id", BIG_ID, nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_gaps_inbox_id_inbox")),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_gaps_conversation_id_conversations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gaps")),
        sa.UniqueConstraint("inbox_id", name=op.f("uq_gaps_inbox_id")),
    )
    op.create_index("ix_gaps_status", "gaps", ["status", "id"], unique=False)
    op.create_index("ix_gaps_conversation", "gaps", ["conversation_id", "id"], unique=False)

    op.create_table(
        "knowledge_additions",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("entry_id", sa.String(length=200), nullable=False),
        sa.Column("phrasing", sa.String(length=500), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("communities", JSON, nullable=False),
        sa.Column("added_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_knowledge_additions")),
        sa.UniqueConstraint("entry_id", "phrasing", name=op.f("uq_knowledge_additions_entry_id_phrasing")),
    )
