"""What the stored phrasings teach before the first message comes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from faq.calibration import Evidence, Observation
from faq.ngrams import Floats, Likeness, PhrasingIndex, grams

LEARNT_UP_TO = 3000
"""Phrasings; learning from more would cost seconds and hundreds of MB, and then likeness alone decides."""

_DAMPING = 0.5
_IN_SCOPE, _OTHER_ENTRY, _CHATTER = 0.7, 0.1, 0.2
"""What traffic is taken to consist of: questions answered here, questions nobody wrote an entry for, and chatter."""


def evidence_of(likeness: Likeness, index: PhrasingIndex, shares: Floats | None) -> Evidence:
    """What speaks for each entry; without learnt ``shares`` the nearest phrasing stands in for its strength."""
    nearest = np.maximum.reduceat(likeness.cosine, index.starts)
    strength = nearest if shares is None else likeness.cosine.astype(np.float32) @ shares
    return Evidence(np.array((strength, nearest, likeness.cover)), likeness.known)


class Lesson:
    """Ridge regression from likeness to entries; needed only while a matcher is made.

    What it says of a phrasing that had not been stored is known in closed form, so the calibration can be fitted
    on phrasings, and on whole entries, as if they were new.
    """

    def __init__(self, index: PhrasingIndex, texts: Sequence[str]) -> None:
        self._index, self._texts = index, texts
        self._inverse = _inverse_of_damped(index, texts)
        self._belongs = np.equal.outer(index.owners, np.arange(len(index.starts))).astype(np.float32)
        self.shares = self._inverse @ self._belongs
        """For each phrasing and entry: how strongly likeness to the one speaks for the other."""

    def observations(self, chatter: Sequence[Likeness]) -> Iterator[Observation]:
        """Every phrasing as if only it, and as if its whole entry, had not been stored; and lines no entry answers.

        None when no entry has two phrasings: then nothing can be learnt about new wordings.
        """
        groups = np.split(np.arange(len(self._texts)), self._index.starts[1:])
        taught = sum(len(group) for group in groups if len(group) > 1)
        for entry, group in enumerate(groups):
            if len(group) > 1:
                yield from self._withheld(entry, group)
        for line in chatter if taught else ():
            weight = _CHATTER / _IN_SCOPE * taught / len(chatter)
            yield Observation(evidence_of(line, self._index, self.shares), None, weight)

    def _withheld(self, entry: int, group: NDArray[np.intp]) -> Iterator[Observation]:
        own = Counter(chain.from_iterable(grams(self._texts[number]).keys() for number in group))
        block = self._inverse[np.ix_(group, group)]
        without_all = self._belongs[group] - np.linalg.solve(block, self.shares[group])
        for number, strength in zip(group, without_all, strict=True):
            likeness = self._index.likeness(self._texts[number])
            kept, known, elsewhere = self._index.cover_without(self._texts[number], own)
            without_one = self._belongs[number] - self.shares[number] / self._inverse[number, number]
            features = self._features(likeness, without_one, hidden=number)
            features[2, entry] = kept
            yield Observation(Evidence(features, known), entry, 1.0)
            features = self._features(likeness, strength, hidden=group)
            features[:, entry] = -1.0
            yield Observation(Evidence(features, elsewhere), None, _OTHER_ENTRY / _IN_SCOPE)

    def _features(self, likeness: Likeness, strength: Floats, hidden: NDArray[np.intp]) -> Floats:
        cosine = likeness.cosine.copy()
        cosine[hidden] = 0.0
        return np.array((strength, np.maximum.reduceat(cosine, self._index.starts), likeness.cover))


def _inverse_of_damped(index: PhrasingIndex, texts: Sequence[str]) -> NDArray[np.float32]:
    alike = np.empty((len(texts), len(texts)), np.float32)
    for number, text in enumerate(texts):
        alike[number] = index.likeness(text).cosine
    alike[np.diag_indices_from(alike)] += _DAMPING
    return np.asarray(np.linalg.inv(alike))
