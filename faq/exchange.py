"""The knowledge as a table, for spreadsheets and other knowledge bases: one entry a row."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from faq.gaps import new_id
from faq.knowledge import Entry, Knowledge, mistakes_in, same_question

COLUMNS = ("question", "answer", "variants", "id", "elder", "group", "communities", "skill", "courtesy")
"""The first three are what other knowledge bases export as well."""

MOST_ENTRIES = 20_000
LONGEST_QUESTION = 500
LONGEST_ANSWER = 5_000
"""Characters; what is longer is no question and no answer, but a file put into a cell."""

_HEADINGS = {
    "question": ("问题", "标准问题", "标准问"),
    "answer": ("答案", "回答", "标准答案"),
    "variants": ("相似问", "相似问法", "相似问题", "扩展问", "问法"),
    "id": ("编号",),
    "elder": ("长辈", "长辈版"),
    "group": ("群", "群里", "群里版"),
    "communities": ("社区", "小区"),
    "skill": ("技能",),
    "courtesy": ("寒暄", "客套"),
}
_FIELDS = {heading: field for field, names in _HEADINGS.items() for heading in (field, *names)}
_YES, _NO = frozenset({"是", "yes", "y", "true", "1", "√"}), frozenset({"", "否", "no", "n", "false", "0", "×"})
_GUARDED = tuple("=+-@#'\t")
"""How texts begin that a spreadsheet would run or change; they are written with a quote in front."""
_FROM_ENVIRONMENT = re.compile(r"\$\{[A-Za-z_]\w*\}")

Rows = Iterable[tuple[int, Sequence[Any]]]


class UnusableTable(Exception):
    """The table as a whole cannot be taken. The text says why, and what to do."""


class _CellMistake(ValueError):
    """What is wrong with a row, and what to write instead."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a table says beside the knowledge that is there: the merged entries, and how each came about.

    ``changed`` holds the entries as they are now and as they are to be. ``absent``: entries that the table does not
    name. ``refused``: rows by number, with the reason. ``ignored``: headings that mean nothing here.
    """

    new: tuple[Entry, ...]
    changed: tuple[tuple[Entry, Entry], ...]
    unchanged: int
    absent: tuple[Entry, ...]
    refused: tuple[tuple[int, str], ...]
    ignored: tuple[str, ...]

    @property
    def total(self) -> int:
        """The rows that were read."""
        return len(self.new) + len(self.changed) + self.unchanged + len(self.refused)


def rows_of(entries: Iterable[Entry]) -> Iterator[list[str]]:
    """A header and one row an entry; reading them gives exactly these entries again."""
    yield list(COLUMNS)
    for entry in entries:
        row = {name: getattr(entry, name) or "" for name in COLUMNS if name not in ("variants", "communities")}
        row["courtesy"] = "是" if entry.courtesy else ""
        row["variants"] = "\n".join(" ".join(text.split("\n")) for text in entry.variants)
        row["communities"] = "\n".join(entry.communities)
        yield [_guarded(row[name]) for name in COLUMNS]


def read(rows: Rows, knowledge: Knowledge, skills: Collection[str]) -> Exchange:
    """Compares a table with the knowledge as it is written.

    A row with an id is that entry; one without belongs to the entry that asks the same in the same communities, else
    it is a new one whose id is made from its question. Columns that are not there leave an entry as it is, except
    that an answer that changes takes its old elder and group forms along. Raises UnusableTable.
    """
    numbered = iter(rows)
    header = next(numbered, None)
    if header is None:
        raise UnusableTable("there is no header row; name the columns question, answer and variants in the first row")
    columns, ignored = _columns(header[1])
    table = _Table(knowledge, skills, columns)
    for count, (number, cells) in enumerate(numbered, 1):
        if count > MOST_ENTRIES:
            raise UnusableTable(f"more than {MOST_ENTRIES:,} rows; split the file")
        table.take(number, cells)
    if not table.is_used:
        raise UnusableTable("there are no rows below the header")
    return table.exchange(ignored)


def _columns(header: Sequence[Any]) -> tuple[dict[str, int], tuple[str, ...]]:
    columns: dict[str, int] = {}
    ignored = []
    for position, cell in enumerate(header):
        heading = unicodedata.normalize("NFKC", str(cell or "")).strip().lower()
        field = _FIELDS.get(heading)
        if field is None:
            ignored += [heading] if heading else []
        elif field in columns:
            raise UnusableTable(f"two columns mean {field}; keep one of them")
        else:
            columns[field] = position
    if "question" not in columns or not columns.keys() & {"answer", "skill"}:
        raise UnusableTable(
            "the header needs the columns question (问题) and answer (答案); name them in the first row"
        )
    return columns, tuple(ignored)


class _Table:
    """A table while its rows are read."""

    def __init__(self, knowledge: Knowledge, skills: Collection[str], columns: Mapping[str, int]) -> None:
        self._skills, self._columns = skills, columns
        self._written = {entry.id: entry for entry in knowledge.written}
        self._asking = {_asked(entry): entry for entry in knowledge.written}
        self._seen: dict[object, int] = {}
        self._read: dict[str, Entry] = {}
        self._refused: list[tuple[int, str]] = []

    @property
    def is_used(self) -> bool:
        return bool(self._read or self._refused)

    def take(self, number: int, cells: Sequence[Any]) -> None:
        try:
            entry = self._entry(cells)
            self._refuse_second(number, entry)
        except _CellMistake as mistake:
            self._refused.append((number, str(mistake)))
        else:
            self._read[entry.id] = entry

    def exchange(self, ignored: tuple[str, ...]) -> Exchange:
        new = tuple(entry for entry in self._read.values() if entry.id not in self._written)
        known = [(self._written[entry.id], entry) for entry in self._read.values() if entry.id in self._written]
        changed = tuple((old, entry) for old, entry in known if old != entry)
        absent = tuple(entry for entry in self._written.values() if entry.id not in self._read)
        return Exchange(new, changed, len(known) - len(changed), absent, tuple(self._refused), ignored)

    def _entry(self, cells: Sequence[Any]) -> Entry:
        values = self._values(cells)
        draft = Entry(values.pop("id", "") or "", values["question"] or "", communities=values.get("communities", ()))
        known = self._written.get(draft.id) if draft.id else self._asking.get(_asked(draft))
        if known is None:
            entry = replace(draft, **values, id=draft.id or self._id_for(draft.question))
        else:
            entry = _merged(known, values, by_question=not draft.id)
        self._check(entry)
        return entry

    def _values(self, cells: Sequence[Any]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for field, position in self._columns.items():
            text = _text(field, cells[position] if position < len(cells) else None)
            if field in ("variants", "communities"):
                lines = text.split("\n") if field == "variants" else re.split(r"[\n,，、]", text)
                values[field] = tuple(line.strip() for line in lines if line.strip())
            else:
                values[field] = _flag(text) if field == "courtesy" else text or None
        return values

    def _id_for(self, question: str) -> str:
        return new_id(question, lambda name: name in self._written or name in self._read)

    def _check(self, entry: Entry) -> None:
        texts = {name: getattr(entry, name) for name in ("id", "question", "answer", "elder", "group", "skill")}
        for problem, remedy, _ in mistakes_in(texts):
            raise _CellMistake(f"{problem}; {remedy}")
        if entry.skill is not None and entry.skill not in self._skills:
            raise _CellMistake(f"there is no skill {entry.skill}; use one of {', '.join(sorted(self._skills))}")
        if any(character.isspace() for character in entry.id) or len(entry.id) > 200:
            raise _CellMistake("the id holds a blank or is longer than 200 characters; write a short word")
        if too_long := [text for text in entry.phrasings if len(text) > LONGEST_QUESTION]:
            raise _CellMistake(f"a question has {len(too_long[0])} characters, {LONGEST_QUESTION} at most; shorten it")

    def _refuse_second(self, number: int, entry: Entry) -> None:
        for what, key in (("the id", entry.id), ("the question", _asked(entry))):
            first = self._seen.setdefault((what, key), number)
            if first != number:
                raise _CellMistake(f"{what} stands in row {first} already; keep one of the two")


def _merged(known: Entry, values: Mapping[str, Any], *, by_question: bool) -> Entry:
    """The entry with what the row says. A table from elsewhere adds phrasings, it does not take those here away."""
    merged = {**values}
    if by_question and "variants" in merged:
        more = (known.question, *known.variants, *merged["variants"])
        merged["variants"] = tuple(text for text in dict.fromkeys(more) if text != merged["question"])
        merged["variants"] = known.variants if set(merged["variants"]) == set(known.variants) else merged["variants"]
    if merged.get("answer", known.answer) != known.answer:
        merged = {"elder": None, "group": None, **merged}
    return replace(known, **merged)


def _asked(entry: Entry) -> tuple[str, frozenset[str]]:
    return same_question(entry.question), frozenset(entry.communities)


def _text(field: str, cell: Any) -> str:
    """The cell as the person who filled it in sees it; line ends are kept in answers and lists."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    words = "" if cell is None else str(cell).replace("\r\n", "\n").replace("\r", "\n")
    words = "".join(letter for letter in words if letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cs"))
    words = words.strip()
    if words.startswith("="):
        raise _CellMistake(f"{field} holds a formula; write plain text")
    if words.startswith("'") and words[1:].startswith(_GUARDED):
        words = words[1:]
    if len(words) > LONGEST_ANSWER and field != "variants":
        raise _CellMistake(f"{field} has {len(words)} characters, {LONGEST_ANSWER} at most; shorten it")
    if found := _FROM_ENVIRONMENT.search(words):
        raise _CellMistake(f"{field} holds {found[0]}, which would be filled in from the environment; leave it out")
    return words


def _flag(text: str) -> bool:
    if text.lower() in _YES | _NO:
        return text.lower() in _YES
    raise _CellMistake("courtesy is neither 是 nor 否; leave it empty when unsure")


def _guarded(text: str) -> str:
    return f"'{text}" if text.startswith(_GUARDED) else text
