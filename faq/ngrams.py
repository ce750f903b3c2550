"""How alike a message and the stored phrasings are, by the runs of characters they share."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from operator import add

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

_WEIGHT_OF_LENGTH = (0.0, 1.2, 1.0, 0.6)
"""Residents say the same in ever new ways: single characters carry most, long runs are rarely met again."""


def grams(text: str) -> Counter[str]:
    """The runs of one to three characters in a text; its two ends count as characters of the longer runs."""
    ended = f"^{text}$"
    pairs = map("".join, pairwise(ended))
    triples = map("".join, zip(ended, ended[1:], ended[2:], strict=False))
    return Counter(chain(text, pairs, triples))


@dataclass(frozen=True, slots=True)
class Likeness:
    """One message against all phrasings and all entries, each from 0 to 1.

    ``cosine``: likeness to each phrasing. ``cover``: the share of the message that each entry's phrasings hold.
    """

    cosine: Floats
    cover: Floats


@dataclass(frozen=True, slots=True)
class Weighed:
    """A text's known runs by place, their weights, the length of its vector, the sum of all its weights.

    ``known``: the share of the text that any phrasing holds, from 0 to 1.
    """

    places: list[int]
    weights: list[float]
    norm: float
    total: float
    known: float


class PhrasingIndex:
    """TF-IDF over character runs as one inverted index of phrasings and entries.

    ``texts`` are normalised phrasings; ``owners`` the number of the entry that each belongs to, ascending.
    """

    def __init__(self, texts: Sequence[str], owners: Sequence[int]) -> None:
        self.owners = np.asarray(owners, np.int32)
        self.starts = np.flatnonzero(np.diff(self.owners, prepend=-1))
        counted = [grams(text) for text in texts]
        vocabulary = sorted(set().union(*counted))
        self._place = {gram: place for place, gram in enumerate(vocabulary)}
        holding = _holding(counted, self.owners)
        self._unseen = float(np.log1p(1 + len(self.starts)))
        self._weight = [
            _WEIGHT_OF_LENGTH[len(gram)] * math.log1p((1 + len(self.starts)) / len(holding[gram]))
            for gram in vocabulary
        ]
        by_phrasing: list[list[tuple[int, float]]] = [[] for _ in vocabulary]
        for row, (text, found) in enumerate(zip(texts, counted, strict=True)):
            norm = self.weigh(text).norm
            for gram, count in found.items():
                place = self._place[gram]
                by_phrasing[place].append((row, self._weight[place] * math.sqrt(count) / norm))
        self._held_by = list(map(len, by_phrasing))
        by_entry = ([(len(counted) + entry, 1.0) for entry in holding[gram]] for gram in vocabulary)
        self._postings = _Postings(map(add, by_phrasing, by_entry))

    @property
    def runs(self) -> int:
        """How many different runs the phrasings hold."""
        return len(self._weight)

    def likeness(self, weighed: Weighed) -> Likeness:
        """Compares one text with everything."""
        postings, lengths = self._postings.read(weighed.places)
        parts = postings["part"] * np.repeat(np.array(weighed.weights, np.float32), lengths)
        shared = np.bincount(postings["row"], parts, len(self.owners) + len(self.starts))
        cosine, cover = shared[: len(self.owners)], shared[len(self.owners) :]
        return Likeness(cosine / weighed.norm, cover / weighed.total)

    def by_run(self) -> Iterator[tuple[NDArray[np.int32], Floats, NDArray[np.int32]]]:
        """For each run, in the order of their places: the phrasings that hold it, its parts there, and the entries."""
        for place, held_by in enumerate(self._held_by):
            postings, _ = self._postings.read([place])
            phrasings, entries = postings[:held_by], postings[held_by:]
            yield phrasings["row"], phrasings["part"], entries["row"] - len(self.owners)

    def cover_without(self, text: str, own: Mapping[str, int]) -> tuple[float, float, float]:
        """What is known of a stored text when it is not stored itself.

        ``own``: how many phrasings of its entry hold each run. Gives its own entry's cover, and what is known of it
        by other phrasings and by other entries (0–1 each).
        """
        kept = known = elsewhere = total = 0.0
        for gram, count in grams(text).items():
            place = self._place[gram]
            weight = self._weight[place] * math.sqrt(count)
            total += weight
            kept += weight * (own[gram] > 1)
            known += weight * (self._held_by[place] > 1)
            elsewhere += weight * (self._held_by[place] > own[gram])
        return kept / total, known / total, elsewhere / total

    def weigh(self, text: str) -> Weighed:
        """Looks up the runs of one normalised text."""
        places, weights, squares, strange = [], [], 0.0, 0.0
        for gram, count in grams(text).items():
            place = self._place.get(gram)
            if place is None:
                weight = _WEIGHT_OF_LENGTH[len(gram)] * self._unseen
                strange += weight
            else:
                weight = self._weight[place] * math.sqrt(count)
                places.append(place)
                weights.append(weight)
            squares += weight * weight
        known = sum(weights)
        total = known + strange or 1.0
        return Weighed(places, weights, math.sqrt(squares) or 1.0, total, known / total)


_POSTING = np.dtype([("row", np.int32), ("part", np.float32)])


class _Postings:
    """For each run of characters who holds it and what part it has there, one after another.

    The phrasings come first and count their share of the vector; the entries follow, numbered on, and count 1.
    """

    def __init__(self, by_gram: Iterable[Sequence[tuple[int, float]]]) -> None:
        lists = list(by_gram)
        self._ends = [0, *accumulate(map(len, lists))]
        self._cells = np.array(list(chain.from_iterable(lists)), _POSTING).view(np.int64)

    def read(self, places: Sequence[int]) -> tuple[NDArray[np.void], list[int]]:
        """The postings of these runs, and how many belong to each of them."""
        cells, ends = self._cells, self._ends
        runs = [cells[ends[place] : ends[place + 1]] for place in places]
        return np.concatenate([cells[:0], *runs]).view(_POSTING), list(map(len, runs))


def _holding(counted: Sequence[Mapping[str, int]], owners: NDArray[np.int32]) -> dict[str, list[int]]:
    """For each run the entries that hold it, ascending."""
    holding: dict[str, list[int]] = {}
    for found, owner in zip(counted, owners.tolist(), strict=True):
        for gram in found:
            entries = holding.setdefault(gram, [])
            if not entries or entries[-1] != owner:
                entries.append(owner)
    return holding
