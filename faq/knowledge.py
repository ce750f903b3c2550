"""The knowledge: what residents ask, and what is answered or which skill takes over."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from config.errors import ConfigError
from config.texts import Form, Public
from config.yaml_file import YamlFile, read_yaml
from faq import variables

LONGEST_ID = 64
"""Characters."""

_KEYS = frozenset({"id", "question", "variants", "answer", "elder", "group", "communities", "skill", "courtesy"})
_TEXTS = ("id", "question", "answer", "elder", "group", "skill")
_LISTS = ("variants", "communities")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that residents ask, in its phrasings, with either an answer or the name of a skill.

    ``elder`` is the short spoken form, ``group`` what may be said in front of everybody; both may be absent.
    ``communities`` empty means all. ``courtesy``: it is said in passing ("你好") and gives way to a question in the
    same message. ``file`` and ``line`` say where the entry stands.
    """

    id: str
    question: str
    variants: tuple[str, ...] = ()
    answer: str | None = None
    elder: str | None = None
    group: str | None = None
    communities: tuple[str, ...] = ()
    skill: str | None = None
    courtesy: bool = False
    file: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)

    @property
    def phrasings(self) -> tuple[str, ...]:
        """The question and its variants."""
        return (self.question, *self.variants)

    def serves(self, community: str | None) -> bool:
        """Whether the entry holds for a resident of this community; None when it is not known."""
        return not self.communities or community in self.communities


@dataclass(frozen=True, slots=True)
class Addition:
    """A phrasing that was approved after the files were written; with an ``answer`` it may begin a new entry."""

    entry_id: str
    phrasing: str
    answer: str | None = None
    communities: tuple[str, ...] = ()


class Knowledge:
    """An unchanging snapshot of all entries, in the order in which they were read.

    ``written``: the entries as they stand in the files. ``entries``: what messages are compared with; there an entry
    that holds in one community instead of a general one (``pickup-time@sunshine``, or one that asks the same) is part
    of the general one: it lends its phrasings, and its answer is given in that community.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.written = tuple(entries)
        instead = dict(_stand_ins(self.written))
        lent: dict[str, list[str]] = {}
        for entry in self.written:
            if entry.id in instead:
                lent.setdefault(instead[entry.id], []).extend(entry.phrasings)
        self.entries = tuple(_lending(entry, lent) for entry in self.written if entry.id not in instead)
        self._by_id = {entry.id: entry for entry in (*self.written, *self.entries)}
        self._instead = {
            (instead[entry.id], community): entry
            for entry in self.written
            if entry.id in instead
            for community in entry.communities
        }

    @classmethod
    def load(cls, files: Iterable[Path], environ: Mapping[str, str]) -> Knowledge:
        """Reads knowledge files. Raises ``ConfigError`` with file and line for anything that can't be used."""
        seen: dict[str, Entry] = {}
        for file in sorted(files):
            for entry in _entries_of(file, environ):
                if first := seen.get(entry.id):
                    problem = f"the id {entry.id} stands a second time (first in {first.file}:{first.line})"
                    raise ConfigError(problem, "give each entry an id of its own", file=file, line=entry.line)
                seen[entry.id] = entry
        _refuse_wrong_stand_ins(seen)
        return cls(seen.values())

    def extended(self, additions: Iterable[Addition]) -> Knowledge:
        """This knowledge with approved phrasings and entries; what belongs to an entry that is gone is left out.

        Where the files hold the entry by now, theirs is the answer.
        """
        entries = {entry.id: entry for entry in self.written}
        for each in additions:
            known = entries.get(each.entry_id)
            if known is not None:
                entries[each.entry_id] = _with_phrasings(known, (each.phrasing,))
            elif each.answer is not None:
                entries[each.entry_id] = Entry(
                    each.entry_id, each.phrasing, answer=each.answer, communities=each.communities
                )
        return Knowledge(entries.values())

    @cached_property
    def version(self) -> str:
        """Eight characters that name exactly these entries, for logs."""
        content = [[getattr(entry, name) for name in (*_TEXTS, *_LISTS, "courtesy")] for entry in self.written]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:8]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, entry_id: str) -> Entry:
        return self._by_id[entry_id]

    def knows(self, entry_id: str | None) -> bool:
        """Whether there is such an entry."""
        return entry_id in self._by_id

    def question_of(self, entry_id: str) -> str:
        """The entry's question as residents read it."""
        return self[entry_id].question

    def skill_of(self, entry_id: str | None) -> str | None:
        """The skill that the entry names; None for an entry with an answer and for one that does not exist."""
        entry = self._by_id.get(entry_id) if entry_id else None
        return entry.skill if entry else None

    def held_in(self, entry_id: str, community: str | None) -> Entry:
        """The entry itself, or the one that stands for it in this community."""
        return self._instead.get((entry_id, community or "")) or self[entry_id]

    def answer_for(self, entry_id: str, form: Form, values: Mapping[str, Any], community: str | None = None) -> str:
        """The answer that holds in a community, in the form asked for, or in the plain form where it has no such form.

        ``values`` holds the names in ``faq.variables``: the policy's figures, overlaid by the community's own.
        Raises ``ValueError`` for an entry that names a skill, ``KeyError`` for a value that is not there.
        """
        entry = self.held_in(entry_id, community)
        said = {"elder": entry.elder, "group": entry.group}.get(form) or entry.answer
        if said is None:
            raise ValueError(f"{entry.id} has no answer, the skill {entry.skill} takes over")
        return said.format_map(values)

    def answer_for_all(self, entry_id: str, values: Mapping[str, Any], community: str | None) -> Public | None:
        """What may be said of an entry in front of everybody in a community; None where nothing was written for it.

        ``values`` as for ``answer_for``; what is a rule for all may be named, nothing of one resident is among them.
        """
        entry = self.held_in(entry_id, community)
        return Public(entry.group.format_map(values)) if entry.group else None


