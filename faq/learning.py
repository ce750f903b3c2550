"""What the stored phrasings teach before the first message comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from faq.calibration import Evidence, Observation
from faq.features import Floats, Postings, Weighed

LEARNT_ENTRIES = 1500
"""Entries; what was learnt of more would fill the memory of each process, and then likeness alone decides."""
LEARNT_CELLS = 12_000_000
"""Parts times entries; two bytes each lie in the memory of every process, four while it learns."""

_STEPS, _FEWEST_ROUNDS, _MOST_ROUNDS = 60_000, 3, 20
"""Small knowledge is gone through more often."""
_PACE, _PACE_IF_SMALL = 6.0, 2.0
"""How far the first step goes; the last goes nowhere."""
_FOLDS, _MORE_FOLDS, _SMALL = 3, 5, 3000
_ENTRIES_OUT = 10
"""In each fold one entry of so many is left out as a whole."""
_AS_STRONG = 10.0
"""Brings a likeness to about the size of what is learnt, so that one calibration suits both."""
_UNLIKE, _NOT_AKIN = 0.0, -1.0
_NOWHERE = (-10.0, -1.0, _NOT_AKIN)
"""Strength, cover and kinship of an entry that is not stored."""
_GIST = 0.8
"""How much the gist of a text counts beside its parts."""
_AT_ONCE = 64
_EXAMINED, _EXAMINED_NEAREST = 9000, 1500
"""Phrasings that the confidence is fitted on; more make it slower and hardly better."""
_USUAL_COVER = 0.55
"""Phrasings are written to differ, residents repeat each other: the more of a phrasing its entry's others hold, the
more it counts, and about so much of one is usual."""
_IN_SCOPE, _OTHER_ENTRY, _NEAR_MISS, _CHATTER = 0.80, 0.06, 0.02, 0.12
"""What traffic is taken to consist of: questions answered here, questions nobody wrote an entry for, questions that
only look like stored ones, and chatter."""
_NEAR_MISSES_EVERY = 6
"""One for so many of the phrasings that are examined."""


Rows = NDArray[np.float32]
NearMiss = Callable[[int], tuple[str, Weighed] | None]
"""Makes a text that looks like the phrasing with a number and asks something else; None where none can be made."""


class Taught:
    """What each part of a text was learnt to say for each entry; it adds up over a message.

    ``strength`` has a row for each part and a column for each entry; ``held`` says, in bits, which entries hold a part.
    ``leaning`` is the strength of each number of a gist, ``middle`` the mean gist of each entry, a column each.
    """

    def __init__(self, strength: NDArray[np.floating], held: NDArray[np.uint8], leaning: Rows, middle: Rows) -> None:
        self.strength, self.held = strength, held
        self.leaning, self.middle = leaning, middle

    def evidence(self, weighed: Weighed) -> Evidence:
        """What speaks for each entry."""
        written = weighed.weights @ self.strength[weighed.places].astype(np.float32) / np.float32(weighed.norm)
        meant = _GIST * weighed.gist @ self.leaning
        held = np.unpackbits(self.held[weighed.places], axis=1, count=self.strength.shape[1])
        cover = weighed.weights @ held
        features = np.array((written + meant, cover / np.float32(weighed.total), weighed.gist @ self.middle))
        return Evidence(features, weighed.known, weighed.size)


class Nearest:
    """Knowledge that is too large to learn from: the nearest phrasing alone speaks for an entry.

    ``gists`` has a row for each phrasing.
    """

    def __init__(self, postings: Postings, owners: NDArray[np.int32], gists: Rows) -> None:
        self.postings, self.owners, self.gists = postings, owners, gists
        self._starts = np.flatnonzero(np.diff(owners, prepend=-1))

    def evidence(self, weighed: Weighed) -> Evidence:
        """What speaks for each entry."""
        likeness, kinship = self.postings.likeness(weighed), self.gists @ weighed.gist
        return _of_nearest(weighed, self._best(likeness), self._best(kinship))

    def without(self, weighed: Weighed, kinship: Rows, number: int, group: slice) -> tuple[Evidence, Evidence]:
        """The same as if a phrasing had not been stored, and as if its whole entry, the ``group``, had not.

        ``kinship`` is that of the text with each of ``gists``. To compare takes longest, and is done once for both.
        """
        likeness, entry = self.postings.likeness(weighed), self.owners[number]
        nearest, kindest = self._best(likeness), self._best(kinship)
        others = [other for other in range(group.start, group.stop) if other != number]
        nearest[entry] = likeness[others].max(initial=_UNLIKE)
        kindest[entry] = kinship[others].max(initial=_NOT_AKIN)
        alone = _of_nearest(weighed, nearest, kindest)
        nearest[entry], kindest[entry] = _UNLIKE, _NOT_AKIN
        return alone, _of_nearest(weighed, nearest, kindest)

    def _best(self, likeness: Floats) -> Floats:
        """By entry, that of its nearest phrasing."""
        return np.asarray(np.maximum.reduceat(likeness, self._starts))


def _of_nearest(weighed: Weighed, nearest: Floats, kindest: Floats) -> Evidence:
    features = np.array((_AS_STRONG * nearest, nearest * nearest, kindest))
    return Evidence(features, weighed.known, weighed.size)


@dataclass(frozen=True, slots=True)
class Lesson:
    """The phrasings, as they are learnt from: their parts, the numbers of their entries, and how many parts there are.

    ``chatter`` is the number of the entry that holds lines which nothing answers.
    """

    weighed: Sequence[Weighed]
    owners: NDArray[np.int32]
    parts: int
    chatter: int | None = None

    def taught(self, without: NDArray[np.bool_] | None = None) -> Taught:
        """What all phrasings teach, or all ``without`` some: multinomial logistic regression, a phrasing at a time.

        Each step makes a phrasing's own entry likelier and what was taken for it less likely. The order is drawn from
        a fixed seed, so the same knowledge teaches the same.
        """
        numbers = np.arange(len(self.owners)) if without is None else np.flatnonzero(~without)
        entries = int(self.owners[-1]) + 1
        strength = np.zeros((self.parts, entries), np.float32)
        leaning = np.zeros((len(self.weighed[0].gist), entries), np.float32)
        order = np.random.default_rng(len(numbers))
        rounds = min(max(_STEPS // max(len(numbers), 1), _FEWEST_ROUNDS), _MOST_ROUNDS)
        steps, step = rounds * len(numbers), 0
        pace = _PACE if len(numbers) > _SMALL else _PACE_IF_SMALL
        vectors = [each.weights / np.float32(each.norm) for each in self.weighed]
        for _ in range(rounds):
            for number in order.permutation(numbers).tolist():
                self._step(strength, leaning, number, vectors[number], pace * (1 - step / steps))
                step += 1
        return Taught(strength, self._held(numbers), leaning, self._middle(numbers))

    def _step(self, strength: Rows, leaning: Rows, number: int, vector: Rows, pace: float) -> None:
        places, gist = self.weighed[number].places, _GIST * self.weighed[number].gist
        rows = strength[places]
        likely = vector @ rows + gist @ leaning
        likely -= likely.max()
        np.exp(likely, likely)
        likely *= -pace / likely.sum()
        likely[self.owners[number]] += pace
        rows += vector[:, None] * likely
        strength[places] = rows
        leaning += gist[:, None] * likely

    def _held(self, numbers: NDArray[np.intp]) -> NDArray[np.uint8]:
        held = np.zeros((self.parts, int(self.owners[-1]) + 1), np.bool_)
        for number in numbers.tolist():
            held[self.weighed[number].places, self.owners[number]] = True
        return np.packbits(held, axis=1)

    def _middle(self, numbers: NDArray[np.intp]) -> Rows:
        total = np.zeros((int(self.owners[-1]) + 1, len(self.weighed[0].gist)), np.float32)
        for number in numbers.tolist():
            total[self.owners[number]] += self.weighed[number].gist
        return np.ascontiguousarray((total / (np.linalg.norm(total, axis=1, keepdims=True) + np.float32(1e-6))).T)

    def observations(self, near_miss: NearMiss) -> Iterator[Observation]:
        """Phrasings as if they, and as if their whole entries, had not been stored; near-misses; lines none answers.

        Learnt several times, each time without a part of the phrasings and without some entries. None when no entry
        has two phrasings: then nothing can be learnt about new wordings.
        """
        groups = groups_of(self.owners)
        sizes = np.array([group.stop - group.start for group in groups])
        if sizes[: self.chatter].max(initial=0) < 2:
            return
        folds = _FOLDS if len(self.owners) > _SMALL else _MORE_FOLDS
        every = _ENTRIES_OUT if len(groups) > _ENTRIES_OUT else folds
        fold_of = np.random.default_rng(folds).integers(0, folds, len(self.owners))
        fold_of_entry = np.arange(len(groups)) % every
        if self.chatter is not None:
            fold_of_entry[self.chatter] = -1
        weights = _weights(groups, self.chatter, range(len(groups)))
        several = (sizes > 1)[self.owners]
        for fold in range(folds):
            gone = (fold_of_entry == fold)[self.owners] & several
            out = ((fold_of == fold) & several) | gone
            source = self._source(out)
            for place, number in enumerate(_thinned(np.flatnonzero(out), -(-_EXAMINED // folds))):
                entry, alone = int(self.owners[number]), slice(number, number + 1)
                evidence = source(self.weighed[number])
                if entry == self.chatter:
                    yield Observation(evidence, None, weights.line, number, alone)
                elif gone[number]:
                    evidence.features[:, entry] = _NOWHERE
                    yield Observation(evidence, None, weights.missing * every / folds, number, groups[entry])
                else:
                    likely = float(evidence.features[1, entry]) / _USUAL_COVER
                    yield Observation(evidence, entry, weights.new * likely, number, alone)
                    if place % _NEAR_MISSES_EVERY == 0 and (made := near_miss(number)):
                        text, weighed = made
                        yield Observation(source(weighed), None, weights.near_miss, number, alone, text)

    def _source(self, out: NDArray[np.bool_]) -> Callable[[Weighed], Evidence]:
        """What the phrasings that are not ``out`` say of a text."""
        taught = self.taught(out)
        known = np.zeros(self.parts, np.bool_)
        for number in np.flatnonzero(~out).tolist():
            known[self.weighed[number].places] = True

        def evidence(weighed: Weighed) -> Evidence:
            share = float(weighed.weights[known[weighed.places]].sum()) / weighed.total
            return taught.evidence(replace(weighed, known=share))

        return evidence


def left_out(
    source: Nearest, weighed: Sequence[Weighed], near_miss: NearMiss, chatter: int | None
) -> Iterator[Observation]:
    """What ``Lesson.observations`` gives, for knowledge that is too large to learn from."""
    groups = groups_of(source.owners)
    examined = _examined_entries(groups, chatter)
    weights = _weights([groups[entry] for entry in examined], chatter, examined)
    numbers = [number for entry in examined for number in range(groups[entry].start, groups[entry].stop)]
    for number, kinship in zip(numbers, _kinships(source.gists, numbers), strict=True):
        entry, alone = int(source.owners[number]), slice(number, number + 1)
        group = groups[entry]
        new, missing = source.without(weighed[number], kinship, number, group)
        if entry == chatter:
            yield Observation(new, None, weights.line, number, alone)
        elif group.stop - group.start > 1:
            yield Observation(new, entry, weights.new, number, alone)
            yield Observation(missing, None, weights.missing, number, group)
            if number % _NEAR_MISSES_EVERY == 0 and (made := near_miss(number)):
                text, near = made
                looks_alike, _ = source.without(near, source.gists @ near.gist, number, group)
                yield Observation(looks_alike, None, weights.near_miss, number, alone, text)


def _kinships(gists: Rows, numbers: Sequence[int]) -> Iterator[Rows]:
    """How akin each of the phrasings with these numbers is to all, some at once: that is many times faster."""
    for start in range(0, len(numbers), _AT_ONCE):
        yield from gists[numbers[start : start + _AT_ONCE]] @ gists.T


def groups_of(owners: NDArray[np.int32]) -> list[slice]:
    """Where the phrasings of each entry stand."""
    ends = np.bincount(owners).cumsum().tolist()
    return list(map(slice, [0, *ends[:-1]], ends))


def _examined_entries(groups: Sequence[slice], chatter: int | None) -> list[int]:
    """Entries from all over the knowledge with about as many phrasings as are examined, and the chatter."""
    entries = [number for number in range(len(groups)) if number != chatter]
    every = -(-groups[-1].stop // _EXAMINED_NEAREST)
    return entries[::every] + ([chatter] if chatter is not None else [])


def _thinned(numbers: NDArray[np.intp], most: int) -> list[int]:
    """At most so many of them, from all over."""
    return numbers[:: max(1, -(-len(numbers) // most))].tolist()


@dataclass(frozen=True, slots=True)
class _Weights:
    """What a new wording, a phrasing of a missing entry, a near-miss and a line of chatter count."""

    new: float
    missing: float
    near_miss: float
    line: float


def _weights(groups: Sequence[slice], chatter: int | None, examined: Sequence[int]) -> _Weights:
    """The weights with which the shares of traffic come out."""
    sizes = [group.stop - group.start for group in groups]
    lines = sum(size for size, entry in zip(sizes, examined, strict=True) if entry == chatter)
    taught = sum(size for size, entry in zip(sizes, examined, strict=True) if entry != chatter and size > 1)
    return _Weights(
        new=1.0,
        missing=_OTHER_ENTRY / _IN_SCOPE,
        near_miss=_NEAR_MISS / _IN_SCOPE * _NEAR_MISSES_EVERY,
        line=_CHATTER / _IN_SCOPE * taught / max(lines, 1),
    )
