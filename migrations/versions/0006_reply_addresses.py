"""Where each message may be answered later, not only the last one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("inbox", sa.Column("reply_address", sa.String(length=1024), nullable=True))
