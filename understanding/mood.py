"""How a resident feels, and whether a person should take over because of it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.yaml_file import YamlFile
from faq.text import plain
from understanding.words import denied, expressions

LOW = ("angry", "disappointed", "anxious")
MOODS = (*LOW, "pleased")

_SHOUTING = re.compile(r"[!！]{2,}|[!！][^!！]{1,20}[!！]")
_IMPATIENT = re.compile(r"[?？]{2,}|^[\s?？!！]*[?？][\s?？!！]*$")
_QUOTES = re.compile("[\"'“”‘’「」]")
"""Irony is often put in quotes: 真是“好”啊."""
_REMEMBERED = 3
_FADED = 0.5
"""What was said before counts half."""
_ALIKE = 0.6
_CERTAIN = 0.8
_BURDEN = {"angry": 1.0, "disappointed": 0.9, "anxious": 0.8}
"""How much a mood asks for a person."""


@dataclass(frozen=True, slots=True)
class Mood:
    """``name`` of the mood, ``low`` from 0 to 1 (should a person take over), and ``reasons`` for staff."""

    name: str
    low: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MoodReader:
    """Weighs words, signs and repetition."""

    cues: tuple[tuple[str, float, re.Pattern[str]], ...]

    @classmethod
    def load(cls, file: YamlFile) -> MoodReader:
        """Raises ConfigError for a mood that does not exist and for lists that can't be read."""
        content = file.value if isinstance(file.value, dict) else {}
        for mood in content:
            if mood not in MOODS:
                raise file.error(f"there is no mood {mood!r}", f"use one of {', '.join(MOODS)}", mood)
        return cls(tuple(cue for mood in MOODS for cue in _cues(file, mood, content.get(mood))))

    def read(self, text: str, history: Sequence[str] = (), *, complains: bool = False, calls: bool = False) -> Mood:
        """The mood of a message after the resident's earlier ones (oldest first).

        ``complains``: the message tells of a complaint; ``calls``: it calls for a person.
        """
        text = _QUOTES.sub("", text)
        scores, reasons = self._weigh(text)
        for earlier in history[-_REMEMBERED:]:
            for mood, score in self._weigh(earlier)[0].items():
                scores[mood] += _FADED * score if mood in LOW else 0.0
        _add_signs(text, scores, reasons)
        _add_repetition(text, history, scores, reasons)
        scores["disappointed"] += 0.3 if complains else 0.0
        return Mood(_strongest(scores), _low(scores, calls), tuple(reasons))

    def _weigh(self, text: str) -> tuple[dict[str, float], list[str]]:
        """Scores and reasons of the words; the same characters count once for a mood, in its heaviest cue."""
        scores, reasons = dict.fromkeys(MOODS, 0.0), []
        counted: dict[str, set[int]] = {mood: set() for mood in MOODS}
        for mood, weight, expression in self.cues:
            found = next((each for each in expression.finditer(text) if not denied(text, each)), None)
            if found is None or counted[mood].intersection(range(*found.span())):
                continue
            counted[mood].update(range(*found.span()))
            scores[mood] += weight
            if mood in LOW:
                reasons.append(f"提到“{found.group().strip()}”")
        return scores, reasons


def _cues(file: YamlFile, mood: str, groups: Any) -> list[tuple[str, float, re.Pattern[str]]]:
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


def _add_repetition(text: str, history: Sequence[str], scores: dict[str, float], reasons: list[str]) -> None:
    times = sum(_alike(text, earlier) for earlier in history[-5:])
    if times:
        scores["anxious"] += 0.9
        scores["angry"] += 0.6 * (times - 1)
        reasons.append(f"同样的话说了 {times + 1} 次")


def _alike(text: str, earlier: str) -> bool:
    one, other = set(plain(text)), set(plain(earlier))
    return len(one) > 2 and len(one & other) >= _ALIKE * len(one | other)


def _strongest(scores: Mapping[str, float]) -> str:
    best = max(LOW, key=lambda mood: scores[mood])
    if scores[best] >= _CERTAIN:
        return best
    return "pleased" if scores["pleased"] >= 1.0 > scores[best] * 2 else "neutral"


def _low(scores: Mapping[str, float], calls: bool) -> float:
    burden = sum(_BURDEN[mood] * scores[mood] for mood in LOW) + (0.6 if calls else 0.0)
    return round(1 - math.exp(-max(0.0, burden - 0.2 * scores["pleased"]) * 0.7), 4)
