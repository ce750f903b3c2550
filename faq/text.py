"""How a message is brought into one plain spelling before it is compared with the knowledge."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

LONGEST = 200
"""Characters of a message that are compared; what follows is rarely the question."""

_STICKER = re.compile(r"\[[a-z\u4e00-\u9fff]{1,6}\]")
_NOT_A_WORD = re.compile(r"[^0-9a-z\u3400-\u9fff]+")
_LAUGH_OR_ECHO = re.compile(r"(.)\1{2,}")


def plain(text: str) -> str:
    """Half width, small letters, no punctuation, emoji, stickers or control characters; at most ``LONGEST`` long."""
    folded = unicodedata.normalize("NFKC", text[: LONGEST * 4]).lower()
    words = _NOT_A_WORD.sub("", _STICKER.sub("", folded))
    return _LAUGH_OR_ECHO.sub(r"\1\1", words)[:LONGEST]


class Speech:
    """The ways of speaking that carry no meaning of their own: fillers, and different words for the same thing.

    ``same`` maps the word to keep to the words that mean it ("什么时候": "啥时候", "几时").
    """

    def __init__(self, fillers: Iterable[str] = (), same: Mapping[str, Iterable[str]] | None = None) -> None:
        self._keep = {plain(word): plain(kept) for kept, words in (same or {}).items() for word in (kept, *words)}
        self._keep.pop("", None)
        self._same = _any_of(self._keep)
        self._fillers = _any_of(plain(filler) for filler in fillers)

    def normalise(self, text: str) -> str:
        """The text as it is compared; empty only when it holds no word at all."""
        words = plain(text)
        if self._same:
            words = self._same.sub(lambda found: self._keep[found.group()], words)
        bare = self._fillers.sub("", words) if self._fillers else words
        return (bare or words)[:LONGEST]


def _any_of(words: Iterable[str]) -> re.Pattern[str] | None:
    longest_first = sorted({word for word in words if word}, key=lambda word: (-len(word), word))
    return re.compile("|".join(map(re.escape, longest_first))) if longest_first else None
