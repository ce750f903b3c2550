"""Every sentence the bot says, read from ``config/texts/*.yaml``, in a plain, an elder and a group-safe form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Formatter
from typing import Any, Literal

from config.yaml_file import read_yaml

Form = Literal["plain", "elder", "group"]
FORMS: tuple[Form, ...] = ("plain", "elder", "group")

MAY_BE_NAMED = frozenset({"link", "question"})
"""What a group form may hold in braces: the way into a private chat, and a question out of the knowledge. Nothing that
belongs to one person has a name here, so none of it can be said in front of everybody."""


class Public(str):
    """Words that everybody may read, rendered from a group form. Nothing else is ever written into a group."""

    __slots__ = ()


class Texts:
    """Renders sentences by key.

    ``say("claim.ask_photo", "elder", product="苹果")`` fills the elder form; every key has all three forms.
    An unknown key or a missing variable is a fault of the code and raises ``KeyError``.
    """

    def __init__(self, sentences: Mapping[str, Mapping[Form, str]]) -> None:
        self._sentences = sentences

    @classmethod
    def load(cls, files: Iterable[Path]) -> Texts:
        """Reads text files of the shape ``group: {key: {plain, elder, group}}``."""
        sentences: dict[str, Mapping[Form, str]] = {}
        for file in sorted(files):
            _read(file, sentences)
        return cls(sentences)

    def say(self, key: str, form: Form = "plain", **values: Any) -> str:
        words = self._sentences[key][form].format(**values)
        return Public(words) if form == "group" else words

    def keys(self) -> frozenset[str]:
        return frozenset(self._sentences)

    def variables(self, key: str, form: Form) -> frozenset[str]:
        """The names of the variables a sentence needs."""
        return _names_in(self._sentences[key][form])


def _read(file: Path, sentences: dict[str, Mapping[Form, str]]) -> None:
    source = read_yaml(file, {})
    if not isinstance(source.value, Mapping) or not all(isinstance(part, Mapping) for part in source.value.values()):
        raise source.error("the sentences are not in sections", "write section: {name: {plain: …, elder: …, group: …}}")
    for section, entries in source.value.items():
        for name, forms in entries.items():
            key = f"{section}.{name}"
            missing = [form for form in FORMS if not isinstance(forms, Mapping) or not forms.get(form)]
            if missing or key in sentences:
                problem = f"{key} lacks the form {missing[0]}" if missing else f"{key} stands twice"
                raise source.error(problem, "write each sentence once, with plain, elder and group", section, name)
            sentences[key] = {form: str(forms[form]).strip() for form in FORMS}
            if private := _names_in(sentences[key]["group"]) - MAY_BE_NAMED:
                problem = f"the group form of {key} says {{{min(private)}}}, which not everybody may read"
                raise source.error(problem, "write a group form without it", section, name)


def _names_in(sentence: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(sentence) if name)
