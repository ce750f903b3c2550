"""What a message sounds like, learned from the examples that ship: a second opinion where the word lists are silent."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from config.yaml_file import YamlFile
from faq.learnt import Arrays, LearntStore, key_of, packed, unpacked
from faq.text import plain
from understanding.words import CLAUSE_END

Floats = NDArray[np.float32]
Places = NDArray[np.intp]
Labels = tuple[str, ...]
Examples = Mapping[Labels, Sequence[str]]

CALM = "calm"
"""Where nothing is wrong that the labels could name."""

_RIDGE = 1.0
_PRECISION = 3e-2
"""How little of what is wanted may be left unexplained by the equations; reached in about a dozen steps."""
_BESIDE = 0.3
"""What is wanted of a label that is not the main one: from -1, nothing like it, to 1."""
_SMALLEST = np.finfo(np.float32).tiny
_FIRST_CLAUSES = 12
"""Clauses of one message that are listened to."""
_KEPT = 1024
"""Clauses that are not weighed again: a resident's earlier lines come back with every message."""
_KEPT_ARRAYS = frozenset({"signs", "squares", "usual", "weights"})
_NUMBER = re.compile(r"\d+")
_CLAUSES = re.compile(rf"{CLAUSE_END}+")


@dataclass(frozen=True, slots=True)
class Sound:
    """How much a text sounds like each label, from about -1, nothing like it, to 1, just like its examples.

    ``whole``: all of it; ``clauses``: each for itself, clauses × labels, in the order they were said.
    """

    whole: Floats
    clauses: Floats


class Likeness:
    """A ridge regression over characters and pairs of characters; safe to share between threads.

    A pair does not reach over the end of a clause, so that a text consists of its clauses.
    """

    def __init__(self, labels: Sequence[str], examples: Examples, learnt: LearntStore | None = None) -> None:
        """``examples``: lines under the labels that they are examples of, the main one first; CALM is a label too.

        ``learnt`` keeps what was learnt for the next start.
        """
        self.labels = (*labels, CALM)
        said = [[*of, "", *own] for of, own in examples.items()]
        key = key_of(said, self.labels, [hashlib.sha256(Path(__file__).read_bytes()).hexdigest()])
        kept = learnt.load(key) if learnt else None
        if kept is None or not _KEPT_ARRAYS.issubset(kept):
            kept = self._learn(examples)
            if learnt:
                learnt.keep(key, kept)
        self._places = {sign: place for place, sign in enumerate(unpacked(kept["signs"]))}
        self._squares, self._usual, self._weights = kept["squares"], kept["usual"], kept["weights"]
        self._unknown = float(self._squares.max())
        self._weigh = lru_cache(maxsize=_KEPT)(self._weigh_anew)

    def _learn(self, examples: Examples) -> Arrays:
        """The signs, the squares of their rarity, what is usual of each label, and what each sign weighs for it."""
        lines = [(sorted(_signs_of(line)), of) for of, own in examples.items() for line in own]
        names = sorted(set().union(*(signs for signs, _ in lines)))
        places = {sign: place for place, sign in enumerate(names)}
        told = np.repeat(np.arange(len(lines)), [len(signs) for signs, _ in lines])
        signs = np.array([places[sign] for own, _ in lines for sign in own])
        rarity = np.log1p(len(lines) / np.bincount(signs)).astype(np.float32)
        squares = rarity**2
        lengths = np.sqrt(np.bincount(told, squares[signs]))
        shares = (rarity[signs] / lengths[told]).astype(np.float32)
        wanted = np.array([self._wanted(of) for _, of in lines], np.float32)
        usual = wanted.mean(axis=0)
        weights = _ridge(told, signs, shares, wanted - usual) * rarity[:, None]
        return {"signs": packed(names), "squares": squares, "usual": usual, "weights": weights}

    def hear(self, clauses: Sequence[str]) -> Sound | None:
        """How a text sounds that ``clauses_of`` took apart; None for one without words."""
        weighed = [self._weigh(clause) for clause in clauses]
        if not weighed:
            return None
        sums = np.array([each for each, _ in weighed])
        lengths = np.array([length for _, length in weighed], np.float32)
        whole = sums.sum(axis=0) / np.sqrt(lengths.sum()) + self._usual
        return Sound(whole, np.asarray(sums / np.sqrt(lengths)[:, None] + self._usual, np.float32))

    def _wanted(self, labels: Labels) -> list[float]:
        return [1.0 if label == labels[0] else _BESIDE if label in labels else -1.0 for label in self.labels]

    def _weigh_anew(self, clause: str) -> tuple[Floats, float]:
        """What the signs of a clause say of each label, and the square of their length."""
        signs = _signs(clause)
        known = [place for sign in signs if (place := self._places.get(sign)) is not None]
        length = float(self._squares[known].sum()) + (len(signs) - len(known)) * self._unknown
        return self._weights.take(known, axis=0).sum(axis=0), length


