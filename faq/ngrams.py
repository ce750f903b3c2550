"""How alike a message and the stored phrasings are, by the runs of characters they share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

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
    ``known``: the share of the message that any phrasing holds.
    """

    cosine: Floats
    cover: Floats
    known: float


class PhrasingIndex:
    """TF-IDF over character runs as inverted indexes, by phrasing and by entry.

    ``texts`` are normalised phrasings; ``owners`` the number of the entry that each belongs to, ascending.
    """

    def __init__(self, texts: Sequence[str], owners: Sequence[int]) -> None:
        self.owners = np.asarray(owners, np.int32)
        self.starts = np.flatnonzero(np.diff(self.owners, prepend=-1))
        counted = [grams(text) for text in texts]
        vocabulary = sorted(set().union(*counted))
        self._place = {gram: place for place, gram in enumerate(vocabulary)}
        by_entry = _grouped(counted, self.owners, len(self.starts))
        self._by_entry = _Postings.of(by_entry, self._place)
        entries_with = np.diff(self._by_entry.ends, prepend=0)
        size = np.array([_WEIGHT_OF_LENGTH[len(gram)] for gram in vocabulary])
        self._weight = size * np.log1p((1 + len(self.starts)) / entries_with)
        self._unseen = float(np.log1p(1 + len(self.starts)))
        self._norms = np.array([self._weigh(found)[2] for found in counted])
        self._by_phrasing = _Postings.of(counted, self._place)

    def likeness(self, text: str) -> Likeness:
        """Compares one normalised text with everything."""
        places, weights, norm, total = self._weigh(grams(text))
        rows, counts, lengths = self._by_phrasing.read(places)
        shared = np.repeat(weights * self._weight[places], lengths) * np.sqrt(counts)
        cosine = np.bincount(rows, shared, len(self.owners)) / (self._norms * norm)
        rows, _, lengths = self._by_entry.read(places)
        cover = np.bincount(rows, np.repeat(weights, lengths), len(self.starts)) / total
        return Likeness(cosine, cover, float(weights.sum() / total))

    def cover_without(self, text: str, own: int) -> tuple[float, float, float]:
        """What is known of a stored text of entry ``own`` when it is not stored itself.

        Gives its own entry's cover, and what is known of it by other phrasings and by other entries (0–1 each).
        """
        places, weights, _, total = self._weigh(grams(text))
        rows, counts, lengths = self._by_entry.read(places)
        gram = np.repeat(np.arange(len(places)), lengths)
        mine = np.bincount(gram, (rows == own) * counts, len(places))
        others = np.bincount(gram, rows != own, len(places)) > 0
        shares = (mine > 1, (mine > 1) | others, others)
        kept, known, elsewhere = (float(weights[share].sum() / total) for share in shares)
        return kept, known, elsewhere

    def _weigh(self, found: Counter[str]) -> tuple[NDArray[np.intp], Floats, float, float]:
        """The known runs' places and weights, the length of the whole vector, and the sum of all weights."""
        known = {place: count for gram, count in found.items() if (place := self._place.get(gram)) is not None}
        places = np.fromiter(known.keys(), np.intp, len(known))
        weights = self._weight[places] * np.sqrt(np.fromiter(known.values(), np.float64, len(known)))
        strange = [_WEIGHT_OF_LENGTH[len(gram)] * self._unseen for gram in found if gram not in self._place]
        norm = float(np.sqrt(weights @ weights + sum(weight * weight for weight in strange)))
        return places, weights, norm or 1.0, float(weights.sum() + sum(strange)) or 1.0


@dataclass(frozen=True, slots=True)
class _Postings:
    """For each run of characters the rows that hold it and how often, one after another; ``ends`` cuts them apart."""

    rows: NDArray[np.int32]
    counts: NDArray[np.int32]
    ends: NDArray[np.intp]

    @classmethod
    def of(cls, found: Sequence[Counter[str]], place: dict[str, int]) -> _Postings:
        rows = np.repeat(np.arange(len(found), dtype=np.int32), [len(each) for each in found])
        places = np.fromiter((place[gram] for each in found for gram in each), np.intp, len(rows))
        counts = np.fromiter((count for each in found for count in each.values()), np.int32, len(rows))
        order = np.argsort(places, kind="stable")
        return cls(rows[order], counts[order], np.cumsum(np.bincount(places, minlength=len(place))))

    def read(self, places: NDArray[np.intp]) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.intp]]:
        """Rows and counts of these runs, and how many belong to each of them."""
        ends = self.ends[places]
        lengths = ends - np.where(places > 0, self.ends[places - 1], 0)
        steps = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        taken = np.repeat(ends - lengths, lengths) + steps
        return self.rows[taken], self.counts[taken], lengths


def _grouped(found: Sequence[Counter[str]], owners: NDArray[np.int32], total: int) -> list[Counter[str]]:
    """For each entry, how many of its phrasings hold each run."""
    by_entry: list[Counter[str]] = [Counter() for _ in range(total)]
    for each, owner in zip(found, owners, strict=True):
        by_entry[owner].update(each.keys())
    return by_entry
