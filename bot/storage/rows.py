"""All rows of the database as JSON lines, in one form for SQLite and PostgreSQL.

The schema is read from the database itself and not from the code: a backup may be taken by a version that is newer
than the database, and loaded into the schema of an older one before that is migrated.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import IO, Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    DateTime,
    Dialect,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    cast,
    create_engine,
    func,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine

from bot.errors import BotError
from bot.storage.types import Instant

VERSIONS = "alembic_version"
_BATCH = 1000


class UnfitRows(BotError):
    """The rows do not fit the schema; the text says which."""

    code = "unfit_rows"


@contextmanager
def snapshot(url: str) -> Iterator[Connection]:
    """A connection that sees the database as it is at its first read, while others go on writing."""
    engine = create_engine(url)
    if engine.dialect.name == "postgresql":
        options: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    else:
        options = {"isolation_level": "AUTOCOMMIT"}  # the driver's own transactions begin at the first write only
    try:
        with engine.connect().execution_options(**options) as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN")
            yield connection
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("ROLLBACK")
    finally:
        engine.dispose()


def tables_of(connection: Connection) -> list[Table]:
    """The tables as they are in the database, each after those that it refers to."""
    schema = MetaData()
    schema.reflect(connection)
    for table in schema.tables.values():
        for column in table.columns:
            column.type = _exchanged(column.type, connection.dialect)
    return [table for table in schema.sorted_tables if table.name != VERSIONS]


def is_empty(connection: Connection) -> bool:
    """Whether the database has no table yet."""
    return not inspect(connection).get_table_names()


def write_rows(connection: Connection, table: Table, out: IO[bytes]) -> int:
    """Writes the names of the columns, then one row a line. Returns the number of rows."""
    out.write(_line([column.name for column in table.columns]))
    query = select(*table.columns).order_by(*table.primary_key.columns)
    count = 0
    for row in connection.execution_options(yield_per=_BATCH).execute(query):
        out.write(_line(list(row)))
        count += 1
    return count


def load_rows(connection: Connection, table: Table, lines: IO[bytes]) -> int:
    """Puts the rows that ``write_rows`` wrote into the table, instead of what is there. Returns their number.

    Raises UnfitRows when the lines are not of this table.
    """
    names = _parsed(lines.readline(), table)
    if sorted(names) != sorted(column.name for column in table.columns):
        raise UnfitRows(f"the columns of {table.name} are not those of the schema")
    if connection.scalar(select(func.count()).select_from(table)):
        connection.execute(table.delete())  # what a migration has put there
    readers = [_reader(table.columns[name].type) for name in names]
    count = 0
    while batch := [_parsed(line, table, len(names)) for line in islice(lines, _BATCH)]:
        rows = [{name: read(value) for name, read, value in zip(names, readers, row, strict=True)} for row in batch]
        connection.execute(insert(table), rows)
        count += len(rows)
    return count


def settle(connection: Connection, tables: Sequence[Table]) -> None:
    """After loading: numbers go on above the highest, and every reference must lead somewhere. Raises UnfitRows."""
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            raise UnfitRows(f"a row of {broken[0]} refers to a row of {broken[2]} that is not there")
        return
    for table in tables:
        for column in table.primary_key.columns:
            if isinstance(column.type, Integer):
                _continue_numbering(connection, table, column.name)


def _continue_numbering(connection: Connection, table: Table, column: str) -> None:
    quoted = connection.dialect.identifier_preparer.quote(table.name)
    sequence = connection.scalar(select(func.pg_get_serial_sequence(quoted, column)))
    if sequence is not None:
        highest = connection.scalar(select(func.max(table.columns[column]))) or 0
        connection.execute(text("SELECT setval(:sequence, :next, false)"), {"sequence": sequence, "next": highest + 1})


class _JsonbAsText(TypeDecorator[str]):
    """JSONB read and written as its text, so that nothing is lost between SQL's NULL and JSON's null."""

    impl = Text
    cache_ok = True

    def bind_expression(self, bindparam: Any) -> ColumnElement[Any]:
        return cast(bindparam, JSONB)

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        return cast(column, Text)


def _exchanged(kind: TypeEngine[Any], dialect: Dialect) -> TypeEngine[Any]:
    """A column type whose values are the same whatever the database."""
    if isinstance(kind, DateTime):
        return Instant()
    if isinstance(kind, JSON):
        return _JsonbAsText() if dialect.name == "postgresql" else Text()
    if isinstance(kind, Numeric) and not isinstance(kind, Float):
        return Numeric(kind.precision, kind.scale, asdecimal=False)
    return kind


def _line(values: list[Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False, default=_written, allow_nan=False).encode() + b"\n"


def _written(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"a value of type {type(value).__name__} has no form in a backup")


def _reader(kind: TypeEngine[Any]) -> Any:
    if isinstance(kind, Instant):
        return lambda value: None if value is None else datetime.fromisoformat(value)
    if isinstance(kind, LargeBinary):
        return lambda value: None if value is None else base64.b64decode(value)
    return lambda value: value


def _parsed(line: bytes, table: Table, length: int | None = None) -> list[Any]:
    try:
        values = json.loads(line)
    except ValueError:
        values = None
    if not isinstance(values, list) or (length is not None and len(values) != length):
        raise UnfitRows(f"a row of {table.name} cannot be read")
    return values
