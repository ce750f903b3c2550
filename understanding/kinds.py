"""What a resident complains of."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from config.yaml_file import YamlFile
from understanding.acts import in_question_form, only_asks, sentences, tells
from understanding.examples import Likeness, clauses_of, load_examples
from understanding.words import denied, pattern, supposed

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

_SURE = 1.0
"""What a word of the lists adds to the likeness of a clause, which lies between -1 and 1."""
_LIKE = -0.52
"""From which likeness a clause without a listed word is heard as a complaint."""
_LIKE_ALONE = -0.3
"""The same for a message of one clause, in which nothing else speaks for it."""
_LIKE_BESIDE = 0.0
"""The same where another complaint is told by its words."""
_LIKE_SURE = 0.15
"""From which likeness it is acted on; below, everyday words ("再见，做饭去了") come near too."""
_SHORTEST_SURE = 5
"""Characters: "退钱" sounds like many things."""
_CALM_LEAD = 0.2
"""By how much a clause may sound more like everyday talk: of that there are more examples."""
_LIKE_URGENT = 0.3
"""The same for what is P0: an alarm needs more than a likeness."""
_LESS = {"quality": 0.2, "price": 0.5, "not_as_described": 0.2}
"""What is rarely the main thing when something graver is told too."""
_LESS_BESIDE_ROT = 0.6
"""What is spoiled weighs more than what else is wrong with the same goods."""
_LATER = 0.12
"""What a kind loses with each clause before it: what matters most is said first."""
_LAST_COUNTED = 4


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
    not_goods: re.Pattern[str]
    likeness: Likeness

    @classmethod
    def load(cls, file: YamlFile, examples: YamlFile) -> KindReader:
        """Raises ConfigError for a kind that does not exist, has no list or no examples."""
        lists = file.value if isinstance(file.value, dict) else {}
        named = [name for name in lists if name != "not_goods"]
        for name in named:
            if name not in ALL:
                raise file.error(f"there is no complaint kind {name!r}", f"use one of {', '.join(sorted(ALL))}", name)
        missing = sorted(ALL.difference(named))
        if missing:
            raise file.error(f"the kind {missing[0]} has no list", f"write '{missing[0]}:' with its words below")
        likeness = Likeness(load_examples(examples, "kinds", named))
        return cls(tuple((name, pattern(file, name)) for name in named), pattern(file, "not_goods"), likeness)

    def read(self, text: str) -> tuple[Kind, ...]:
        """The kinds that the text complains of, the main one first; none for a question about the rules.

        Danger to people comes first, then what is surest and what is said first.
        """
        said = [sentence for sentence in sentences(self.not_goods.sub("，", text)) if not only_asks(sentence)]
        told = "。".join(said)
        named = {name: _told(expression, told) for name, expression in self.patterns if expression.search(told)}
        listed = {name: words for name, words in named.items() if words}
        statements = (each for each in said if listed or tells(each) or not in_question_form(each))
        heard = self._weigh("。".join(statements), listed, named.keys() - listed.keys())
        heard.sort(key=lambda each: (each[1].name not in URGENT, -each[0]))
        return tuple(kind for _, kind in heard)

    def _weigh(self, told: str, listed: Mapping[str, str], ruled_out: Collection[str]) -> list[tuple[float, Kind]]:
        """Each kind that is listed, or like enough to the examples and not ruled out, with its weight."""
        clauses, likes = clauses_of(told), self.likeness.clauses(told)
        if not clauses:
            return []
        calm, later = likes[:, -1], _LATER * np.minimum(np.arange(len(likes)), _LAST_COUNTED)
        heard = []
        for place, (name, _) in enumerate(self.patterns):
            own = likes[:, place]
            best = int(own.argmax())
            weight = -_LESS.get(name, 0.0) - (_LESS_BESIDE_ROT if name == "quality" and "rotten" in listed else 0.0)
            if name in listed:
                heard.append((weight + _SURE + float((own - later).max()), Kind(name, listed[name])))
            elif name not in ruled_out and own[best] > max(calm[best] - _CALM_LEAD, _enough(name, listed, clauses)):
                heard.append(
                    (
                        weight + float(own[best] - later[best]),
                        Kind(
                            name,
                            clauses[best],
                            False,
                            bool(own[best] >= _LIKE_SURE and len(clauses[best]) >= _SHORTEST_SURE),
                        ),
                    )
                )
        return heard


def _told(expression: re.Pattern[str], text: str) -> str | None:
    found = expression.finditer(text)
    return next((each.group() for each in found if not denied(text, each) and not supposed(text, each)), None)


def _enough(name: str, listed: Collection[str], clauses: Collection[str]) -> float:
    if name in URGENT:
        return _LIKE_URGENT
    if listed:
        return _LIKE_BESIDE
    return _LIKE_ALONE if len(clauses) == 1 else _LIKE


def names(kinds: Sequence[Kind]) -> tuple[str, ...]:
    return tuple(kind.name for kind in kinds)
