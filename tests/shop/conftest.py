"""A small town: Alice and Bob's communities, their leaders, and ways to put orders into it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import shop.tables  # noqa: F401  the schema of the fixtures needs to know it
from bot.storage.store import Store
from shop.directory import Community, Directory, Staff
from shop.importing import ImportReport, take_orders
from shop.source import SourceLine

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
ALICE_PHONE = "13800000001"
BOB_PHONE = "13900000002"

Write = Callable[..., Path]
Order = Callable[..., ImportReport]


class Lines:
    """An order source of ready lines."""

    def __init__(self, *lines: SourceLine) -> None:
        self._lines = lines

    def lines(self) -> Iterator[SourceLine]:
        yield from self._lines


@pytest.fixture
def directory() -> Directory:
    return Directory(
        communities=[
            Community("sunshine", "阳光花园", leader_id="zhang"),
            Community("riverside", "滨江苑", leader_id="li"),
        ],
        staff=[
            Staff("zhang", "张团长", "leader", {"app": "ZhangLeader"}),
            Staff("li", "李团长", "leader", {"app": "LiLeader"}),
            Staff("chen", "小陈", "agent", {"app": "ChenAgent"}),
            Staff("wu", "吴主管", "supervisor", {"app": "WuBoss"}),
        ],
    )


@pytest.fixture
def order(store: Store, directory: Directory) -> Order:
    """Puts one order line in, as the file of a shop would."""

    def put(phone: str = ALICE_PHONE, *, name: str = "王桂兰", now: datetime = NOW, **values: Any) -> ImportReport:
        line: dict[str, Any] = {
            "order_no": "20261118001",
            "product": "红富士苹果",
            "spec": "5斤装",
            "amount_fen": 2280,
            "status": "arrived",
            "ordered_at": NOW,
            **values,
        }
        source = Lines(SourceLine(2, phone, name, "sunshine", None, {"community_id": "sunshine", **line}))
        return take_orders(store, source, directory, now)

    return put


@pytest.fixture
def write_csv(tmp_path: Path) -> Write:
    def write(*rows: Sequence[Any], name: str = "orders.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        with path.open("w", encoding=encoding, newline="") as file:
            csv.writer(file).writerows(rows)
        return path

    return write


@pytest.fixture
def write_xlsx(tmp_path: Path) -> Write:
    def write(*rows: Sequence[Any], name: str = "orders.xlsx") -> Path:
        workbook = openpyxl.Workbook(write_only=True)
        sheet = workbook.create_sheet()
        for row in rows:
            sheet.append(row)
        workbook.save(tmp_path / name)
        return tmp_path / name

    return write
