"""Takes files of orders and people in: everything is checked first, then the good rows are written in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from bot.storage.store import Store
from shop.directory import Directory
from shop.order_file import OrderFile
from shop.people_import import PeopleFile, PersonRow
from shop.residents import (
    Particulars,
    bind_new_accounts,
    particulars_of,
    phones_of_accounts,
    plan_residents,
    write_residents,
)
from shop.rows import chunks, insert_or_ignore
from shop.source import OrderSource, Refusal, SourceLine
from shop.tables import order_lines

BATCH = 1000
"""Rows a transaction: long enough to be fast, short enough that residents are answered in between."""

_TAKEN = "the channel account belongs to another resident already; check the account or the phone number"

# What a new line has where its file has no such column.
_BLANK = {
    "batch": "",
    "quantity": 1.0,
    "pickup_code": "",
    "community_id": None,
    "eta": None,
    "arrived_at": None,
    "notes": {},
}


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did. ``total`` rows were read; ``new``, ``changed`` and ``unchanged`` were good.

    ``refused`` holds (row number as the spreadsheet shows it, reason) in the order of the file. ``written`` counts
    rows stored; nothing is in a dry run. ``encoding``: that of a csv which is not in UTF-8.
    """

    total: int
    new: int
    changed: int
    unchanged: int
    refused: tuple[tuple[int, str], ...]
    written: int
    encoding: str | None = None


def import_orders(
    store: Store, path: Path, *, directory: Directory, timezone: tzinfo, now: datetime, dry_run: bool = False
) -> ImportReport:
    """Takes one file of order lines in, with the residents whose they are.

    Times without a zone are in ``timezone``. The same file again changes nothing. What ``people.yaml`` says about a
    resident wins over the file. Raises ``UnreadableFile`` before anything is written.
    """
    file = OrderFile(path, directory=directory, timezone=timezone)
    return replace(take_orders(store, file, directory, now, dry_run), encoding=file.encoding)


def take_orders(
    store: Store, source: OrderSource, directory: Directory, now: datetime, dry_run: bool = False
) -> ImportReport:
    """Takes the lines of any source in."""
    lines, refused = _sorted_out(store, source.lines())
    people = _particulars(lines, directory)

    def take(connection: Connection, batch: list[SourceLine]) -> _Counts:
        return _take_lines(connection, batch, people, now, dry_run)

    return _in_batches(store, lines, refused, take, dry_run)


def import_people(
    store: Store, path: Path, *, directory: Directory, now: datetime, dry_run: bool = False
) -> ImportReport:
    """Takes one file of residents in; raises ``UnreadableFile`` before anything is written."""
    file = PeopleFile(path, directory)
    rows, refused = _sorted_out(store, file.rows())

    def take(connection: Connection, batch: list[PersonRow]) -> _Counts:
        return _take_people(connection, batch, now, dry_run)

    return replace(_in_batches(store, rows, refused, take, dry_run), encoding=file.encoding)


@dataclass(frozen=True, slots=True)
class _Counts:
    new: int = 0
    changed: int = 0
    unchanged: int = 0


def _sorted_out(store: Store, rows: Iterator[Any]) -> tuple[list[Any], list[Refusal]]:
    """The good rows, and the refused; among these the ones whose account is bound to another phone number."""
    good: list[Any] = []
    refused: list[Refusal] = []
    for row in rows:
        (refused if isinstance(row, Refusal) else good).append(row)
    with store.read() as connection:
        bound = phones_of_accounts(connection, [row.account for row in good if row.account])
    foreign = [row for row in good if bound.get(row.account, row.phone) != row.phone]
    refused.extend(Refusal(row.row, _TAKEN) for row in foreign)
    kept = {row.row for row in good} - {row.row for row in foreign}
    return [row for row in good if row.row in kept], refused


