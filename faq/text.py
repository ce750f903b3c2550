"""How a message is brought into one plain spelling before it is compared with the knowledge."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from opencc import OpenCC

LONGEST = 200
"""Characters of a message that are compared; what follows is rarely the question."""

_STICKER = re.compile(r"\[[a-z\u4e00-\u9fff]{1,6}\]")
_NOT_A_WORD = re.compile(r"[^0-9a-z\u3400-\u9fff]+")
_LONG_NUMBER = re.compile(r"\d{6,}")
_ECHO = re.compile(r"(.)\1{2,}")
_SIMPLER = OpenCC("t2s")


def simplified(text: str) -> str:
    """Traditional characters in their simplified form, whole words where these differ (OpenCC)."""
    try:
        return _SIMPLER.convert(text)
    except UnicodeEncodeError:  # half a character, which no font shows either
        return _SIMPLER.convert(text.encode("utf-8", "ignore").decode())


def plain(text: str) -> str:
    """Half width, small letters, no punctuation, emoji, stickers or control characters; at most ``LONGEST`` long."""
    folded = simplified(unicodedata.normalize("NFKC", text[: LONGEST * 4])).lower()
    words = _NOT_A_WORD.sub("", _STICKER.sub("", folded))
    return _ECHO.sub(r"\1\1", words)[:LONGEST]


class Speech:
    """Ways of speaking: fillers that carry no meaning, different words for the same thing, and what words mean.

    ``same`` maps the word to keep to the words that mean it ("什么时候": "啥时候", "几时"). ``sorts`` maps a sort of
    goods to its products ("软果": "草莓", "蓝莓"), ``concepts`` a meaning to the words that have it.
    """

    def __init__(
        self,
        fillers: Iterable[str] = (),
        same: Mapping[str, Iterable[str]] | None = None,
        sorts: Mapping[str, Iterable[str]] | None = None,
        concepts: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        self._keep = {plain(word): plain(kept) for kept, words in (same or {}).items() for word in (kept, *words)}
        self._same = _any_of(self._keep)
        left_out = [plain(filler) for filler in fillers]
        self._fillers = _any_of(left_out)
        self.sorts = self._in_one_spelling(sorts or {})
        self.concepts = self._in_one_spelling(concepts or {})
        self.lists = (left_out, self._keep, self.sorts, self.concepts)
        """All that decides how a text is read."""

    def normalise(self, text: str) -> str:
        """The text as it is compared, without numbers of phones and orders; empty when it holds no word at all."""
        words = _LONG_NUMBER.sub("", self._spelling(text))
        bare = self._fillers.sub("", words) if self._fillers else words
        return (bare or words)[:LONGEST]

    def _spelling(self, text: str) -> str:
        words = plain(text)
        return self._same.sub(lambda found: self._keep[found.group()], words) if self._same else words

    def _in_one_spelling(self, words_of: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
        return {name: list(dict.fromkeys(filter(None, map(self._spelling, words)))) for name, words in words_of.items()}


def _any_of(words: Iterable[str]) -> re.Pattern[str] | None:
    longest_first = sorted({word for word in words if word}, key=lambda word: (-len(word), word))
    return re.compile("|".join(map(re.escape, longest_first))) if longest_first else None
