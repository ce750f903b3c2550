"""What a clause sounds like, learned from the examples that ship: a second opinion where the word lists are silent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from config.yaml_file import YamlFile
from faq.text import plain
from understanding.words import CLAUSE_END

Floats = NDArray[np.float32]
Places = NDArray[np.intp]

_RIDGE = 1.0
_PRECISION = 1e-3
"""How little of what is wanted may be left unexplained by the equations; reached in about twenty steps."""
_SMALLEST = np.finfo(np.float32).tiny
_FIRST_CLAUSES = 12
"""Clauses of one message that are listened to."""
_KEPT = 1024
"""Clauses that are not weighed again: a resident's earlier lines come back with every message."""
_NUMBER = re.compile(r"\d+")
_CLAUSES = re.compile(rf"{CLAUSE_END}+")


class Likeness:
    """A ridge regression over characters and pairs of characters; safe to share between threads."""

    def __init__(self, examples: Mapping[str, Sequence[str]]) -> None:
        """``examples``: lines under each label; every label has some."""
        self.labels = tuple(examples)
        lines = [(_signs(line), label) for label, own in enumerate(examples.values()) for line in own]
        self._places = {sign: place for place, sign in enumerate(sorted(set().union(*(signs for signs, _ in lines))))}
        told = np.repeat(np.arange(len(lines)), [len(signs) for signs, _ in lines])
        signs = np.array([self._places[sign] for own, _ in lines for sign in own])
        self._rarity = np.log1p(len(lines) / np.bincount(signs)).astype(np.float32)
        self._squares = self._rarity**2
        self._unknown = float(self._squares.max())
        lengths = np.sqrt(np.bincount(told, self._squares[signs]))
        shares = (self._rarity[signs] / lengths[told]).astype(np.float32)
        wanted = np.full((len(lines), len(self.labels)), -1, np.float32)
        wanted[np.arange(len(lines)), [label for _, label in lines]] = 1
        self._usual = wanted.mean(axis=0)
        self._weights = _ridge(told, signs, shares, wanted - self._usual) * self._rarity[:, None]
        self._clause = lru_cache(maxsize=_KEPT)(self._weigh)

    def clauses(self, text: str) -> Floats:
        """Clauses × labels in the order they were said: from -1, nothing like it, to 1, just like the examples."""
        return np.array([self._clause(clause) for clause in clauses_of(text)], np.float32).reshape(-1, len(self.labels))

    def _weigh(self, clause: str) -> Floats:
        signs = _signs(clause)
        known = [place for sign in signs if (place := self._places.get(sign)) is not None]
        if not known:
            return self._usual
        length = float(self._squares[known].sum()) + (len(signs) - len(known)) * self._unknown
        return self._weights[known].sum(axis=0) / np.float32(length**0.5) + self._usual


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


def load_examples(file: YamlFile, group: str, labels: Sequence[str]) -> dict[str, list[str]]:
    """The examples of a group ("kinds", "moods") under each label, and those under "calm", which must all be there.

    Raises ConfigError for a label that does not exist, is missing, or holds no lines.
    """
    content = file.value if isinstance(file.value, Mapping) else {}
    lists = content.get(group)
    if not isinstance(lists, Mapping):
        raise file.error(f"there are no examples of {group}", f"write '{group}:' and a list under each name", group)
    for label in lists:
        if label not in labels and label != "calm":
            remedy = f"use one of {', '.join(labels)}"
            raise file.error(f"there is no {label!r} among the {group}", remedy, group, label)
    found = {label: _lines(file, lists.get(label), group, label) for label in labels}
    calm = _lines(file, content.get("calm"), "calm")
    return {**found, "calm": [*calm, *(_lines(file, lists["calm"], group, "calm") if "calm" in lists else ())]}


def _lines(file: YamlFile, lines: object, *keys: str) -> list[str]:
    if not isinstance(lines, list) or not lines or not all(isinstance(line, str) and plain(line) for line in lines):
        raise file.error(f"{keys[-1]} has no list of examples", f"write '{keys[-1]}: [one, two]'", *keys)
    return lines


@lru_cache(maxsize=_KEPT)
def _signs(text: str) -> frozenset[str]:
    bare = f"^{_NUMBER.sub('0', plain(text))}$"
    return frozenset((*bare[1:-1], *(bare[place : place + 2] for place in range(len(bare) - 1))))
