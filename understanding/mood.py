"""How a resident feels, and whether a person should take over because of it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import Any

from config.yaml_file import YamlFile
from faq.learnt import LearntStore
from faq.text import plain
from understanding.examples import Likeness, clauses_of, load_examples
from understanding.words import any_of, expressions, pattern, told

LOW = ("angry", "disappointed", "anxious")
MOODS = (*LOW, "pleased")

_SHOUTING = re.compile(r"[!！]{2,}|[!！][^!！]{1,20}[!！]")
_NUDGE = re.compile(
    r"[\s?？!！。.~]*((在吗?|在不在|人呢|有人(吗|没|在吗)|还在吗|喂+|hello|哈[喽啰]|说话|回(一下|我|话|复)|怎么(不|没)(回|说话|人)(话|我|复|理)?|没人(吗|啊)?)[啊呀呢嘛]?"
    r"[\s?？!！。.~]*)+|[\s?？!！]*[?？][\s?？!！]*",
    re.IGNORECASE,
)
"""Calls into the silence; one is a greeting, several in a row are impatience."""
_IMPATIENT = re.compile(r"[?？]{2,}|^[\s?？!！]*[?？][\s?？!！]*$")
_MARKS = re.compile(r"[?？]{2}")
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
_SHORTEST = 4
"""Letters: the sound of less ("都不是") says nothing of a mood."""
_LEARNED = 2.0
_UNLIKE = -0.45
"""From this likeness on the examples add to a mood, with the factor above."""
_TELLING = -0.25
"""From this likeness on a clause is named among the reasons."""
_TONE = "语气"
_BURDEN = {"angry": 1.0, "disappointed": 0.9, "anxious": 0.8}
"""How much a mood asks for a person."""


@dataclass(frozen=True, slots=True)
class Mood:
    """``name`` of the mood, ``low`` from 0 to 1 (should a person take over), and ``reasons`` for staff.

    ``told``: listed words, signs and repetition would do for a mood, without the sound of the message.
    """

    name: str
    low: float
    reasons: tuple[str, ...] = ()
    told: bool = True


Cue = tuple[str, float, re.Pattern[str]]
"""A mood, the weight of the words for it, and the words."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """One line on its own: what its words say of each mood, why, and the characters it is made of."""

    scores: Mapping[str, float]
    reasons: tuple[str, ...]
    letters: frozenset[str]
    nudges: bool


class MoodReader:
    """Weighs words, signs and repetition; safe to share between threads."""

    def __init__(self, cues: Iterable[Cue], calm: re.Pattern[str], likeness: Likeness) -> None:
        """``calm``: what only sounds like a cue and is left out ("空气炸锅" holds 气炸)."""
        self._cues, self._calm, self._likeness = tuple(cues), calm, likeness
        self._any_cue = any_of(expression for _, _, expression in self._cues)
        self._hear = lru_cache(maxsize=_KEPT)(self._hear_anew)

    @classmethod
    def load(cls, file: YamlFile, examples: YamlFile, learnt: LearntStore | None = None) -> MoodReader:
        """``learnt`` keeps what the examples taught for the next start.

        Raises ConfigError for a mood that does not exist and for lists and examples that can't be read."""
        content = file.value if isinstance(file.value, dict) else {}
        for mood in content:
            if mood not in (*MOODS, "calm"):
                raise file.error(f"there is no mood {mood!r}", f"use one of {', '.join(MOODS)}", mood)
        cues = [cue for mood in MOODS for cue in _cues(file, mood, content.get(mood))]
        return cls(cues, pattern(file, "calm"), Likeness(LOW, load_examples(examples, "moods", LOW), learnt))

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
        praises = scores["pleased"] >= 1 and not reasons
        sound = self._add_likeness(text, scores, reasons, _LEARNED / 2 if complains or praises else _LEARNED)
        _add_signs(text, scores, reasons)
        _add_nudges((now, *reversed(before)), scores, reasons)
        _add_repetition(sum(_alike(now.letters, earlier.letters) for earlier in before), scores, reasons)
        told = sum(scores[mood] for mood in LOW) - sound >= _CERTAIN
        scores["disappointed"] += 0.3 if complains else 0.0
        return Mood(_strongest(scores), _low(scores, calls), tuple(reasons), told)

    def _add_likeness(self, text: str, scores: dict[str, float], reasons: list[str], weight: float) -> float:
        """What the sound of the message adds to the mood that it is most like; the lowest clause becomes a reason.

        A complaint never sounds well, and praise is praise, so it weighs less there.
        """
        clauses = clauses_of(text)
        sound = self._likeness.hear(clauses) if sum(map(str.isalpha, text)) >= _SHORTEST else None
        if not sound:
            return 0.0
        low = -sound.clauses[:, -1]
        like = float(low.max() - sound.whole[-1]) / 2
        added = weight * max(0.0, like - _UNLIKE)
        scores[LOW[int(sound.whole[:-1].argmax())]] += added
        if like >= _TELLING and not reasons:
            reasons.append(f"{_TONE}：“{clauses[int(low.argmax())]}”")
        return added

    def _hear_anew(self, text: str) -> _Heard:
        """The same characters count once for a mood, in its heaviest cue."""
        scores, reasons = dict.fromkeys(MOODS, 0.0), []
        counted: dict[str, set[int]] = {mood: set() for mood in MOODS}
        spoken = self._calm.sub("，", text)
        for mood, weight, expression in self._cues if self._any_cue.search(spoken) else ():
            found = expression.search(spoken) and told(expression, spoken)
            if not found or counted[mood].intersection(range(*found.span())):
                continue
            counted[mood].update(range(*found.span()))
            scores[mood] += weight
            if mood in LOW:
                reasons.append(f"提到“{found.group().strip()}”")
        return _Heard(scores, tuple(reasons), frozenset(plain(text)), _NUDGE.fullmatch(text) is not None)


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
        scores["anxious"] += 1.3 if _MARKS.search(text) else 0.9
        reasons.append("连用问号")


def _add_nudges(latest_first: Iterable[_Heard], scores: dict[str, float], reasons: list[str]) -> None:
    times = sum(1 for _ in takewhile(lambda heard: heard.nudges, latest_first))
    if times > 1:
        scores["anxious"] += 0.7 * (times - 1)
        reasons.append(f"连着催了 {times} 次")


def _add_repetition(times: int, scores: dict[str, float], reasons: list[str]) -> None:
    if times:
        scores["anxious"] += 0.9
        scores["angry"] += 0.6 * (times - 1)
        reasons.append(f"同样的话说了 {times + 1} 次")


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    """Numbers alone, of an order or a phone, are no words that somebody repeats."""
    return len(one) > 2 and not all(map(str.isdigit, one)) and len(one & other) >= _ALIKE * len(one | other)


def _strongest(scores: Mapping[str, float]) -> str:
    best = max(LOW, key=lambda mood: scores[mood])
    if scores[best] >= _CERTAIN:
        return best
    return "pleased" if scores["pleased"] >= 1.0 > scores[best] * 2 else "neutral"


def _low(scores: Mapping[str, float], calls: bool) -> float:
    burden = sum(_BURDEN[mood] * scores[mood] for mood in LOW) + (0.6 if calls else 0.0)
    return round(1 - math.exp(-max(0.0, burden - 0.2 * scores["pleased"]) * 0.7), 4)
