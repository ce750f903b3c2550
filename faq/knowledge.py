"""The knowledge: what residents ask, and what is answered or which skill takes over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from config.errors import ConfigError
from config.texts import Form
from config.yaml_file import YamlFile, read_yaml
from faq import variables

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


class Knowledge:
    """An unchanging snapshot of all entries, in the order in which they were read."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        self._by_id = {entry.id: entry for entry in self.entries}

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
        return cls(seen.values())

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

    def answer_for(self, entry_id: str, form: Form, values: Mapping[str, Any]) -> str:
        """The entry's answer in the form asked for, or in the plain form where it has no such form.

        ``values`` holds the names in ``faq.variables``: the policy's figures, overlaid by the community's own.
        Raises ``ValueError`` for an entry that names a skill, ``KeyError`` for a value that is not there.
        """
        entry = self[entry_id]
        said = {"elder": entry.elder, "group": entry.group}.get(form) or entry.answer
        if said is None:
            raise ValueError(f"{entry.id} has no answer, the skill {entry.skill} takes over")
        return said.format_map(values)


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
        for key in ("id", "question"):
            if not texts[key]:
                self._refuse(f"the entry has no {key}", f"write '{key}: …'")
        if bool(texts["answer"]) == bool(texts["skill"]):
            both = "both an answer and a skill" if texts["answer"] else "neither an answer nor a skill"
            self._refuse(f"{texts['id']} has {both}", "write either 'answer: …' or 'skill: …'", "id")
        for form in ("elder", "group"):
            if texts["skill"] and texts[form]:
                self._refuse(f"{texts['id']} names a skill and has the form {form}", f"leave out {form}", form)
        for form in ("answer", "elder", "group"):
            self._check_variables(form, texts[form] or "")

    def _check_variables(self, form: str, text: str) -> None:
        known = ", ".join(sorted(variables.KNOWN))
        try:
            unknown = variables.names_in(text) - variables.KNOWN
        except ValueError as error:
            self._refuse(f"the braces can't be read: {error}", f"write a name in braces, one of {known}", form)
        if unknown:
            self._refuse(f"there is no variable {{{min(unknown)}}}", f"use one of {known}", form)

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
