"""What a resident complains of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from config.yaml_file import YamlFile
from understanding.acts import tells
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

_ABOUT_THE_RULES = re.compile(
    r"(怎么|咋|如何|怎样|多少|几|啥|什么|是否|会不会|能不能|可不可以|给不给|包不包|管不管|赔不赔|退不退|可以|能|有没有|要不要).{0,6}"
    r"(赔|退|换|补|处理|保障|规定|规则|管|售后|吃|买)|(赔|退|换|补).{0,5}(吗|么|不|多少|规则|规定|政策|标准|流程)|包赔|赔付标准"
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of complaint and the words that told it."""

    name: str
    words: str


@dataclass(frozen=True, slots=True)
class KindReader:
    """Finds complaint kinds; ``patterns`` in the order of their gravity."""

    patterns: tuple[tuple[str, re.Pattern[str]], ...]

    @classmethod
    def load(cls, file: YamlFile) -> KindReader:
        """Raises ConfigError for a kind that does not exist or has no list."""
        lists = file.value if isinstance(file.value, dict) else {}
        for name in lists:
            if name not in ALL:
                raise file.error(f"there is no complaint kind {name!r}", f"use one of {', '.join(sorted(ALL))}", name)
        missing = sorted(ALL - lists.keys())
        if missing:
            raise file.error(f"the kind {missing[0]} has no list", f"write '{missing[0]}:' with its words below")
        return cls(tuple((name, pattern(file, name)) for name in lists))

    def read(self, text: str) -> tuple[Kind, ...]:
        """The kinds that the text complains of, the main one first; none for a question about the rules.

        Danger to people comes first, then what is spoken of most, then the graver.
        """
        if _ABOUT_THE_RULES.search(text) and not tells(text):
            return ()
        told = [(name, _told(expression, text)) for name, expression in self.patterns]
        heard = [(name, words) for name, words in told if words]
        heard.sort(key=lambda each: (each[0] not in URGENT, -len(each[1])))
        return tuple(Kind(name, words[0]) for name, words in heard)


def _told(expression: re.Pattern[str], text: str) -> list[str]:
    found = expression.finditer(text)
    return [each.group() for each in found if not denied(text, each) and not supposed(text, each)]


def names(kinds: Sequence[Kind]) -> tuple[str, ...]:
    return tuple(kind.name for kind in kinds)
