"""Bringing the database to the newest schema, in one transaction: a failed migration leaves it as it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def upgrade(url: str, revision: str = "head", *, migrations: Path = MIGRATIONS) -> None:
    """Migrates the database at ``url``. Waits while another process migrates; raises and changes nothing on failure."""
    with migrating(url) as connection:
        bring_to(connection, revision, migrations=migrations)


@contextmanager
def migrating(url: str) -> Iterator[Connection]:
    """One transaction that may change the schema as well as rows; waits while another process has one."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        _take_over_transactions(engine)
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7166)")
            yield connection
    finally:
        engine.dispose()


def bring_to(connection: Connection, revision: str, *, migrations: Path = MIGRATIONS) -> None:
    """Runs the migrations up to ``revision`` inside the transaction of ``migrating``."""
    config = _config(migrations)
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def revision_of(connection: Connection) -> str | None:
    """The schema that the database has; None for one without any."""
    return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str:
    """The schema that this version of the code works with."""
    newest = ScriptDirectory.from_config(_config(MIGRATIONS)).get_current_head()
    assert newest is not None, "there is always a first migration"
    return newest


def is_known(revision: str) -> bool:
    """Whether this version has the migration; a newer version's schema is not known."""
    scripts = ScriptDirectory.from_config(_config(MIGRATIONS))
    return any(script.revision == revision for script in scripts.walk_revisions())


def _config(migrations: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    return config


def _take_over_transactions(engine: Engine) -> None:
    """Lets SQLite's schema changes be part of the transaction; the driver would commit before each of them."""

    @event.listens_for(engine, "connect")
    def no_driver_transactions(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA busy_timeout=30000")
        connection.execute("PRAGMA journal_mode=WAL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
