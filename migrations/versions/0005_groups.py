"""Groups: files that come by an address, and what was answered there lately."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    with op.batch_alter_table("attachments") as table:
        table.alter_column("platform_id", existing_type=sa.String(length=256), type_=sa.String(length=2048))
    op.create_table(
        "group_answers",
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("chat", sa.String(length=128), nullable=False),
        sa.Column("entry_id", sa.String(length=200), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("channel", "chat", "entry_id", name=op.f("pk_group_answers")),
    )
