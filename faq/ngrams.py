"""What a text consists of, and how much each part of it says.

A run is a character, two neighbours, two characters that stand near each other in whatever order, or one or two
syllables. Pairs in any order see that "还没退款" and "款还没退" ask the same; syllables see through homophones.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from faq.sounds import Sounds

Floats = NDArray[np.floating]
Numbers = NDArray[np.int32]

_REACH, _SOUND_REACH = 4, 3
"""Characters and syllables; two that stand further apart say nothing together."""
_WEIGHTS = (0.9, 0.6, 0.9, 0.9, 0.5, 0.6)
"""Of the kinds of runs, in the order of ``runs``. Chosen by cross-validation on the shipped phrasings, with and
without homophones in them."""


def runs(text: str, sounds: Sounds) -> tuple[Sequence[str], ...]:
    """The runs of a text by kind; its two ends count as neighbours. Runs of different kinds are never equal."""
    heard = text.translate(sounds)
    return (
        text,
        list(map("".join, pairwise(f"^{text}$"))),
        _near(text, _REACH, "~"),
        ["'" + sign for sign in heard],
        list(map("'".join, pairwise(f"^{heard}$"))),
        _near(heard, _SOUND_REACH, "="),
    )


def _near(text: str, reach: int, between: str) -> list[str]:
    """The pairs of characters that stand near each other, in whatever order."""
    pairs = chain.from_iterable(zip(text, text[distance:], strict=False) for distance in range(1, reach + 1))
    return [one + between + other if one < other else other + between + one for one, other in pairs]


@dataclass(frozen=True, slots=True)
class Weighed:
    """A text's known runs by place, their weights, the length of its vector and the sum of all its weights.

    ``known``: the share of the text that any phrasing holds, from 0 to 1. ``size``: its characters.
    """

    places: NDArray[np.intp]
    weights: NDArray[np.float32]
    norm: float
    total: float
    known: float
    size: int


class Vocabulary:
    """All runs of the stored phrasings, each with a place and a weight: the rarer among entries, the heavier.

    How often a text repeats a run says nothing.

    ``unseen`` is what a run weighs, before its kind is counted in, that no phrasing holds.
    """

    def __init__(self, names: Sequence[str], weights: Floats, unseen: float, sounds: Sounds) -> None:
        self.names = names
        self.weights = weights
        self.unseen = unseen
        self._sounds = sounds
        self._places = dict(zip(names, range(len(names)), strict=True))

    @classmethod
    def of(cls, texts: Sequence[str], owners: Sequence[int], sounds: Sounds) -> Vocabulary:
        """Gathers the runs of normalised phrasings; ``owners`` are the numbers of their entries, ascending."""
        entries = owners[-1] + 1
        held: Counter[str] = Counter()
        kind_of: dict[str, int] = {}
        of_entry: list[set[str]] = [set() for _ in _WEIGHTS]
        for text, owner, following in zip(texts, owners, [*owners[1:], None], strict=True):
            for kind, found in enumerate(runs(text, sounds)):
                of_entry[kind].update(found)
            if following != owner:
                for kind, names in enumerate(of_entry):
                    held.update(names)
                    kind_of.update(dict.fromkeys(names, kind))
                    names.clear()
        weights = [_WEIGHTS[kind_of[name]] * math.log1p((1 + entries) / count) for name, count in held.items()]
        return cls(list(held), np.array(weights, np.float32), math.log1p(1 + entries), sounds)

    def weigh(self, text: str) -> Weighed:
        """Looks up the runs of one normalised text."""
        get = self._places.get
        found: list[int] = []
        strange = squares = 0.0
        for kind, names in zip(_WEIGHTS, runs(text, self._sounds), strict=True):
            places = [get(name, -1) for name in dict.fromkeys(names)]
            found += places
            if missing := places.count(-1):
                strange += missing * kind * self.unseen
                squares += missing * (kind * self.unseen) ** 2
        every = np.array(found, np.intp)
        known = every[every >= 0]
        weights = self.weights[known]
        held = float(weights.sum())
        norm = math.sqrt(squares + float(weights @ weights)) or 1.0
        total = held + strange or 1.0
        return Weighed(known, weights, norm, total, held / total, len(text))


class Postings:
    """For each run the phrasings that hold it, and what part it has in each of their vectors.

    ``ends`` are where each run's list ends in ``rows`` and ``parts``; it starts with 0.
    """

    def __init__(self, ends: NDArray[np.int64], rows: Numbers, parts: NDArray[np.float32], phrasings: int) -> None:
        self.ends, self.rows, self.parts, self.phrasings = ends, rows, parts, phrasings

    @classmethod
    def of(cls, weighed: Sequence[Weighed], runs: int) -> Postings:
        """Turns phrasings by their runs into runs by their phrasings."""
        places = np.concatenate([each.places for each in weighed])
        parts = np.concatenate([each.weights / np.float32(each.norm) for each in weighed])
        rows = np.repeat(np.arange(len(weighed), dtype=np.int32), [len(each.places) for each in weighed])
        order = places.argsort(kind="stable")
        ends = np.concatenate(([0], np.bincount(places, minlength=runs).cumsum()))
        return cls(ends, rows[order], parts[order], len(weighed))

    @property
    def held_by(self) -> NDArray[np.int64]:
        """How many phrasings hold each run."""
        return np.diff(self.ends)

    def likeness(self, weighed: Weighed) -> Floats:
        """The cosine of a text with each phrasing, from 0 to 1."""
        starts, ends = self.ends[weighed.places].tolist(), self.ends[weighed.places + 1].tolist()
        spans = list(map(slice, starts, ends))
        rows = np.concatenate([self.rows[:0], *map(self.rows.__getitem__, spans)])
        parts = np.concatenate([self.parts[:0], *map(self.parts.__getitem__, spans)])
        parts *= np.repeat(weighed.weights, np.subtract(ends, starts))
        return np.bincount(rows, parts, self.phrasings) / weighed.norm

    def lists(self) -> Iterator[tuple[Numbers, NDArray[np.float32]]]:
        """Each run's phrasings and parts, in the order of the places."""
        for start, end in pairwise(self.ends.tolist()):
            yield self.rows[start:end], self.parts[start:end]


def counted(weighed: Iterable[Weighed], size: int) -> NDArray[np.int64]:
    """How many of these texts hold each of the runs."""
    places = np.fromiter(chain.from_iterable(each.places.tolist() for each in weighed), np.intp)
    return np.bincount(places, minlength=size)
