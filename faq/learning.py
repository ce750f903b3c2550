"""What the stored phrasings teach before the first message comes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from faq.calibration import Evidence, Observation
from faq.ngrams import Floats, Postings, Weighed, counted
from faq.triangle import Triangle

LEARNT_UP_TO = 12_000
"""Phrasings; what learning works in takes 150 MB with so many, and a few seconds."""
LEARNT_ENTRIES = 1500
"""Entries; what was learnt of more would fill the memory of each process, and then likeness alone decides."""

_DAMPING = 0.5
_BLOCK = 768
_EXAMINED, _EXAMINED_NEAREST = 3000, 1500
"""Phrasings that the confidence is fitted on; more make it slower and hardly better."""
_IN_SCOPE, _OTHER_ENTRY, _CHATTER = 0.7, 0.15, 0.15
"""What traffic is taken to consist of: questions answered here, questions nobody wrote an entry for, and chatter."""


class Taught:
    """What each run was learnt to say for each entry; it adds up over a message.

    ``rows`` and ``factors`` lead from a run to its row: a run that several phrasings hold has one of its own, any
    other speaks through the row of its only phrasing. ``strength`` and ``held`` have a column for each entry.
    """

    def __init__(
        self, rows: NDArray[np.int32], factors: NDArray[np.float32], strength: NDArray[np.float16],
        held: NDArray[np.bool_],
    ) -> None:  # fmt: skip
        self.rows, self.factors, self.strength, self.held = rows, factors, strength, held

    @classmethod
    def of(cls, postings: Postings, owners: NDArray[np.int32], shares: Floats) -> Taught:
        """``shares``: for each phrasing and entry, how strongly likeness to the one speaks for the other."""
        several = np.flatnonzero(postings.held_by > 1)
        rows = np.empty(len(postings.held_by), np.int32)
        factors = np.ones(len(rows), np.float32)
        first = postings.ends[:-1]
        rows[:], factors[:] = len(several) + postings.rows[first], postings.parts[first]
        rows[several], factors[several] = np.arange(len(several)), 1.0
        strength = np.empty((len(several) + len(owners), shares.shape[1]), np.float16)
        held = np.zeros(strength.shape, np.bool_)
        spans = zip(first[several].tolist(), postings.ends[several + 1].tolist(), strict=True)
        for row, (start, end) in enumerate(spans):
            phrasings = postings.rows[start:end]
            strength[row] = postings.parts[start:end] @ shares[phrasings]
            held[row, owners[phrasings]] = True
        strength[len(several) :] = shares
        held[np.arange(len(several), len(held)), owners] = True
        return cls(rows, factors, strength, held)

    def evidence(self, weighed: Weighed) -> Evidence:
        """What speaks for each entry."""
        rows = self.rows[weighed.places]
        strength = weighed.weights * self.factors[weighed.places] @ self.strength[rows].astype(np.float32)
        cover = weighed.weights @ self.held[rows]
        features = np.array((strength / np.float32(weighed.norm), cover / np.float32(weighed.total)))
        return Evidence(features, weighed.known, weighed.size)


class Nearest:
    """Knowledge that is too large to learn from: the nearest phrasing alone speaks for an entry."""

    def __init__(self, postings: Postings, owners: NDArray[np.int32]) -> None:
        self.postings, self.owners = postings, owners
        self._starts = np.flatnonzero(np.diff(owners, prepend=-1))

    def evidence(self, weighed: Weighed) -> Evidence:
        """What speaks for each entry."""
        return self._evidence(weighed, self.postings.likeness(weighed))

    def without(self, weighed: Weighed, phrasings: slice) -> Evidence:
        """The same as if these phrasings had not been stored."""
        likeness = self.postings.likeness(weighed)
        likeness[phrasings] = 0.0
        return self._evidence(weighed, likeness)

    def _evidence(self, weighed: Weighed, likeness: Floats) -> Evidence:
        nearest = np.maximum.reduceat(likeness, self._starts)
        return Evidence(np.array((nearest, nearest * nearest)), weighed.known, weighed.size)


class Lesson:
    """Ridge regression from likeness to entries; needed only while a matcher is made.

    What it says of a phrasing that had not been stored is known in closed form, so the confidence can be fitted
    on phrasings, and on whole entries, as if they were new. ``chatter`` is the number of the entry that holds lines
    which nothing answers.
    """

    def __init__(
        self, weighed: Sequence[Weighed], postings: Postings, owners: NDArray[np.int32], chatter: int | None = None
    ) -> None:
        self._weighed, self._postings, self._owners, self._chatter = weighed, postings, owners, chatter
        groups = groups_of(owners)
        self._examined = _examined_entries(groups, chatter)
        order, border = _examined_last(groups, self._examined)

        def rows(start: int, end: int) -> Floats:
            filled = np.empty((end - start, end), np.float32)
            for row, number in enumerate(order[start:end]):
                filled[row] = postings.likeness(weighed[number])[order[:end]]
            return filled

        belongs = np.equal.outer(owners, np.arange(len(groups))).astype(np.float32)
        triangle = Triangle(rows, _borders(border, len(owners)), _DAMPING)
        shares = np.empty_like(belongs)
        shares[order] = triangle.solve(belongs[order])
        self.taught = Taught.of(postings, owners, shares)
        self._fresh: dict[int, Floats] = {}
        self._without_entry: dict[int, Floats] = {}
        corner, start = triangle.corner(border), 0
        for entry in self._examined:
            size = groups[entry].stop - groups[entry].start
            inside = slice(start, start + size)
            self._leave_out(groups[entry], corner[:, inside].T @ corner[:, inside], belongs, shares)
            start += size

    def _leave_out(self, group: slice, inverse: Floats, belongs: Floats, shares: Floats) -> None:
        """What would be said of an entry's phrasings without each of them, and without all of them."""
        fresh = belongs[group] - shares[group] / np.diagonal(inverse)[:, None]
        gone = belongs[group] - np.linalg.solve(inverse, shares[group])
        numbers = range(group.start, group.stop)
        self._fresh.update(zip(numbers, fresh, strict=True))
        self._without_entry.update(zip(numbers, gone, strict=True))

    def observations(self) -> Iterator[Observation]:
        """Phrasings as if only they, and as if their whole entry, had not been stored; and lines no entry answers.

        None when no entry has two phrasings: then nothing can be learnt about new wordings.
        """
        groups = groups_of(self._owners)
        held_by = self._postings.held_by
        weights = _weights([groups[entry] for entry in self._examined], self._chatter, self._examined)
        for entry in self._examined:
            group = groups[entry]
            own = counted(self._weighed[group], len(held_by))
            for number in range(group.start, group.stop):
                weighed, alone = self._weighed[number], slice(number, number + 1)
                evidence = self.taught.evidence(weighed)
                fresh = _withheld(evidence, self._fresh[number], entry, weighed, held_by, own)
                if entry == self._chatter:
                    yield Observation(fresh, None, weights[2], number, alone)
                elif group.stop - group.start > 1:
                    yield Observation(fresh, entry, weights[0], number, alone)
                    gone = _withheld(evidence, self._without_entry[number], entry, weighed, held_by - own + 1, own)
                    gone.features[:, entry] = -1.0
                    yield Observation(gone, None, weights[1], number, group)