def _in_batches(
    store: Store,
    rows: list[Any],
    refused: list[Refusal],
    take: Callable[[Connection, list[Any]], _Counts],
    dry_run: bool,
) -> ImportReport:
    opened: Callable[[], AbstractContextManager[Connection]] = store.read if dry_run else store.write
    total, new, changed, unchanged = len(rows) + len(refused), 0, 0, 0
    for batch in chunks(rows, BATCH):
        with opened() as connection:
            if not (dry_run or store.is_sqlite):
                _prepare_postgres(connection)
            counts = take(connection, batch)
        new, changed, unchanged = new + counts.new, changed + counts.changed, unchanged + counts.unchanged
    named = tuple((refusal.row, refusal.reason) for refusal in sorted(refused, key=lambda one: one.row))
    return ImportReport(total, new, changed, unchanged, named, 0 if dry_run else new + changed)


def _prepare_postgres(connection: Connection) -> None:
    # Two imports take turns, batch by batch, instead of waiting for each other's rows in a circle.
    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7167)")
    # A plan made while the table was small would scan it row by row once it has grown.
    connection.exec_driver_sql("SET LOCAL plan_cache_mode = force_custom_plan")


def _particulars(lines: Sequence[SourceLine], directory: Directory) -> dict[str, Particulars]:
    """What the whole file says about each resident, so that the outcome does not hang on where a batch ends."""
    listed = {one.phone: particulars_of(one) for one in directory.residents if one.phone}
    people: dict[str, Particulars] = {}
    for line in lines:
        if line.phone in listed:
            people[line.phone] = listed[line.phone]
            continue
        known = people.get(line.phone, Particulars(line.phone))
        people[line.phone] = replace(
            known, name=line.name or known.name, community_id=line.community_id or known.community_id
        )
    return people


def _take_lines(
    connection: Connection, batch: list[SourceLine], people: Mapping[str, Particulars], now: datetime, dry_run: bool
) -> _Counts:
    plan = plan_residents(connection, [people[phone] for phone in {line.phone: None for line in batch}])
    ids = plan.ids if dry_run else write_residents(connection, plan, now)
    stored = _stored_lines(connection, batch)
    new, changed = [], []
    for line in batch:
        row = {**line.values, "resident_id": ids.get(line.phone)}
        before = stored.get(line.key)
        if before is None:
            new.append({**_BLANK, "ordered_at": now, **row, "updated_at": now})
        elif any(before[column] != value for column, value in row.items()):
            changed.append({**before, **row, "updated_at": now})
    if not dry_run:
        accounts = {line.account: ids[line.phone] for line in batch if line.account}
        bind_new_accounts(connection, accounts, "orders", now)
        insert_or_ignore(connection, order_lines, new)
        _update_lines(connection, changed)
    return _Counts(len(new), len(changed), len(batch) - len(new) - len(changed))


def _stored_lines(connection: Connection, lines: Sequence[SourceLine]) -> dict[tuple[str, str, str], dict[str, Any]]:
    stored = {}
    for part in chunks({line.key[0] for line in lines}):
        for row in connection.execute(select(order_lines).where(order_lines.c.order_no.in_(part))).mappings():
            stored[row["order_no"], row["product"], row["spec"]] = dict(row)
    return stored


def _update_lines(connection: Connection, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    columns = [column.name for column in order_lines.c if column.name != "id"]
    values = {name: bindparam(f"to_{name}", type_=order_lines.c[name].type) for name in columns}
    statement = update(order_lines).where(order_lines.c.id == bindparam("row_id")).values(values)
    connection.execute(
        statement, [{"row_id": row["id"], **{f"to_{name}": row[name] for name in columns}} for row in rows]
    )


def _take_people(connection: Connection, batch: list[PersonRow], now: datetime, dry_run: bool) -> _Counts:
    plan = plan_residents(connection, [row.person for row in batch])
    accounts = {row.account: row.phone for row in batch if row.account}
    bound = phones_of_accounts(connection, accounts)
    touched = {one.phone for one in plan.changed} | {accounts[account] for account in accounts.keys() - bound.keys()}
    new = {person.phone for person in plan.new}
    if not dry_run:
        ids = write_residents(connection, plan, now)
        bind_new_accounts(connection, {account: ids[phone] for account, phone in accounts.items()}, "orders", now)
    changed = len(touched - new)
    return _Counts(len(new), changed, len(batch) - len(new) - changed)
