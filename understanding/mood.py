"""How a resident feels, and whether a person should take over because of it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from config.yaml_file import YamlFile
from faq.text import plain
from understanding.words import expressions, told

LOW = ("angry", "disappointed", "anxious")
MOODS = (*LOW, "pleased")

_SHOUTING = re.compile(r"[!！]{2,}|[!！][^!！]{1,20}[!！]")
_IMPATIENT = re.compile(r"[?？]{2,}|^[\s?？!！]*[?？][\s?？!！]*$")
_QUOTES = re.compile("[\"'“”‘’「」]")
"""Irony is often put in quotes: 真是“好”啊."""
_COMPARED = 5
_REMEMBERED = 3
_FADED = 0.5
"""What was said before counts half."""
_ALIKE = 0.6
_CERTAIN = 0.8
_KEPT = 2048
"""Lines whose words are not weighed again: most of a resident's history was heard a message ago."""
_BURDEN = {"angry": 1.0, "disappointed": 0.9, "anxious": 0.8}
"""How much a mood asks for a person."""


@dataclass(frozen=True, slots=True)
class Mood:
    """``name`` of the mood, ``low`` from 0 to 1 (should a person take over), and ``reasons`` for staff."""

    name: str
    low: float
    reasons: tuple[str, ...] = ()


Cue = tuple[str, float, re.Pattern[str]]
"""A mood, the weight of the words for it, and the words."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """One line on its own: what its words say of each mood, why, and the characters it is made of."""

    scores: Mapping[str, float]
    reasons: tuple[str, ...]
    letters: frozenset[str]


class MoodReader:
    """Weighs words, signs and repetition; safe to share between threads."""

    def __init__(self, cues: Iterable[Cue]) -> None:
        self._cues = tuple(cues)
        self._hear = lru_cache(maxsize=_KEPT)(self._hear_anew)

    @classmethod
    def load(cls, file: YamlFile) -> MoodReader:
        """Raises ConfigError for a mood that does not exist and for lists that can't be read."""
        content = file.value if isinstance(file.value, dict) else {}
        for mood in content:
            if mood not in MOODS:
                raise file.error(f"there is no mood {mood!r}", f"use one of {', '.join(MOODS)}", mood)
        return cls(cue for mood in MOODS for cue in _cues(file, mood, content.get(mood)))

    def read(self, text: str, history: Sequence[str] = (), *, complains: bool = False, calls: bool = False) -> Mood:
        """The mood of a message after the resident's earlier ones (oldest first).

        ``complains``: the message tells of a complaint; ``calls``: it calls for a person.
        """
        text = _QUOTES.sub("", text)
        now, before = self._hear(text), [self._hear(line) for line in history[-_COMPARED:]]
        scores, reasons = dict(now.scores), list(now.reasons)
        for earlier in before[-_REMEMBERED:]:
            for mood in LOW:
                scores[mood] += _FADED * earlier.scores[mood]
        _add_signs(text, scores, reasons)
        _add_repetition(sum(_alike(now.letters, earlier.letters) for earlier in before), scores, reasons)
        scores["disappointed"] += 0.3 if complains else 0.0
        return Mood(_strongest(scores), _low(scores, calls), tuple(reasons))

    def _hear_anew(self, text: str) -> _Heard:
        """The same characters count once for a mood, in its heaviest cue."""
        scores, reasons = dict.fromkeys(MOODS, 0.0), []
        counted: dict[str, set[int]] = {mood: set() for mood in MOODS}
        for mood, weight, expression in self._cues:
            found = expression.search(text) and told(expression, text)
            if not found or counted[mood].intersection(range(*found.span())):
                continue
            counted[mood].update(range(*found.span()))
            scores[mood] += weight
            if mood in LOW:
                reasons.append(f"提到“{found.group().strip()}”")
        return _Heard(scores, tuple(reasons), frozenset(plain(text)))


def _cues(file: YamlFile, mood: str, groups: Any) -> list[Cue]:
    if not isinstance(groups, list) or not all(isinstance(group, Mapping) for group in groups):
        raise file.error(f"{mood} has no lists of words", "write '- weight: 1.0' and 'words:' below it", mood)
    cues = []
    for number, group in enumerate(groups):
        weight = group.get("weight")
        if not isinstance(weight, int | float) or not 0 < weight <= 3:
            raise file.error("the weight is not a number up to 3", "write 'weight: 1.0'", mood, number)
        lines = expressions(file, mood, number, "words")
        cues += [(mood, float(weight), re.compile(line, re.IGNORECASE)) for line in lines]
    return sorted(cues, key=lambda cue: -cue[1])


def _add_signs(text: str, scores: dict[str, float], reasons: list[str]) -> None:
    upset = any(scores[mood] for mood in LOW)
    if upset and _SHOUTING.search(text):
        scores["angry"] += 0.7
        reasons.append("连用感叹号")
    if _IMPATIENT.search(text):
        scores["anxious"] += 0.9
        reasons.append("连用问号")


def _add_repetition(times: int, scores: dict[str, float], reasons: list[str]) -> None:
    if times:
        scores["anxious"] += 0.9
        scores["angry"] += 0.6 * (times - 1)
        reasons.append(f"同样的话说了 {times + 1} 次")


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one) > 2 and len(one & other) >= _ALIKE * len(one | other)


def _strongest(scores: Mapping[str, float]) -> str:
    best = max(LOW, key=lambda mood: scores[mood])
    if scores[best] >= _CERTAIN:
        return best
    return "pleased" if scores["pleased"] >= 1.0 > scores[best] * 2 else "neutral"


def _low(scores: Mapping[str, float], calls: bool) -> float:
    burden = sum(_BURDEN[mood] * scores[mood] for mood in LOW) + (0.6 if calls else 0.0)
    return round(1 - math.exp(-max(0.0, burden - 0.2 * scores["pleased"]) * 0.7), 4)
