"""A message in pieces, for when it says too much at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from config.yaml_file import YamlFile
from understanding.words import CLAUSE_END, expressions

_SHORTEST = 3
"""Characters that can be a question of their own."""
_MOST = 6
"""Pieces that are looked at."""


@dataclass(frozen=True, slots=True)
class ClauseReader:
    """``ends``: signs, and words said in passing ("谢谢"), at which a message falls into pieces."""

    ends: re.Pattern[str]

    @classmethod
    def load(cls, file: YamlFile) -> ClauseReader:
        """Raises ConfigError for a list that is missing or can't be read."""
        return cls(re.compile("|".join((CLAUSE_END, *expressions(file, "asides")))))

    def parts(self, text: str) -> list[str]:
        """What can be a question of its own, in the order it was said; none when the text is only one."""
        parts = [part for part in self.ends.sub("\n", text).split("\n") if len(part) >= _SHORTEST]
        return parts[:_MOST] if len(parts) > 1 else []

    def read(self, text: str) -> list[str]:
        """What is said one after the other, and neighbours together, the longest first; none when it is only one."""
        parts = [part for part in self.ends.sub("\n", text).split("\n") if part]
        if parts == [text]:
            return []
        pairs = map("，".join, pairwise(parts)) if len(parts) > 2 else ()
        pieces = [piece for piece in (*parts, *pairs) if len(piece) >= _SHORTEST]
        return sorted(pieces, key=len, reverse=True)[:_MOST]