def mistakes_in(texts: Mapping[str, str | None]) -> Iterator[tuple[str, str, str]]:
    """What is wrong with an entry's texts (by the names of its keys): the problem, its remedy, and the key or ""."""
    for key in ("id", "question"):
        if not texts[key]:
            yield f"the entry has no {key}", f"write '{key}: …'", ""
    yield from _mistakes_in_id(texts["id"] or "")
    if bool(texts["answer"]) == bool(texts["skill"]):
        both = "both an answer and a skill" if texts["answer"] else "neither an answer nor a skill"
        yield f"{texts['id']} has {both}", "write either 'answer: …' or 'skill: …'", "id"
    for form in ("elder", "group"):
        if texts["skill"] and texts[form]:
            yield f"{texts['id']} names a skill and has the form {form}", f"leave out {form}", form
    for form in ("answer", "elder", "group"):
        yield from _mistakes_in_braces(form, texts[form] or "")


def _mistakes_in_id(entry_id: str) -> Iterator[tuple[str, str, str]]:
    if any(letter.isspace() for letter in entry_id):
        yield f"the id {entry_id} holds a blank; the log names an entry up to it", "write it without one", "id"
    if len(entry_id) > LONGEST_ID:
        yield f"the id has {len(entry_id)} characters, {LONGEST_ID} at most", "write a short word", "id"


def _mistakes_in_braces(form: str, text: str) -> Iterator[tuple[str, str, str]]:
    known = ", ".join(sorted(variables.KNOWN))
    try:
        unknown = variables.names_in(text) - variables.KNOWN
    except ValueError as error:
        yield f"the braces can't be read: {error}", f"write a name in braces, one of {known}", form
    else:
        if unknown:
            yield f"there is no variable {{{min(unknown)}}}", f"use one of {known}", form


def same_question(question: str) -> str:
    """What two questions have in common that differ only in width, case, spaces and punctuation."""
    folded = unicodedata.normalize("NFKC", question).casefold()
    return "".join(letter for letter in folded if letter.isalnum())


def _stand_ins(entries: Iterable[Entry]) -> Iterator[tuple[str, str]]:
    """Entries that hold in some communities instead of a general one: their id, and that of the general one."""
    entries = tuple(entries)
    general = {entry.id: entry for entry in entries if not entry.communities and entry.answer}
    asking = {same_question(entry.question): entry.id for entry in general.values()}
    for entry in entries:
        if not entry.communities or not entry.answer:
            continue
        named = entry.id.rpartition("@")[0]
        stands_for = named if named in general else asking.get(same_question(entry.question))
        if stands_for is not None:
            yield entry.id, stands_for


