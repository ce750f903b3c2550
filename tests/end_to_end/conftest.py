"""Databases for the processes and for whole bots: empty ones, which last longer than one test."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import psycopg
import pytest
from sqlalchemy import make_url

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def empty_postgres(postgres_url: str) -> Iterator[Callable[[], str]]:
    """Makes databases without a schema, and gives their addresses; they go when the module's tests are over."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(_database(postgres_url))


@contextmanager
def _database(server_url: str) -> Iterator[str]:
    server = make_url(server_url)
    name = f"qunda_whole_{os.getpid()}_{next(_numbers)}"
    address = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        yield server.set(database=name).render_as_string(hide_password=False)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
