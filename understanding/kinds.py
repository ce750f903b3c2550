"""What a resident complains of."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from config.yaml_file import YamlFile
from faq.learnt import LearntStore
from understanding.acts import in_question_form, only_asks, sentences, tells
from understanding.examples import Likeness, clauses_of, load_examples
from understanding.words import any_of, denied, pattern, supposed

GOODS = frozenset(
    {
        "rotten",
        "damaged",
        "short_weight",
        "not_as_described",
        "expired",
        "fake",
        "foreign_object",
        "food_safety",
        "quality",
        "price",
    }
)
LOGISTICS = frozenset({"late", "lost", "taken_by_other", "thawed", "status_not_updated"})
ORDER = frozenset({"wrong_item", "missing_item", "cannot_cancel", "discount_not_honoured"})
SERVICE = frozenset({"attitude", "slow_answer", "passed_around", "refund_slow", "harassment", "privacy_leak"})
ALL = GOODS | LOGISTICS | ORDER | SERVICE

CLAIMABLE = (GOODS - {"food_safety", "price"}) | {"thawed", "wrong_item", "missing_item"}
"""Kinds that a photo settles: a claim is started."""

URGENT = frozenset({"food_safety", "harassment", "privacy_leak"})
"""Kinds that are P0."""

_TOLD = 0.12
"""What a word of the lists adds to the likeness of a message, which lies between -1 and 1."""
_WHOLE, _CLAUSE = 0.7, 0.3
"""How much all of a message counts in its likeness, and the clause that is most like the examples."""
_LATER = 0.1
"""What a clause loses for each one before it: what matters most is said first."""
_LAST_COUNTED = 6
_LIKE = -0.72
"""From which likeness a message without a listed word may be a complaint, of the kind that it is most like."""
_LIKE_BESIDE = -0.45
"""The same for a further kind."""
_LIKE_SURE = 0.0
"""From which likeness it is acted on; below, everyday words ("再见，做饭去了") come near too."""
_SHORTEST_SURE = 8
"""Characters: "退钱" sounds like many things."""
_CALM_LEAD = 0.3
"""By how much a message may sound more like everyday talk: of that there are more examples."""
_LIKE_URGENT = 0.1
"""The same for what is P0: an alarm needs more than a likeness."""
_LESS = {"price": 0.15}
"""What is rarely the main thing when something graver is told too."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of complaint and the words that told it.

    ``listed``: the words stand in the lists. ``sure`` enough to act on: else it is a guess by the sound of the words.
    """

    name: str
    words: str
    listed: bool = True
    sure: bool = True


@dataclass(frozen=True, slots=True)
class KindReader:
    """Finds complaint kinds by listed words, and by likeness to examples where no word is listed."""

    patterns: tuple[tuple[str, re.Pattern[str]], ...]
    any_pattern: re.Pattern[str]
    not_goods: re.Pattern[str]
    likeness: Likeness

    @classmethod
    def load(cls, file: YamlFile, examples: YamlFile, learnt: LearntStore | None = None) -> KindReader:
        """``learnt`` keeps what the examples taught for the next start.

        Raises ConfigError for a kind that does not exist, has no list or no examples."""
        lists = file.value if isinstance(file.value, dict) else {}
        named = [name for name in lists if name != "not_goods"]
        for name in named:
            if name not in ALL:
                raise file.error(f"there is no complaint kind {name!r}", f"use one of {', '.join(sorted(ALL))}", name)
        missing = sorted(ALL.difference(named))
        if missing:
            raise file.error(f"the kind {missing[0]} has no list", f"write '{missing[0]}:' with its words below")
        likeness = Likeness(named, load_examples(examples, "kinds", named), learnt)
        patterns = tuple((name, pattern(file, name)) for name in named)
        return cls(patterns, any_of(each for _, each in patterns), pattern(file, "not_goods"), likeness)

    def read(self, text: str) -> tuple[Kind, ...]:
        """The kinds that the text complains of, the main one first; none for a question about the rules.

        Danger to people comes first, then what is told most clearly and first.
        """
        said = [sentence for sentence in sentences(self.not_goods.sub("，", text)) if not only_asks(sentence)]
        told = "。".join(said)
        named = dict(self._named(told)) if self.any_pattern.search(told) else {}
        listed = {name: words for name, words in named.items() if words}
        statements = (each for each in said if listed or tells(each) or not in_question_form(each))
        heard = self._weigh(clauses_of("。".join(statements)), listed, named.keys() - listed.keys())
        heard.sort(key=lambda each: (each[1].name not in URGENT, -each[0]))
        return tuple(kind for _, kind in heard)

    def _named(self, text: str) -> Iterator[tuple[str, str | None]]:
        """The kinds whose words stand in the text, with those that are told, None when they are denied or supposed."""
        for name, expression in self.patterns:
            found = list(expression.finditer(text))
            if found:
                told = (each.group() for each in found if not denied(text, each) and not supposed(text, each))
                yield name, next(told, None)

    def _weigh(
        self, clauses: Sequence[str], listed: Mapping[str, str], ruled_out: Collection[str]
    ) -> list[tuple[float, Kind]]:
        """Each kind that is listed, or like enough to the examples and not ruled out, with its weight."""
        sound = self.likeness.hear(clauses)
        if not sound:
            return []
        timely = sound.clauses - _LATER * np.minimum(np.arange(len(clauses)), _LAST_COUNTED)[:, None]
        likes = _WHOLE * sound.whole + _CLAUSE * timely.max(axis=0)
        calm = float(likes[-1])
        lead = np.maximum(likes - calm, (sound.clauses - sound.clauses[:, -1:]).max(axis=0)).tolist()
        best = None if listed else int(likes[:-1].argmax())
        letters = sum(map(str.isalpha, "".join(clauses)))
        telling, heard = timely.argmax(axis=0), []
        for place, ((name, _), like) in enumerate(zip(self.patterns, likes[:-1].tolist(), strict=True)):
            weight = like - _LESS.get(name, 0.0)
            if name in listed:
                heard.append((weight + _TOLD, Kind(name, listed[name])))
            elif name not in ruled_out and like > _enough(name, place == best) and lead[place] > -_CALM_LEAD:
                sure = like >= _LIKE_SURE and like > calm and letters >= _SHORTEST_SURE
                heard.append((weight, Kind(name, clauses[telling[place]], listed=False, sure=sure)))
        return heard


def _enough(name: str, alone: bool) -> float:
    if name in URGENT:
        return _LIKE_URGENT
    return _LIKE if alone else _LIKE_BESIDE


def names(kinds: Sequence[Kind]) -> tuple[str, ...]:
    return tuple(kind.name for kind in kinds)
