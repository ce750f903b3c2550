"""Addresses by which residents come to the customer service."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "kf_links",
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("scene", sa.String(length=128), nullable=False),
        sa.Column("url", sa.String(length=1024), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("channel", "scene", name=op.f("pk_kf_links")),
    )