def _ridge(lines: Places, signs: Places, shares: Floats, wanted: Floats) -> Floats:
    """The weight of each sign for each label, by conjugate gradients: a line holds few of the many signs.

    ``lines``, in ascending order, ``signs`` and ``shares`` name what stands where; ``wanted`` is lines × labels.
    """
    by_sign = np.argsort(signs, kind="stable")
    first_of_line = np.flatnonzero(np.diff(lines, prepend=-1))
    first_of_sign = np.flatnonzero(np.diff(signs[by_sign], prepend=-1))
    in_line, in_sign = shares[:, None], shares[by_sign, None]
    lines_by_sign = lines[by_sign]

    def to_signs(values: Floats) -> Floats:
        return np.add.reduceat(values[lines_by_sign] * in_sign, first_of_sign)

    found, left, step = np.zeros_like(wanted), wanted.copy(), wanted.copy()
    size = (left**2).sum(axis=0)
    enough = _PRECISION**2 * size
    while (size > enough).any():
        moved = np.add.reduceat(to_signs(step)[signs] * in_line, first_of_line) + _RIDGE * step
        far = size / np.maximum((step * moved).sum(axis=0), _SMALLEST)
        found += far * step
        left -= far * moved
        before, size = size, (left**2).sum(axis=0)
        step = left + size / np.maximum(before, _SMALLEST) * step
    return to_signs(found)


def clauses_of(text: str) -> list[str]:
    """The clauses of a text that are listened to."""
    return [clause for clause in _CLAUSES.split(text) if clause][:_FIRST_CLAUSES]


def load_examples(file: YamlFile, group: str, labels: Sequence[str]) -> Examples:
    """The examples of a group ("kinds", "moods") by what they are examples of, several labels with the main one first.

    Every label must have a list of its own, and CALM one for all groups. Raises ConfigError for a label that does not
    exist, is missing, or holds no lines.
    """
    content = file.value if isinstance(file.value, Mapping) else {}
    lists = content.get(group)
    if not isinstance(lists, Mapping):
        raise file.error(f"there are no examples of {group}", f"write '{group}:' and a list under each name", group)
    found = {_labels(file, group, name, labels): _lines(file, lines, group, str(name)) for name, lines in lists.items()}
    for label in labels:
        if (label,) not in found:
            _lines(file, None, group, label)
    calm = _lines(file, content.get(CALM), CALM)
    return {**found, (CALM,): [*calm, *found.get((CALM,), ())]}


def _labels(file: YamlFile, group: str, name: object, known: Sequence[str]) -> Labels:
    """The labels that stand before a colon, such as "late, rotten"."""
    named = tuple(str(name).split(", "))
    for label in named:
        if label not in known and named != (CALM,):
            remedy = f"use one of {', '.join(known)}"
            raise file.error(f"there is no {label!r} among the {group}", remedy, group, str(name))
    return named


def _lines(file: YamlFile, lines: object, *keys: str) -> list[str]:
    if not isinstance(lines, list) or not lines or not all(isinstance(line, str) and plain(line) for line in lines):
        raise file.error(f"{keys[-1]} has no list of examples", f"write '{keys[-1]}: [one, two]'", *keys)
    return lines


def _signs_of(text: str) -> frozenset[str]:
    return frozenset().union(*map(_signs, filter(None, _CLAUSES.split(text))))


@lru_cache(maxsize=_KEPT)
def _signs(clause: str) -> frozenset[str]:
    bare = f"^{_NUMBER.sub('0', plain(clause))}$"
    return frozenset((*bare[1:-1], *(bare[place : place + 2] for place in range(len(bare) - 1))))