def left_out(source: Nearest, weighed: Sequence[Weighed], chatter: int | None) -> Iterator[Observation]:
    """What ``Lesson.observations`` gives, for knowledge that is too large to learn from."""
    groups = groups_of(source.owners)
    examined = _examined_entries(groups, chatter, _EXAMINED_NEAREST)
    weights = _weights([groups[entry] for entry in examined], chatter, examined)
    for entry in examined:
        group = groups[entry]
        for number in range(group.start, group.stop):
            alone = slice(number, number + 1)
            fresh = source.without(weighed[number], alone)
            if entry == chatter:
                yield Observation(fresh, None, weights[2], number, alone)
            elif group.stop - group.start > 1:
                yield Observation(fresh, entry, weights[0], number, alone)
                yield Observation(source.without(weighed[number], group), None, weights[1], number, group)


def groups_of(owners: NDArray[np.int32]) -> list[slice]:
    """Where the phrasings of each entry stand."""
    starts = np.flatnonzero(np.diff(owners, prepend=-1)).tolist()
    return list(map(slice, starts, [*starts[1:], len(owners)]))


def _examined_entries(groups: Sequence[slice], chatter: int | None, most: int = _EXAMINED) -> list[int]:
    """Entries from all over the knowledge with about as many phrasings as are examined, and the chatter."""
    entries = [number for number in range(len(groups)) if number != chatter]
    every = -(-groups[-1].stop // most)
    return entries[::every] + ([chatter] if chatter is not None else [])


def _examined_last(groups: Sequence[slice], examined: Sequence[int]) -> tuple[NDArray[np.intp], int]:
    """An order of the phrasings in which those of the examined entries come last, and where these begin."""
    others = sorted(set(range(len(groups))).difference(examined))
    numbers = [number for entry in (*others, *examined) for number in range(groups[entry].start, groups[entry].stop)]
    return np.array(numbers, np.intp), sum(groups[entry].stop - groups[entry].start for entry in others)


def _weights(groups: Sequence[slice], chatter: int | None, examined: Sequence[int]) -> tuple[float, float, float]:
    """What a phrasing, a missing entry and a line of chatter count, so that the shares of traffic come out."""
    sizes = [group.stop - group.start for group in groups]
    lines = sum(size for size, entry in zip(sizes, examined, strict=True) if entry == chatter)
    taught = sum(size for size, entry in zip(sizes, examined, strict=True) if entry != chatter and size > 1)
    return 1.0, _OTHER_ENTRY / _IN_SCOPE, _CHATTER / _IN_SCOPE * taught / max(lines, 1)


def _withheld(
    evidence: Evidence, strength: Floats, entry: int, weighed: Weighed, held_by: NDArray[np.int64],
    own: NDArray[np.int64],
) -> Evidence:  # fmt: skip
    """The evidence for a stored text when it is not stored itself."""
    features = np.array((strength, evidence.features[1]))
    features[1, entry] = weighed.weights[own[weighed.places] > 1].sum() / weighed.total
    known = weighed.weights[held_by[weighed.places] > 1].sum() / weighed.total
    return Evidence(features, float(known), weighed.size)


def _borders(border: int, size: int) -> list[int]:
    """Where the blocks of a triangle begin, one of them at the border; and the size."""
    return sorted({*range(0, border, _BLOCK), *range(border, size, _BLOCK), size})
