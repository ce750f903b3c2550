"""Near-misses made on purpose: questions that look like stored ones and ask something else.

One word of a phrasing, the one that says most about its entry, gives way to such a word of another entry:
"退出了能再进吗" becomes "退款了能再进吗". Knowledge that takes them for answered trusts likeness too much.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence

import rjieba

_STRIDE = 7919
"""A prime: neighbouring phrasings get words from entries that lie far apart."""


class NearMisses:
    """Makes them for the phrasings of one knowledge; the same phrasings give the same.

    ``owners`` are the numbers of the phrasings' entries. Words in ``bare``, as the names of goods, stay: what holds
    for one product mostly holds for another.
    """

    def __init__(self, texts: Sequence[str], owners: Sequence[int], bare: Container[str]) -> None:
        self._texts, self._owners = texts, owners
        self._words = [_words(text, bare) for text in texts]
        self._telling = _telling(self._words, owners)
        self._others = [max(words, key=words.__getitem__) for words in self._telling.values() if words]

    def of(self, number: int) -> str | None:
        """What looks like a phrasing; None where no word says more than others, or one word is most of the text."""
        text, telling = self._texts[number], self._telling[self._owners[number]]
        word = max(self._words[number], key=telling.__getitem__, default="")
        if not word or not telling[word] or 2 * len(word) > len(text):
            return None
        other = next((each for each in self._from(number * _STRIDE) if each not in telling), None)
        return text.replace(word, other, 1) if other else None

    def _from(self, start: int) -> Iterator[str]:
        yield from (self._others[place % len(self._others)] for place in range(start, start + len(self._others)))


def _words(text: str, bare: Container[str]) -> list[str]:
    return [word for word in dict.fromkeys(rjieba.cut(text)) if len(word) > 1 and word not in bare]


def _telling(words: Sequence[Sequence[str]], owners: Sequence[int]) -> Mapping[int, Mapping[str, float]]:
    """How much each word of an entry says about it: the more of its phrasings and the fewer entries hold it."""
    held: dict[int, Counter[str]] = {}
    for own, owner in zip(words, owners, strict=True):
        held.setdefault(owner, Counter()).update(own)
    spread = Counter(word for counts in held.values() for word in counts)
    return {
        owner: {word: math.log1p(count) * math.log(len(held) / spread[word]) for word, count in counts.items()}
        for owner, counts in held.items()
    }
