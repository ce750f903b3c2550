"""Numbers, units and amounts as people write, type or dictate them: the one place where they are read."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

LONGEST_READ = 200
"""Characters of a message that are compacted; what counts stands at its beginning."""

CHINESE = "零〇一二两三四五六七八九十百"
NUMBER = rf"(?:\d{{1,4}}(?:\.\d{{1,3}})?|[{CHINESE}]{{1,4}}|[俩仨])"
UNIT = (
    "(?:公斤|千克|毫升|kg|ml|g|个(?!多?小时|多?月|多?星期|多?礼拜|问题|人|电话)|只|颗|粒|斤|克|两(?![天次回年月])|袋|盒|箱|瓶|包|串|把|条|块|枚|片|根|筐|提|罐|桶|份|件|板|朵|棵|头|支|杯"
    "|样|层|卷)"
)
AMOUNT = rf"(?:(?:{NUMBER}|好?几|十几|半)[来多]?{UNIT}[半多]?|[俩仨])"
NO_NUMBER = rf"[^\d{CHINESE}俩仨]"

_DIGITS = {sign: float(value) for value, sign in enumerate("零一二三四五六七八九")} | {
    "〇": 0.0,
    "两": 2.0,
    "俩": 2.0,
    "仨": 3.0,
    "半": 0.5,
}
_OPEN = re.compile("[一二两三四五六七八九]{2}")


def compact(text: str) -> str:
    """The words without what dictation adds or leaves out: spaces, punctuation, full-width forms, capitals."""
    plain = unicodedata.normalize("NFKC", text[:LONGEST_READ]).lower()
    return re.sub(r"[^\w%./]|_|(?<!\d)[./]|[./](?!\d)", "", plain)


def number_of(said: str) -> float | None:
    """The number that is written or spoken ("3", "三", "十二", "半", "两"); None when it is none.

    An open one is read as its middle: "七八" is 7.5.
    """
    if _OPEN.fullmatch(said):
        low, high = (_DIGITS[sign] for sign in said)
        return (low + high) / 2
    try:
        return float(Fraction(said))
    except (ValueError, ZeroDivisionError):
        return _spoken(said)


def _spoken(said: str) -> float | None:
    total, digit = 0.0, 0.0
    for place, sign in enumerate(said):
        if sign in "十百":
            total += (digit or (1.0 if place == 0 else 0.0)) * (10 if sign == "十" else 100)
            digit = 0.0
        elif sign in _DIGITS:
            digit = digit * 10 + _DIGITS[sign] if digit and sign != "半" else digit + _DIGITS[sign]
        else:
            return None
    return total + digit if said else None
