"""Writing and naming many rows at once, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Table

from bot.transaction import ignoring_repeats

T = TypeVar("T")

CHUNK = 500
"""How many values one query names: small enough for every database, large enough to be fast."""


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    iterator = iter(values)
    while part := list(islice(iterator, size)):
        yield part


def insert_or_ignore(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts the rows; one that meets a unique key that is taken is left out."""
    if not rows:
        return
    connection.execute(ignoring_repeats(connection, table), rows)
