"""Whether the resident wants to speak with a person."""

from __future__ import annotations

import re
from dataclasses import dataclass

from config.yaml_file import YamlFile
from understanding.words import pattern

_BRACKETS = re.compile(r"[\s\"'“”‘’【】\[\]()（）<>《》]+")


@dataclass(frozen=True, slots=True)
class PersonReader:
    """``calls``: the words that call for a person; ``others``: words that only look like it."""

    calls: re.Pattern[str]
    others: re.Pattern[str]

    @classmethod
    def load(cls, file: YamlFile) -> PersonReader:
        """Raises ConfigError for a list that is missing or can't be read."""
        return cls(pattern(file, "calls"), pattern(file, "not_calls"))

    def called(self, text: str) -> str | None:
        """The words that call for a person ("转人工", "找团长"); None when there are none ("人工费多少")."""
        rest = _BRACKETS.sub("", text)
        if not self.calls.search(rest):
            return None
        found = self.calls.search(self.others.sub("，", rest))
        return found.group() if found else None
