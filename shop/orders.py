"""What residents ordered: lookups for answers, proofs and claims."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select

from shop.money import format_yuan
from shop.products import matching_lines
from shop.statuses import STATUS_WORDS
from shop.tables import order_lines, residents

__all__ = [
    "OrderLine",
    "claimable_lines",
    "find_line",
    "find_owner",
    "lines_of_order",
    "matching_lines",
    "recent_lines",
]


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One product of one order. ``amount_fen`` is what the whole line cost."""

    id: int
    order_no: str
    product: str
    spec: str
    resident_id: int
    community_id: str | None
    batch: str
    quantity: float
    amount_fen: int
    status: str
    pickup_code: str = field(repr=False)
    ordered_at: datetime
    eta: datetime | None
    arrived_at: datetime | None
    notes: Mapping[str, str] = field(repr=False, hash=False)

    @property
    def status_words(self) -> str:
        return STATUS_WORDS[self.status]

    @property
    def amount_words(self) -> str:
        return format_yuan(self.amount_fen)


_COLUMNS = tuple(column for column in order_lines.c if column.name != "updated_at")


def recent_lines(
    connection: Connection, resident_id: int, *, now: datetime, days: int = 30, limit: int = 20
) -> tuple[OrderLine, ...]:
    """The resident's lines of the last days, newest first."""
    query = (
        select(*_COLUMNS)
        .where(order_lines.c.resident_id == resident_id, order_lines.c.ordered_at >= now - timedelta(days=days))
        .order_by(order_lines.c.ordered_at.desc(), order_lines.c.id.desc())
        .limit(limit)
    )
    return _lines(connection.execute(query))


def lines_of_order(connection: Connection, resident_id: int, order_no: str) -> tuple[OrderLine, ...]:
    """The lines of one order of this resident; nothing for an order that is another's or does not exist."""
    query = (
        select(*_COLUMNS)
        .where(order_lines.c.order_no.in_(_spellings(order_no)), order_lines.c.resident_id == resident_id)
        .order_by(order_lines.c.id)
    )
    return _lines(connection.execute(query))


def find_line(connection: Connection, line_id: int) -> OrderLine | None:
    rows = _lines(connection.execute(select(*_COLUMNS).where(order_lines.c.id == line_id)))
    return rows[0] if rows else None


def find_owner(connection: Connection, phone_last4: str, proof: str) -> int | None:
    """The id of the resident who knows the last four digits of the phone and an order number or pick-up code.

    Only when exactly one resident fits both. Every other case is the same None after the same one query, so nobody
    learns whether an order exists.
    """
    query = (
        select(residents.c.id)
        .join(order_lines, order_lines.c.resident_id == residents.c.id)
        .where(
            or_(order_lines.c.order_no.in_(_spellings(proof)), order_lines.c.pickup_code.in_(_spellings(proof))),
            func.substr(residents.c.phone, 8) == re.sub(r"[^0-9]", "", unicodedata.normalize("NFKC", phone_last4[:20])),
        )
        .distinct()
        .limit(2)
    )
    owners: Sequence[int] = connection.execute(query).scalars().all()
    return owners[0] if len(owners) == 1 else None


def claimable_lines(connection: Connection, resident_id: int, now: datetime, *, days: int) -> tuple[OrderLine, ...]:
    """Lines that arrived in the last ``days`` and were neither cancelled nor refunded, newest first.

    A line whose arrival nobody wrote down counts from the moment we learned of its status.
    """
    arrived_at = func.coalesce(order_lines.c.arrived_at, order_lines.c.updated_at)
    query = (
        select(*_COLUMNS)
        .where(
            order_lines.c.resident_id == resident_id,
            order_lines.c.status.in_(("arrived", "picked_up")),
            arrived_at >= now - timedelta(days=days),
        )
        .order_by(arrived_at.desc(), order_lines.c.id.desc())
    )
    return _lines(connection.execute(query))


def _lines(rows: Iterable[Row[Any]]) -> tuple[OrderLine, ...]:
    return tuple(OrderLine(**row._mapping) for row in rows)


def _spellings(code: str) -> tuple[str, ...]:
    """A code as people type it: full-width, with spaces, in the wrong case. Empty codes match nothing."""
    plain = re.sub(r"\s", "", unicodedata.normalize("NFKC", code[:100])).replace("\0", "")
    return tuple({plain, plain.upper(), plain.lower()} - {""})
