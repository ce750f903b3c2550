"""Alembic's environment: the caller brings the connection and owns the transaction."""

from __future__ import annotations

from alembic import context

import claims.tables  # noqa: F401
import escalation.tables  # noqa: F401
import faq.tables  # noqa: F401
import shop.tables  # noqa: F401
from bot.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=False,
    transactional_ddl=False,
)
context.run_migrations()
