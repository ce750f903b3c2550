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
_ECHO = re.compile(r"(.)\1{2,}")
_SIMPLER = OpenCC("t2s")
_SIGNS = [chr(code) for code in range(0xE000, 0xF8FF)]
"""Characters for private use: no message that has been made plain holds one."""


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
    """Ways of speaking: fillers that carry no meaning, different words for the same thing, and things of one sort.

    ``same`` maps the word to keep to the words that mean it ("什么时候": "啥时候", "几时"). ``sorts`` maps the name
    of a sort to its words ("软果": "草莓", "蓝莓"): in a text the sort's sign stands in place of the word, and the
    word's own sign follows at the end, so that what is asked counts for more than what it is asked about.
    """

    def __init__(
        self,
        fillers: Iterable[str] = (),
        same: Mapping[str, Iterable[str]] | None = None,
        sorts: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        self._keep = {plain(word): plain(kept) for kept, words in (same or {}).items() for word in (kept, *words)}
        self._same = _any_of(self._keep)
        self._fillers = _any_of(plain(filler) for filler in fillers)
        sort_of = {plain(word): sort for sort, words in (sorts or {}).items() for word in words}
        sign = dict(zip([*(sorts or ()), *(f"={word}" for word in sort_of)], _SIGNS, strict=False))
        self._signs = {word: (sign[sort], sign[f"={word}"]) for word, sort in sort_of.items()}
        self._sorts = _any_of(sort_of)

    def normalise(self, text: str) -> str:
        """The text as it is compared; empty only when it holds no word at all."""
        words = plain(text)
        if self._same:
            words = self._same.sub(lambda found: self._keep[found.group()], words)
        bare = self._fillers.sub("", words) if self._fillers else words
        kept = (bare or words)[:LONGEST]
        if not self._sorts:
            return kept
        named = dict.fromkeys(self._sorts.findall(kept))
        return self._sorts.sub(lambda found: self._signs[found.group()][0], kept) + "".join(
            self._signs[word][1] for word in named
        )


def _any_of(words: Iterable[str]) -> re.Pattern[str] | None:
    longest_first = sorted({word for word in words if word}, key=lambda word: (-len(word), word))
    return re.compile("|".join(map(re.escape, longest_first))) if longest_first else None
