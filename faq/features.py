"""What a text consists of, and how much each part of it says.

A part is a character, two or three neighbours, one or two syllables, a meaning that some word stands for, or two such
meanings, however far apart. Syllables see through homophones; pairs of meanings see that "豆腐能放到后天不" asks how
long a soy product keeps, in whatever words and order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations, pairwise
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from faq.encoder import Encoder, Gist
from faq.sounds import Sounds

Floats = NDArray[np.floating]
Parts = tuple[Sequence[str], ...]

PART_WEIGHTS = (0.9, 0.6, 0.5, 0.9, 0.5, 1.5, 0.9)
"""Of the kinds of parts, in the order of ``Anatomy.parts``. Chosen by cross-validation on the shipped phrasings."""
_SHARES = np.array(PART_WEIGHTS, np.float32)
_SURE_OF_SOUND = 3
"""Syllables; shorter words share theirs with too many others."""
_GOODS = "#goods"
_FIRST_SIGN, _SIGNS = 0xE000, 6400
"""Characters for private use: no message that has been made plain holds one."""


class Lexicon:
    """The meanings of words. In a text the longest word found at a place counts."""

    def __init__(self, words_of: Mapping[str, Iterable[str]]) -> None:
        self.meanings: dict[str, tuple[str, ...]] = {}
        for meaning, words in words_of.items():
            for word in filter(None, words):
                self.meanings[word] = (*self.meanings.get(word, ()), meaning)
        lengths: dict[str, set[int]] = {}
        for word in self.meanings:
            lengths.setdefault(word[0], set()).add(len(word))
        self._lengths = {first: sorted(found, reverse=True) for first, found in lengths.items()}

    def find(self, text: str) -> list[tuple[int, str]]:
        """The words of a text that mean something, with their places, in their order."""
        found, place = [], 0
        while place < len(text):
            for length in self._lengths.get(text[place], ()):
                if (word := text[place : place + length]) in self.meanings:
                    found.append((place, word))
                    place += len(word)
                    break
            else:
                place += 1
        return found


class Anatomy:
    """Takes texts apart. ``concepts``: what is meant; ``goods``: what is sold, by sort; ``sounds``: how it is said."""

    def __init__(self, concepts: Lexicon, goods: Lexicon, sounds: Sounds) -> None:
        self._concepts, self._goods, self._sounds = concepts, goods, sounds
        words = {**concepts.meanings, **goods.meanings}
        self._words = Lexicon({word: [word] for word in words})
        self._heard = Lexicon({word: [word.translate(sounds)] for word in words if len(word) >= _SURE_OF_SOUND})
        self._sign_of = _signs(dict.fromkeys(chain.from_iterable(goods.meanings.values())))

    def parts(self, text: str) -> Parts:
        """The parts by kind, each once. Parts of different kinds are never equal.

        In place of a product stands the sign of its sort, so that what is asked counts for more than what about.
        """
        text = self.respelt(text)
        named = self._goods.find(text)
        masked = self._masked(text, named)
        meant = chain.from_iterable(self._concepts.meanings[word] for _, word in self._concepts.find(text))
        meanings = ["#" + each for each in dict.fromkeys(meant)] + ([_GOODS] if named else [])
        goods = dict.fromkeys(chain.from_iterable((word, *self._goods.meanings[word]) for _, word in named))
        heard = masked.translate(self._sounds)
        ended = f"^{masked}$"
        return (
            list(dict.fromkeys(masked)),
            list(dict.fromkeys(map("".join, pairwise(ended)))),
            list(dict.fromkeys(masked[place : place + 3] for place in range(len(masked) - 2))),
            ["'" + sign for sign in dict.fromkeys(heard)],
            list(dict.fromkeys(map("'".join, pairwise(f"^{heard}$")))),
            meanings,
            [
                *("&".join(sorted(pair)) for pair in combinations(meanings, 2)),
                *(f"{meaning}={each}" for meaning in meanings for each in goods),
            ],
        )

    def respelt(self, text: str) -> str:
        """The text with known words in the place of longer ones that only sound like them ("去货马": "取货码")."""
        signs = list(text)
        spans = [range(start, start + len(word)) for start, word in self._words.find(text) if len(word) > 1]
        written = set(chain.from_iterable(spans))
        for place, sound in self._heard.find(text.translate(self._sounds)):
            if not written.issuperset(range(place, place + len(sound))):
                signs[place : place + len(sound)] = self._heard.meanings[sound][0]
        return "".join(signs)

    def _masked(self, text: str, named: Sequence[tuple[int, str]]) -> str:
        pieces: list[str] = []
        end = 0
        for place, word in named:
            pieces += text[end:place], self._sign_of[self._goods.meanings[word][0]]
            end = place + len(word)
        return "".join((*pieces, text[end:]))


def _signs(sorts: Iterable[str]) -> dict[str, str]:
    """A sign for each sort that, but for rare collisions, depends on its name alone: the encoder knows it again."""
    taken: dict[int, str] = {}
    for sort in sorts:
        place = crc32(sort.encode()) % _SIGNS
        while place in taken:
            place = (place + 1) % _SIGNS
        taken[place] = sort
    return {sort: chr(_FIRST_SIGN + place) for place, sort in taken.items()}


@dataclass(frozen=True, slots=True)
class Weighed:
    """A text's known parts by place, their weights, the length of its vector and the sum of all its weights.

    ``known``: the share of the text that phrasings hold, from 0 to 1. ``size``: its characters. ``gist``: what it is
    about, whatever its words.
    """

    places: NDArray[np.intp]
    weights: NDArray[np.float32]
    norm: float
    total: float
    known: float
    size: int
    gist: Gist


class Vocabulary:
    """The parts of the stored phrasings, each with a place and a weight: the rarer among entries, the heavier.

    How often a text repeats a part says nothing. ``unseen`` is what a part weighs, before its kind is counted in,
    that has no place.
    """

    def __init__(
        self, names: Sequence[str], weights: Floats, unseen: float, anatomy: Anatomy, encoder: Encoder
    ) -> None:
        self.names, self.weights, self.unseen = names, weights, unseen
        self._anatomy, self._encoder = anatomy, encoder
        self._places = dict(zip(names, range(len(names)), strict=True))

    @classmethod
    def of(
        cls, texts: Sequence[str], owners: Sequence[int], anatomy: Anatomy, encoder: Encoder, most: int
    ) -> tuple[Vocabulary, list[Weighed]]:
        """Gathers the parts of normalised phrasings, and weighs these.

        ``owners`` are the numbers of their entries, ascending. Of more than ``most`` parts, those that fewest
        phrasings hold are left out.
        """
        numbers: dict[str, int] = {}
        taken = []
        for text in texts:
            parts = anatomy.parts(text)
            own = [numbers.setdefault(name, len(numbers)) for name in chain.from_iterable(parts)]
            taken.append(_Taken(np.array(own, np.intp), _shares(parts), len(text), encoder.gist(parts)))
        every = np.concatenate([each.places for each in taken])
        holders = np.bincount(every)
        kept = np.flatnonzero(holders >= _fewest_holders(holders, most))
        shares = np.empty(len(numbers), np.float32)
        shares[every] = np.concatenate([each.shares for each in taken])
        entries = owners[-1] + 1
        holding = np.repeat(np.array(owners, np.int64), [len(each.places) for each in taken])
        weights = shares[kept] * np.log1p((1 + entries) / _spread(every, holding)[kept])
        names = list(numbers)
        vocabulary = cls(
            [names[part] for part in kept.tolist()],
            weights.astype(np.float32),
            math.log1p(1 + entries),
            anatomy,
            encoder,
        )
        place_of = np.full(len(numbers), -1, np.intp)
        place_of[kept] = np.arange(len(kept))
        return vocabulary, [vocabulary._weighed(replace(each, places=place_of[each.places])) for each in taken]

    def weigh(self, text: str) -> Weighed:
        """Looks up the parts of one normalised text."""
        parts, get = self._anatomy.parts(text), self._places.get
        places = np.array([get(name, -1) for name in chain.from_iterable(parts)], np.intp)
        return self._weighed(_Taken(places, _shares(parts), len(text), self._encoder.gist(parts)))

    def _weighed(self, taken: _Taken) -> Weighed:
        found = taken.places >= 0
        places = taken.places[found]
        weights = self.weights[places]
        strange = taken.shares[~found] * np.float32(self.unseen)
        held = float(weights.sum())
        total = held + float(strange.sum()) or 1.0
        norm = math.sqrt(float(strange @ strange) + float(weights @ weights)) or 1.0
        return Weighed(places, weights, norm, total, held / total, taken.size, taken.gist)


@dataclass(frozen=True, slots=True)
class _Taken:
    """A text taken apart: the places of its parts, -1 for one without, and what each counts by its kind."""

    places: NDArray[np.intp]
    shares: NDArray[np.float32]
    size: int
    gist: Gist


def _shares(parts: Parts) -> NDArray[np.float32]:
    return np.repeat(_SHARES, list(map(len, parts)))


def _spread(parts: NDArray[np.intp], owners: NDArray[np.int64]) -> NDArray[np.intp]:
    """How many entries hold each part; ``owners`` are the entries of the ``parts``."""
    many = int(parts.max()) + 1
    return np.bincount(np.unique(owners * many + parts) % many)


def _fewest_holders(holders: NDArray[np.intp], most: int) -> int:
    """How many phrasings must hold a part for no more than ``most`` parts to be left."""
    if len(holders) <= most:
        return 1
    return int(np.sort(holders)[-most - 1]) + 1


class Postings:
    """For each part the phrasings that hold it, and its share in each of their vectors.

    ``ends`` are where each part's list ends in ``rows`` and ``shares``; it starts with 0.
    """

    def __init__(
        self, ends: NDArray[np.int64], rows: NDArray[np.int32], shares: NDArray[np.float32], phrasings: int
    ) -> None:
        self.ends, self.rows, self.shares, self.phrasings = ends, rows, shares, phrasings

    @classmethod
    def of(cls, weighed: Sequence[Weighed], parts: int) -> Postings:
        """Turns phrasings by their parts into parts by their phrasings."""
        places = np.concatenate([each.places for each in weighed])
        shares = np.concatenate([each.weights / np.float32(each.norm) for each in weighed])
        rows = np.repeat(np.arange(len(weighed), dtype=np.int32), [len(each.places) for each in weighed])
        order = places.argsort(kind="stable")
        ends = np.concatenate(([0], np.bincount(places, minlength=parts).cumsum()))
        return cls(ends, rows[order], shares[order], len(weighed))

    def likeness(self, weighed: Weighed) -> Floats:
        """The cosine of a text with each phrasing, from 0 to 1."""
        starts, ends = self.ends[weighed.places], self.ends[weighed.places + 1]
        spans = list(map(slice, starts.tolist(), ends.tolist()))
        rows = np.concatenate([self.rows[:0], *map(self.rows.__getitem__, spans)])
        shares = np.concatenate([self.shares[:0], *map(self.shares.__getitem__, spans)])
        shares *= np.repeat(weighed.weights, ends - starts)
        return np.bincount(rows, shares, self.phrasings) / weighed.norm
