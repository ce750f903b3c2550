"""What the stored phrasings teach before the first message comes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from faq.calibration import Evidence, Observation
from faq.ngrams import Floats, PhrasingIndex, grams

LEARNT_UP_TO = 4000
"""Phrasings; learning from more would cost many seconds and 100 MB, and then likeness alone decides."""

_DAMPING = 0.5
_BLOCK = 256
_IN_SCOPE, _OTHER_ENTRY, _CHATTER = 0.7, 0.1, 0.2
"""What traffic is taken to consist of: questions answered here, questions nobody wrote an entry for, and chatter."""


class Nearest:
    """Knowledge that nothing was learnt from: the nearest phrasing alone speaks for an entry."""

    def __init__(self, index: PhrasingIndex) -> None:
        self._index = index

    def evidence(self, text: str) -> Evidence:
        """What speaks for each entry, for one normalised text."""
        weighed = self._index.weigh(text)
        likeness = self._index.likeness(weighed)
        nearest = np.maximum.reduceat(likeness.cosine, self._index.starts)
        return Evidence(np.array((nearest, likeness.cover)), weighed.known)


class Taught:
    """What each run of characters was learnt to say for each entry; it adds up over a message.

    ``shares``: for each phrasing and entry, how strongly likeness to the one speaks for the other.
    """

    def __init__(self, index: PhrasingIndex, shares: NDArray[np.float32]) -> None:
        self._index = index
        self._strength = np.empty((index.runs, shares.shape[1]), np.float32)
        self._held = np.zeros((index.runs, shares.shape[1]), np.bool_)
        for place, (phrasings, parts, entries) in enumerate(index.by_run()):
            self._strength[place] = parts @ shares[phrasings]
            self._held[place, entries] = True

    def evidence(self, text: str) -> Evidence:
        """What speaks for each entry, for one normalised text."""
        weighed = self._index.weigh(text)
        places, weights = np.array(weighed.places, np.intp), np.array(weighed.weights, np.float32)
        strength = weights @ self._strength[places] / np.float32(weighed.norm)
        cover = weights @ self._held[places] / np.float32(weighed.total)
        return Evidence(np.array((strength, cover)), weighed.known)


class Lesson:
    """Ridge regression from likeness to entries; needed only while a matcher is made.

    What it says of a phrasing that had not been stored is known in closed form, so the calibration can be fitted
    on phrasings, and on whole entries, as if they were new.
    """

    def __init__(self, index: PhrasingIndex, texts: Sequence[str]) -> None:
        self._index, self._texts = index, texts
        self._inverse = np.empty((len(texts), len(texts)), np.float32)
        self._cover = np.empty((len(texts), len(index.starts)), np.float32)
        for number, text in enumerate(texts):
            likeness = index.likeness(index.weigh(text))
            self._inverse[number], self._cover[number] = likeness.cosine, likeness.cover
        self._inverse[np.diag_indices_from(self._inverse)] += _DAMPING
        _invert(self._inverse)
        self._belongs = np.equal.outer(index.owners, np.arange(len(index.starts))).astype(np.float32)
        self.shares = self._inverse @ self._belongs
        """For each phrasing and entry: how strongly likeness to the one speaks for the other."""

    def observations(self, chatter: Iterable[Evidence]) -> Iterator[Observation]:
        """Every phrasing as if only it, and as if its whole entry, had not been stored; and lines no entry answers.

        None when no entry has two phrasings: then nothing can be learnt about new wordings.
        """
        groups = np.split(np.arange(len(self._texts)), self._index.starts[1:])
        taught = sum(len(group) for group in groups if len(group) > 1)
        for entry, group in enumerate(groups):
            if len(group) > 1:
                yield from self._withheld(entry, group)
        lines = list(chatter) if taught else []
        for line in lines:
            yield Observation(line, None, _CHATTER / _IN_SCOPE * taught / len(lines))

    def _withheld(self, entry: int, group: NDArray[np.intp]) -> Iterator[Observation]:
        own = Counter(chain.from_iterable(grams(self._texts[number]) for number in group))
        block = self._inverse[np.ix_(group, group)]
        without_all = self._belongs[group] - np.linalg.solve(block, self.shares[group])
        for number, strength in zip(group, without_all, strict=True):
            text = self._texts[number]
            cover = self._cover[number]
            kept, known, elsewhere = self._index.cover_without(text, own)
            without_one = self._belongs[number] - self.shares[number] / self._inverse[number, number]
            yield Observation(_evidence(without_one, cover, entry, kept, known), entry, 1.0)
            gone = _evidence(strength, cover, entry, -1.0, elsewhere)
            gone.features[0, entry] = -1.0
            yield Observation(gone, None, _OTHER_ENTRY / _IN_SCOPE)


def _evidence(strength: Floats, cover: Floats, own: int, own_cover: float, known: float) -> Evidence:
    features = np.array((strength, cover))
    features[1, own] = own_cover
    return Evidence(features, known)


def _invert(matrix: NDArray[np.float32]) -> None:
    """Inverts a symmetric positive definite matrix where it stands, block by block (Gauss and Jordan).

    The library's own inverse holds four matrices at once, which would double the memory of the whole process.
    """
    for start in range(0, len(matrix), _BLOCK):
        pivot = slice(start, start + _BLOCK)
        inverse = np.linalg.inv(matrix[pivot, pivot])
        row, column = inverse @ matrix[pivot], matrix[:, pivot].copy()
        for part in range(0, len(matrix), _BLOCK):
            rows = slice(part, part + _BLOCK)
            if part != start:
                matrix[rows] -= column[rows] @ row
        matrix[pivot] = row
        matrix[:, pivot] = -column @ inverse
        matrix[pivot, pivot] = inverse
