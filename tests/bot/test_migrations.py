from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text

import claims.tables  # noqa: F401
import escalation.tables  # noqa: F401
import faq.tables  # noqa: F401
import shop.tables  # noqa: F401
from bot.storage.migrate import MIGRATIONS, upgrade
from bot.storage.tables import metadata

BROKEN = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{newest}"


def upgrade():
    op.create_table("half_done", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("INSERT INTO half_done VALUES (1)")
    op.execute("ALTER TABLE nothing_of_the_kind ADD COLUMN x INTEGER")
"""


def test_the_migrations_make_the_schema_that_the_code_means(database_url: str) -> None:
    upgrade(database_url)
    engine = create_engine(database_url)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
    engine.dispose()
    assert differences == []


def test_migrating_again_changes_nothing(database_url: str) -> None:
    upgrade(database_url)
    before = everything(database_url)
    upgrade(database_url)
    assert everything(database_url) == before


def test_a_failed_migration_leaves_the_database_as_it_was(database_url: str, tmp_path: Path) -> None:
    upgrade(database_url)
    before = everything(database_url)
    broken = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, broken)
    newest = max(file.stem.split("_")[0] for file in (broken / "versions").glob("0*.py"))
    (broken / "versions" / "9999_broken.py").write_text(BROKEN.format(newest=newest))
    with pytest.raises(Exception, match="nothing_of_the_kind"):
        upgrade(database_url, migrations=broken)
    assert everything(database_url) == before
    upgrade(database_url)


def everything(url: str) -> dict:
    """All tables with their columns and indices, and the recorded revision."""
    engine = create_engine(url)
    inspector = inspect(engine)
    found: dict = {
        name: (
            sorted(str(column) for column in inspector.get_columns(name)),
            sorted(
                str((index["name"], index["column_names"], index["unique"])) for index in inspector.get_indexes(name)
            ),
        )
        for name in inspector.get_table_names()
    }
    with engine.connect() as connection:
        found["revision"] = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    engine.dispose()
    return found
