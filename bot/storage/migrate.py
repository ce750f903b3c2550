"""Bringing the database to the newest schema, in one transaction: a failed migration leaves it as it was."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, event

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def upgrade(url: str, revision: str = "head", *, migrations: Path = MIGRATIONS) -> None:
    """Migrates the database at ``url``. Waits while another process migrates; raises and changes nothing on failure."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        _take_over_transactions(engine)
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7166)")
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    finally:
        engine.dispose()


def _take_over_transactions(engine) -> None:  # type: ignore[no-untyped-def]
    """Lets SQLite's schema changes be part of the transaction; the driver would commit before each of them."""

    @event.listens_for(engine, "connect")
    def no_driver_transactions(connection, _record) -> None:  # type: ignore[no-untyped-def]
        connection.isolation_level = None
        connection.execute("PRAGMA busy_timeout=30000")
        connection.execute("PRAGMA journal_mode=WAL")

    @event.listens_for(engine, "begin")
    def begin(connection) -> None:  # type: ignore[no-untyped-def]
        connection.exec_driver_sql("BEGIN IMMEDIATE")
