"""The orders file: csv or xlsx, one order line a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any

from shop import cells
from shop.cells import CellProblem
from shop.columns import Column, Columns
from shop.directory import Directory
from shop.sheets import Row, UnreadableFile, read_rows
from shop.source import Refusal, SourceLine
from shop.statuses import STATUS_WORDS, status_of


def community_reader(directory: Directory) -> Any:
    """Reads a community's id or name; None for an empty cell."""

    def read(cell: Any) -> str | None:
        words = cells.text(cell, 64)
        community = directory.community(words) or directory.community_named(words)
        if words and community is None:
            raise CellProblem("is not a community of people.yaml; write its name or id as it stands there")
        return community.id if community else None

    return read


def header_of(rows: Iterator[Row]) -> Sequence[Any]:
    """Takes the first row. Raises ``UnreadableFile`` when there is none."""
    for _, header in rows:
        return header
    raise UnreadableFile("the file is empty")


class OrderFile:
    """One file as an ``OrderSource``: each row is checked, and each order line taken once.

    Raises ``UnreadableFile`` on opening, when the file as a whole cannot be taken.
    """

    def __init__(self, path: Path, *, directory: Directory, timezone: tzinfo) -> None:
        self._rows = read_rows(path)
        self.encoding = self._rows.encoding
        self._columns = Columns(header_of(self._rows), _known(directory, timezone))
        self._seen: dict[tuple[str, str, str], int] = {}
        self._phones: dict[tuple[str, str], str] = {}

    def lines(self) -> Iterator[SourceLine | Refusal]:
        empty = True
        for number, row in self._rows:
            empty = False
            try:
                line = self._line(number, row)
                self._refuse_repeated(line)
            except CellProblem as problem:
                yield Refusal(number, str(problem))
            else:
                yield line
        if empty:
            raise UnreadableFile("there are no rows below the header")

    def _line(self, number: int, row: Any) -> SourceLine:
        values, notes = self._columns.read(row)
        phone, name = values.pop("phone"), values.pop("resident", "")
        account = values.pop("channel_account", None)
        values["amount_fen"] = values.pop("amount")
        if "community" in values:
            values["community_id"] = values.pop("community")
        values.setdefault("spec", "")
        if self._columns.has_notes:
            values["notes"] = notes
        if values.get("ordered_at", ...) is None:
            del values["ordered_at"]  # unknown: what is stored stays
        return SourceLine(number, phone, name, values.get("community_id"), account, values)

    def _refuse_repeated(self, line: SourceLine) -> None:
        first = self._seen.setdefault(line.key, line.row)
        if first != line.row:
            raise CellProblem(f"the same order line (order number, product, spec) stands in row {first}")
        if line.account and self._phones.setdefault(line.account, line.phone) != line.phone:
            raise CellProblem("the channel account stands with another phone number further up")


def _known(directory: Directory, timezone: tzinfo) -> dict[str, Column]:
    def moment(cell: Any) -> Any:
        return cells.moment(cell, timezone)

    return {
        "order_no": Column(("订单号", "订单编号", "单号"), lambda cell: cells.code(cell, 64), required=True),
        "resident": Column(("收货人", "收件人", "姓名", "name"), lambda cell: cells.text(cell, 64)),
        "phone": Column(("手机号", "手机", "手机号码", "联系电话", "电话"), cells.phone, required=True),
        "community": Column(("社区", "小区", "社区名称"), community_reader(directory)),
        "product": Column(("商品", "商品名称", "品名"), lambda cell: cells.text(cell, 120), required=True),
        "spec": Column(("规格", "商品规格"), lambda cell: cells.text(cell, 120)),
        "batch": Column(("批次", "批次号"), lambda cell: cells.code(cell, 64)),
        "quantity": Column(("数量", "件数"), _quantity),
        "amount": Column(("金额", "实付金额", "小计"), cells.amount, required=True),
        "status": Column(("状态", "订单状态"), _status, required=True),
        "pickup_code": Column(("取货码", "提货码", "自提码"), lambda cell: cells.code(cell, 32)),
        "ordered_at": Column(("下单时间", "订单时间"), moment),
        "eta": Column(("预计到达", "预计到达时间", "预计送达"), moment),
        "arrived_at": Column(("到达时间", "到货时间"), moment),
        "channel_account": Column(("微信标识",), cells.channel_account),
    }


def _quantity(cell: Any) -> float:
    return cells.quantity(cell) if cells.clean(cell) else 1.0


def _status(cell: Any) -> str:
    status = status_of(cells.text(cell, 32))
    if status is None:
        raise CellProblem(f"is unknown; write one of {', '.join(STATUS_WORDS.values())}")
    return status
