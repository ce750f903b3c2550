"""The whole bot, its processes started as an operator starts them, with the playground's WeChat in front."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import make_url

from playground.stage import Stage


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A bot on each kind of database, one after the other."""
    folder = tmp_path_factory.mktemp(f"stage-{request.param}")
    environment = {}
    if request.param == "postgresql":
        environment["QUNDA_DATABASE_URL"] = request.getfixturevalue("own_postgres_database")
    with Stage(folder, environment) as running:
        yield running


@pytest.fixture(scope="session")
def own_postgres_database(postgres_url: str) -> Iterator[str]:
    """An empty database, for processes that bring their own schema."""
    server = make_url(postgres_url)
    name = f"qunda_stage_{os.getpid()}"
    address = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        yield server.set(database=name).render_as_string(hide_password=False)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
