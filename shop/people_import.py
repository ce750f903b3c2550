"""The file of residents: csv or xlsx, one resident a row, known by the phone number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shop import cells
from shop.cells import CellProblem
from shop.columns import Column, Columns
from shop.directory import Directory, ListedResident
from shop.order_file import community_reader, header_of
from shop.residents import Particulars
from shop.sheets import UnreadableFile, read_rows
from shop.source import Refusal


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One checked row. ``account`` is (channel, id) or None."""

    row: int
    person: Particulars
    account: tuple[str, str] | None = field(repr=False)

    @property
    def phone(self) -> str:
        return self.person.phone


class PeopleFile:
    """One file of residents. Raises ``UnreadableFile`` on opening, when it cannot be taken as a whole."""

    def __init__(self, path: Path, directory: Directory) -> None:
        self._rows = read_rows(path)
        self.encoding = self._rows.encoding
        self._columns = Columns(header_of(self._rows), _known(directory))
        self._listed = {resident.phone: resident for resident in directory.residents if resident.phone}
        self._phones: dict[str, int] = {}
        self._accounts: dict[tuple[str, str], int] = {}

    def rows(self) -> Iterator[PersonRow | Refusal]:
        empty = True
        for number, row in self._rows:
            empty = False
            try:
                yield self._row(number, row)
            except CellProblem as problem:
                yield Refusal(number, str(problem))
        if empty:
            raise UnreadableFile("there are no rows below the header")

    def _row(self, number: int, row: Any) -> PersonRow:
        values, _ = self._columns.read(row)
        person = Particulars(values["phone"], values["name"], values.get("community"), values.get("elder"))
        account = values.get("channel_account")
        listed = self._listed.get(person.phone)
        if listed and not _agrees(listed, person):
            raise CellProblem("people.yaml says otherwise about this phone number; change it there")
        _refuse_second(self._phones, person.phone, number, "the phone number")
        if account:
            _refuse_second(self._accounts, account, number, "the channel account")
        return PersonRow(number, person, account)


def _agrees(listed: ListedResident, person: Particulars) -> bool:
    return (
        person.name == listed.name
        and person.community_id in (None, listed.community_id)
        and (person.elder is None or listed.elder in (None, person.elder))
    )


def _refuse_second(seen: dict[Any, int], value: Any, number: int, what: str) -> None:
    first = seen.setdefault(value, number)
    if first != number:
        raise CellProblem(f"{what} stands in row {first} already")


def _known(directory: Directory) -> dict[str, Column]:
    return {
        "name": Column(("姓名", "收货人", "resident"), lambda cell: cells.text(cell, 64), required=True),
        "phone": Column(("手机号", "手机", "手机号码", "联系电话", "电话"), cells.phone, required=True),
        "community": Column(("社区", "小区", "社区名称"), community_reader(directory)),
        "elder": Column(("长辈", "老人"), cells.yes_or_no),
        "channel_account": Column(("微信标识",), cells.channel_account),
    }
