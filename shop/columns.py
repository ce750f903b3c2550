"""Finds out which column of a file means what, from its header row."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shop import cells
from shop.cells import CellProblem
from shop.sheets import Formula, UnreadableFile

Reader = Callable[[Any], Any]

MOST_NOTES = 40
_LONGEST_HEADING = 64
_REMEMBERED = 10_000
_DECORATION = re.compile(r"[\s_*:'\"]|\(.*?\)")


@dataclass(frozen=True)
class Column:
    """One field: the headings under which it is known, how a cell is read, and whether a row may lack it."""

    headings: tuple[str, ...]
    read: Reader
    required: bool = False


class Columns:
    """The columns of one file, read row by row.

    Raises ``UnreadableFile`` when a required column is absent, or when two columns mean the same.
    """

    def __init__(self, header: Sequence[Any], known: Mapping[str, Column]) -> None:
        self._known = known
        try:
            self._headings = [cells.clean(cell)[:_LONGEST_HEADING] for cell in header]
        except CellProblem as problem:
            raise UnreadableFile(f"the header {problem}") from None
        self._positions: dict[str, int] = {}
        self._notes: dict[str, int] = {}
        self._read_before: dict[str, dict[str, Any]] = {field: {} for field in known}
        fields = {_plain(heading): field for field, column in known.items() for heading in (field, *column.headings)}
        for position, heading in enumerate(self._headings):
            if heading:
                self._place(heading, position, fields)
        self._refuse_missing()

    @property
    def has_notes(self) -> bool:
        return bool(self._notes)

    def __contains__(self, field: str) -> bool:
        return field in self._positions

    def read(self, row: Sequence[Any]) -> tuple[dict[str, Any], dict[str, str]]:
        """The row's fields and its notes. Raises ``CellProblem`` that names everything wrong with the row."""
        problems = self._surplus(row)
        values: dict[str, Any] = {}
        for field, position in self._positions.items():
            try:
                values[field] = self._value(field, _cell(row, position))
            except CellProblem as problem:
                problems.append(f"{self._headings[position]} {problem}")
        notes: dict[str, str] = {}
        for heading, position in self._notes.items():
            try:
                notes[heading] = cells.note(_cell(row, position))
            except CellProblem as problem:
                problems.append(f"{heading} {problem}")
        if problems:
            raise CellProblem("; ".join(problems))
        return values, {heading: words for heading, words in notes.items() if words}

    def _value(self, field: str, cell: Any) -> Any:
        """Products, states and times repeat a lot: the same text is read once and kept once."""
        before = self._read_before[field]
        if isinstance(cell, str) and cell in before:
            return before[cell]
        column = self._known[field]
        if column.required and not cells.clean(cell):
            raise CellProblem("is empty")
        value = column.read(cell)
        if isinstance(cell, str) and len(before) < _REMEMBERED:
            before[cell] = value
        return value

    def _place(self, heading: str, position: int, fields: Mapping[str, str]) -> None:
        field = fields.get(_plain(heading))
        if field is None:
            self._notes[heading] = position
            if len(self._notes) > MOST_NOTES:
                raise UnreadableFile(f"more than {MOST_NOTES} columns besides the known ones; leave some out")
        elif field in self._positions:
            raise UnreadableFile(f"the columns {self._headings[self._positions[field]]} and {heading} mean the same")
        else:
            self._positions[field] = position

    def _refuse_missing(self) -> None:
        missing = [
            f"{column.headings[0]} ({field})"
            for field, column in self._known.items()
            if column.required and field not in self._positions
        ]
        if missing:
            raise UnreadableFile(f"the header has no column {', '.join(missing)}; name it in the first row")

    def _surplus(self, row: Sequence[Any]) -> list[str]:
        width = len(self._headings)
        if any(isinstance(cell, Formula) or cells.clean(cell) for cell in row[width:]):
            return [f"the row has more cells than the header ({width}); put text with a comma in quotes"]
        return []


def _cell(row: Sequence[Any], position: int) -> Any:
    return row[position] if position < len(row) else None


def _plain(heading: str) -> str:
    """金额（元）* and Order_No become 金额 and orderno."""
    return _DECORATION.sub("", unicodedata.normalize("NFKC", heading).lower())
