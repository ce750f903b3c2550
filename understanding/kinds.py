"""What a resident complains of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from config.yaml_file import YamlFile
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
_TELLS = re.compile(
    r"我(的|们|家|买|收|这|订|昨|今|刚|都|已)|收到|买的|买了|送来|拿到|到手|回家|打开|今天|昨天|前天|刚才?|这(次|个|批|箱|袋|份|盒)|你们|竟|居然"
    r"|\d|[一二两三四五六七八九十半几](个|颗|斤|箱|袋|盒|半|份|次)|一半|[!！]{2}|有股|怪味|异味|臭"
)


_ASKS = re.compile(
    r"[?？]|[吗么呢]|怎么|咋|如何|怎样|多少|多久|多长|几|什么|啥|哪|谁|为何|能不能|可不可以|有没有|是不是|([^\W\d])不\1|(能|行|可以|好|成)不$|没$|有没得|还是|规定|规则"
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


def asks(text: str) -> bool:
    """Whether the text has the form of a question."""
    return bool(_ASKS.search(text))


def tells(text: str) -> bool:
    """Whether the text speaks of something that happened to the resident, and not of the rules."""
    return bool(_TELLS.search(text))


def names(kinds: Sequence[Kind]) -> tuple[str, ...]:
    return tuple(kind.name for kind in kinds)
