"""The knowledge as a table, for spreadsheets and other knowledge bases: one entry a row."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any

from faq.gaps import new_id
from faq.knowledge import Entry, Knowledge, mistakes_in, same_question
from faq.references import missing_of

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
_REMARK = re.compile(r"[(\[【].*?[)\]】]|[\s*:_-]")
"""What tables put into a heading beside its name: 答案（必填）, 问题*."""
_YES, _NO = frozenset({"是", "yes", "y", "true", "1", "√"}), frozenset({"", "否", "no", "n", "false", "0", "×"})
_LONGEST_SHOWN = 80
_GUARDED = tuple("=+-@#'\t")
"""How texts begin that a spreadsheet would run or change; they are written with a quote in front."""
_ERROR = re.compile(r"^#(?:REF!|N/A|VALUE!|NAME\?|DIV/0!|NULL!|NUM!|SPILL!)$", re.MULTILINE)
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
        """The entries that were read."""
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


def read(rows: Rows, knowledge: Knowledge, skills: Collection[str], figures: Collection[str]) -> Exchange:
    """Compares a table with the knowledge as it is written.

    A row with an id is that entry; one without belongs to the entry that asks the same in the same communities, else
    it is a new one whose id is made from its question. A row with nothing but phrasings adds them to the row above,
    as below a merged cell. Columns that are not there leave an entry as it is, except that an answer that changes takes
    its old elder and group forms along. ``skills`` and ``figures``: what entries may name. Raises UnusableTable.
    """
    numbered = iter(rows)
    header = next(numbered, None)
    if header is None:
        raise UnusableTable("there is no header row; name the columns question, answer and variants in the first row")
    columns, ignored = _columns(header[1])
    table = _Table(knowledge, skills, figures, columns)
    for number, cells in numbered:
        table.take(number, cells)
        if len(table) > MOST_ENTRIES:
            raise UnusableTable(f"more than {MOST_ENTRIES:,} entries; split the file")
    if not len(table):
        raise UnusableTable("there are no rows below the header")
    return table.exchange(ignored)


def _columns(header: Sequence[Any]) -> tuple[dict[str, list[int]], tuple[str, ...]]:
    """Where each field stands, phrasings perhaps in several columns, and the headings that mean nothing here."""
    columns: dict[str, list[int]] = {}
    ignored = []
    headings = [unicodedata.normalize("NFKC", str(cell or "")).strip() for cell in header]
    for position, heading in enumerate(headings):
        field = _FIELDS.get(_REMARK.sub("", heading).lower().rstrip("0123456789"))
        if field is None:
            ignored += [heading] if heading else []
        elif field in columns and field != "variants":
            raise UnusableTable(f"two columns mean {field}; keep one of them")
        else:
            columns.setdefault(field, []).append(position)
    if "question" not in columns or not columns.keys() & {"answer", "skill"}:
        found = ", ".join(filter(None, headings))[:_LONGEST_SHOWN]
        raise UnusableTable(
            f"the header, the first row of the first sheet, needs question (问题) and answer (答案); it holds {found}"
        )
    return columns, tuple(ignored)


class _Table:
    """A table while its rows are read."""

    def __init__(
        self,
        knowledge: Knowledge,
        skills: Collection[str],
        figures: Collection[str],
        columns: Mapping[str, Sequence[int]],
    ) -> None:
        self._skills, self._figures, self._columns = skills, figures, columns
        self._written = {entry.id: entry for entry in knowledge.written}
        self._asking = {_asked(entry): entry for entry in knowledge.written}
        self._seen: dict[object, int] = {}
        self._read: dict[str, Entry] = {}
        self._refused: list[tuple[int, str]] = []
        self._last: Entry | None = None
        """What the row before became; None when it was refused."""

    def __len__(self) -> int:
        return len(self._read) + len(self._refused)

    def take(self, number: int, cells: Sequence[Any]) -> None:
        try:
            values = self._values(cells)
            if not any(values.values()):
                return
            if not any(values[field] for field in values if field != "variants"):
                entry = self._continued(values["variants"])
            else:
                entry = self._entry(values)
                self._refuse_second(number, entry)
        except _CellMistake as mistake:
            self._last = None
            self._refused.append((number, str(mistake)))
        else:
            self._last = self._read[entry.id] = entry

    def exchange(self, ignored: tuple[str, ...]) -> Exchange:
        self._refuse_misplaced()
        new = tuple(entry for entry in self._read.values() if entry.id not in self._written)
        known = [(self._written[entry.id], entry) for entry in self._read.values() if entry.id in self._written]
        changed = tuple((old, entry) for old, entry in known if old != entry)
        absent = tuple(entry for entry in self._written.values() if entry.id not in self._read)
        return Exchange(new, changed, len(known) - len(changed), absent, tuple(sorted(self._refused)), ignored)

    def _entry(self, values: dict[str, Any]) -> Entry:
        if not values["question"]:
            raise _CellMistake("there is no question; a merged cell holds it in its first row only, fill in the others")
        draft = Entry(values.pop("id", "") or "", values["question"], communities=values.get("communities", ()))
        known = self._written.get(draft.id) if draft.id else self._asking.get(_asked(draft))
        if known is None:
            entry = replace(draft, **values, id=draft.id or self._id_for(draft.question))
        else:
            entry = _merged(known, values, by_question=not draft.id)
        self._check(entry)
        return entry

    def _continued(self, phrasings: Sequence[str]) -> Entry:
        if self._last is None:
            raise _CellMistake("there is no question, and no entry in the row above; mend that row, or fill it in")
        more = (*self._last.variants, *phrasings)
        entry = replace(self._last, variants=tuple(dict.fromkeys(text for text in more if text != self._last.question)))
        self._check(entry)
        return entry

    def _values(self, cells: Sequence[Any]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for field, positions in self._columns.items():
            texts = [_text(field, cells[position] if position < len(cells) else None) for position in positions]
            if field in ("variants", "communities"):
                lines = re.split(r"\n" if field == "variants" else r"[\n,，、]", "\n".join(texts))
                values[field] = tuple(line.strip() for line in lines if line.strip())
            else:
                values[field] = _flag(texts[0]) if field == "courtesy" else texts[0] or None
        return values

    def _id_for(self, question: str) -> str:
        return new_id(question, lambda name: name in self._written or name in self._read)

    def _check(self, entry: Entry) -> None:
        texts = {name: getattr(entry, name) for name in ("id", "question", "answer", "elder", "group", "skill")}
        for problem, remedy, _ in mistakes_in(texts):
            raise _CellMistake(f"{problem}; {remedy}")
        for problem, remedy in missing_of(entry, self._skills, self._figures):
            raise _CellMistake(f"{problem}; {remedy}")
        if too_long := [text for text in entry.phrasings if len(text) > LONGEST_QUESTION]:
            raise _CellMistake(f"a question has {len(too_long[0])} characters, {LONGEST_QUESTION} at most; shorten it")

    def _refuse_second(self, number: int, entry: Entry) -> None:
        for what, key in (("the id", entry.id), ("the question", _asked(entry))):
            first = self._seen.setdefault((what, key), number)
            if first != number:
                raise _CellMistake(f"{what} stands in row {first} already; keep one of the two")

    def _refuse_misplaced(self) -> None:
        """Refuses what stands for a general entry that is not there, or where another one stands for it already."""
        untouched = (entry for entry in self._written.values() if entry.id not in self._read)
        together = Knowledge([*self._read.values(), *untouched])
        general = {entry.id for entry in together}
        places = {place for entry in self._read.values() if entry.id not in general for place in entry.communities}
        held = {(together.held_in(name, place).id, place) for name in general for place in places}
        for entry in tuple(self._read.values()):
            taken = [place for place in entry.communities if (entry.id, place) not in held]
            if entry.id in general and entry.id.rpartition("@")[0]:
                reason = "stands for no entry: name its communities, and the id of an entry for all before the @"
            elif entry.id not in general and taken:
                reason = f"another entry stands for the same one in {taken[0]}; keep one of the two"
            else:
                continue
            del self._read[entry.id]
            self._refused.append((self._seen["the id", entry.id], f"{entry.id}: {reason}"))


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
    words = _shown(cell).replace("\r\n", "\n").replace("\r", "\n")
    words = "".join(letter for letter in words if letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cs"))
    words = words.strip()
    if words.startswith("="):
        raise _CellMistake(f"{field} holds a formula; write plain text")
    if words.startswith("'") and words[1:].startswith(_GUARDED):
        words = words[1:]
    if error := _ERROR.search(words):
        raise _CellMistake(f"{field} holds the spreadsheet's error {error[0]}; write plain text")
    if len(words) > LONGEST_ANSWER and field != "variants":
        raise _CellMistake(f"{field} has {len(words)} characters, {LONGEST_ANSWER} at most; shorten it")
    if found := _FROM_ENVIRONMENT.search(words):
        raise _CellMistake(f"{field} holds {found[0]}, which would be filled in from the environment; leave it out")
    return words


def _shown(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.strftime("%Y-%m-%d %H:%M")
    if isinstance(cell, time):
        return f"{cell.hour}:{cell.minute:02}"
    return "" if cell is None else str(cell)


def _flag(text: str) -> bool:
    if text.lower() in _YES | _NO:
        return text.lower() in _YES
    raise _CellMistake("courtesy is neither 是 nor 否; leave it empty when unsure")


def _guarded(text: str) -> str:
    return f"'{text}" if text.startswith(_GUARDED) else text