def _refuse_wrong_stand_ins(entries: Mapping[str, Entry]) -> None:
    """Raises ConfigError for one without a general answer or a community of its own, and for two in one place."""
    stand_ins = dict(_stand_ins(entries.values()))
    taken: dict[tuple[str, str], Entry] = {}
    for entry in entries.values():
        general = stand_ins.get(entry.id)
        if general is None:
            named = entry.id.rpartition("@")[0]
            if named:
                problem = f"{entry.id} stands for {named} in no community, or {named} has no answer for all of them"
                raise ConfigError(problem, _HOW_TO_STAND_IN, file=entry.file, line=entry.line)
            continue
        for community in entry.communities:
            if first := taken.get((general, community)):
                problem = f"{entry.id} and {first.id} both stand for {general} in {community}"
                raise ConfigError(problem, "keep one of the two", file=entry.file, line=entry.line)
            taken[general, community] = entry


_HOW_TO_STAND_IN = (
    "write its communities and an answer, and keep an entry with an answer and without communities for all others;"
    " or take the @ out of the id"
)


def _lending(entry: Entry, lent: Mapping[str, list[str]]) -> Entry:
    return _with_phrasings(entry, lent[entry.id]) if entry.id in lent else entry


def _with_phrasings(entry: Entry, phrasings: Iterable[str]) -> Entry:
    more = tuple(text for text in dict.fromkeys(phrasings) if text not in entry.phrasings)
    return replace(entry, variants=entry.variants + more) if more else entry


def _entries_of(file: Path, environ: Mapping[str, str]) -> Iterator[Entry]:
    content = read_yaml(file, environ)
    if content.value is None:
        return
    if not isinstance(content.value, list):
        raise content.error("this is not a list of entries", "start each entry with '- id: …'")
    for index in range(len(content.value)):
        yield _Reading(file, content, index).entry()


class _Reading:
    """One entry of a file while it is checked."""

    def __init__(self, file: Path, content: YamlFile, index: int) -> None:
        self.file, self.content, self.index = file, content, index
        self.item: Any = content.value[index]

    def entry(self) -> Entry:
        if not isinstance(self.item, Mapping):
            self._refuse("this is not an entry", "start each entry with '- id: …' and indent what belongs to it")
        for key in self.item:
            if key not in _KEYS:
                self._refuse(f"an entry has no {key!r}", f"use only {', '.join(sorted(_KEYS))}", key)
        texts = {key: self._text(key) for key in _TEXTS}
        lists = {key: self._list(key) for key in _LISTS}
        self._check(texts)
        values: dict[str, Any] = {**texts, **lists, "courtesy": self._flag("courtesy")}
        return Entry(**values, file=str(self.file), line=self.content.line_of(self.index, "id"))

    def _check(self, texts: Mapping[str, str | None]) -> None:
        for problem, remedy, key in mistakes_in(texts):
            self._refuse(problem, remedy, *([key] if key else []))

    def _text(self, key: str) -> str | None:
        value = self.item.get(key)
        if value is not None and not isinstance(value, str):
            self._refuse(f"{key} is not a text", "put it in quotes", key)
        return value.strip() if value else None

    def _flag(self, key: str) -> bool:
        value = self.item.get(key, False)
        if not isinstance(value, bool):
            self._refuse(f"{key} is neither true nor false", f"write '{key}: true'", key)
        return value

    def _list(self, key: str) -> tuple[str, ...]:
        values = self.item.get(key) or []
        if not isinstance(values, list) or not all(isinstance(value, str) and value.strip() for value in values):
            self._refuse(f"{key} is not a list of texts", f"write '{key}: [one, two]', numbers in quotes", key)
        return tuple(value.strip() for value in values)

    def _refuse(self, problem: str, remedy: str, *keys: str) -> NoReturn:
        raise self.content.error(problem, remedy, self.index, *keys)
