"""What a resident complains of."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from config.yaml_file import YamlFile
from faq.learnt import LearntStore
from understanding.acts import LISTS, ActReader, sentences
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

_NO_KINDS = frozenset({"not_goods", *LISTS})
"""Lists that stand beside those of the kinds."""
_TOLD = 0.3
"""What a word of the lists adds to the likeness of a message, which lies between -1 and 1."""
_WHOLE, _CLAUSE = 0.7, 0.3
"""How much all of a message counts in its likeness, and the clause that is most like the examples."""
_LIKE = -0.8
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
_POINTED_AT = (
    "rotten", "damaged", "expired", "foreign_object", "thawed", "wrong_item", "missing_item", "short_weight",
)  # fmt: skip
_GRAVITY = dict.fromkeys(_POINTED_AT, 0.2) | dict.fromkeys(("price", "slow_answer"), -0.3)
"""What can be pointed at comes before a matter of taste or time, and what it cost and who answered come last."""


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
    acts: ActReader
    likeness: Likeness

    @classmethod
    def load(cls, file: YamlFile, examples: YamlFile, learnt: LearntStore | None = None) -> KindReader:
        """``learnt`` keeps what the examples taught for the next start.

        Raises ConfigError for a kind that does not exist, has no list or no examples."""
        lists = file.value if isinstance(file.value, dict) else {}
        named = [name for name in lists if name not in _NO_KINDS]
        for name in named:
            if name not in ALL:
                raise file.error(f"there is no complaint kind {name!r}", f"use one of {', '.join(sorted(ALL))}", name)
        missing = sorted(ALL.difference(named))
        if missing:
            raise file.error(f"the kind {missing[0]} has no list", f"write '{missing[0]}:' with its words below")
        likeness = Likeness(named, load_examples(examples, "kinds", named), learnt)
        patterns = tuple((name, pattern(file, name)) for name in named)
        any_pattern, not_goods = any_of(each for _, each in patterns), pattern(file, "not_goods")
        return cls(patterns, any_pattern, not_goods, ActReader.load(file), likeness)

    def read(self, text: str) -> tuple[Kind, ...]:
        """The kinds that the text complains of, the main one first; none for a question about the rules.

        Danger to people comes first, then what the words tell and the message sounds like, graver things before others.
        """
        said = [sentence for sentence in sentences(self.not_goods.sub("，", text)) if not self.acts.only_asks(sentence)]
        told = "。".join(said)
        named = dict(self._named(told)) if self.any_pattern.search(told) else {}
        listed = {name: words for name, words in named.items() if words}
        statements = (each for each in said if self.acts.tells(each))
        heard = self._weigh(clauses_of(text if listed else "。".join(statements)), listed, named.keys() - listed.keys())
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
        likes = _WHOLE * sound.whole + _CLAUSE * sound.clauses.max(axis=0)
        calm = float(likes[-1])
        lead = np.maximum(likes - calm, (sound.clauses - sound.clauses[:, -1:]).max(axis=0)).tolist()
        best = int(likes[:-1].argmax())
        letters = sum(map(str.isalpha, "".join(clauses)))
        long_enough = letters >= _SHORTEST_SURE
        telling, heard = sound.clauses.argmax(axis=0), []
        for place, ((name, _), like) in enumerate(zip(self.patterns, likes[:-1].tolist(), strict=True)):
            gravity = _GRAVITY.get(name, 0.0)
            if name in listed:
                heard.append((like + _TOLD + gravity, Kind(name, listed[name])))
                continue
            meant = place == best and bool(listed) and long_enough and name not in URGENT
            heard_alone = like > _enough(name, place == best) and lead[place] > -_CALM_LEAD
            if name not in ruled_out and (meant or heard_alone):
                sure = meant or (like >= _LIKE_SURE and like > calm and long_enough)
                kind = Kind(name, clauses[telling[place]], listed=False, sure=sure)
                heard.append((like + min(0.0, gravity), kind))
        return heard


def _enough(name: str, alone: bool) -> float:
    if name in URGENT:
        return _LIKE_URGENT
    return _LIKE if alone else _LIKE_BESIDE


def names(kinds: Sequence[Kind]) -> tuple[str, ...]:
    return tuple(kind.name for kind in kinds)
