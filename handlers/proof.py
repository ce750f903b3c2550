"""What somebody types to prove who she is: four digits of a phone number, and an order number or pick-up code."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_SPOKEN = re.compile("[零〇幺一二三四五六七八九]{4,}")
_AS_DIGITS = str.maketrans("零〇幺一二三四五六七八九", "001123456789")
_PHONE_WITH_GAPS = re.compile(r"(?<!\d)(1\d{2})[\s-](\d{4})[\s-](\d{4})(?!\d)")
_LONG = re.compile(r"\d{8}")
_GAP = re.compile(r"(?<=\d)\s+(?=\d)")
_PHONE = re.compile(r"1\d{10}")
_FOUR = re.compile(r"\d{4}")
_TOKEN = re.compile(r"(?=[A-Za-z-]*\d)[0-9A-Za-z-]{4,40}")
_DIGITS_NAMED = re.compile(r"(?:手机|电话|尾号|[后末][四4]位)[^0-9A-Za-z]{0,8}(?:4位[^0-9A-Za-z]{0,4})?(\d{4})(?!\d)")
_NUMBER_NAMED = re.compile(r"(?:[取提]?[货件]码|订单|单号|编号)[^0-9A-Za-z]{0,6}([0-9A-Za-z-]{4,40})")
_LABELS = re.compile(
    "我|的|是|叫|和|跟|加|还有|手机|电话|号码|尾号|[后末前][四4]位|订单|单号|编号|[取提]?[货件]码|下单|核对|本人|就|这个|给你|发|呢|啊|吧"
)
_LONGEST = 100
_LONGEST_NAME = 4
_ORDER_NO = 8
"""A number of so many signs is an order number even when nobody has asked for one."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The parts that a message brings. ``either``: nothing tells which of two four-digit numbers is which.

    ``alone``: the message holds hardly anything else.
    """

    digits: str | None = None
    number: str | None = None
    either: bool = False
    alone: bool = False

    @property
    def stands_by_itself(self) -> bool:
        """Whether it is a proof although nobody has asked for one."""
        return self.alone and self.number is not None and (self.digits is not None or len(self.number) >= _ORDER_NO)


def read_proof(text: str, *, digits_known: bool = False) -> Proof:
    """The parts of a proof in a message; a whole phone number counts as its last four digits.

    ``digits_known``: the digits were told before, so that four digits more are a pick-up code.
    """
    plain = _plain(text)
    if digits_known and not _LONG.search(plain):
        plain = _GAP.sub("", plain)
    tokens: list[str] = _TOKEN.findall(plain)
    rest = _LABELS.sub("", re.sub(r"[\W_]", "", _TOKEN.sub("", plain)))
    named_digits, named_number = _DIGITS_NAMED.search(plain), _NUMBER_NAMED.search(plain)
    number = named_number[1] if named_number else None
    digits = named_digits[1] if named_digits else None
    others = [token for token in tokens if token not in (number, digits)]
    if phone := next((token for token in others if _PHONE.fullmatch(token)), None):
        others.remove(phone)
        digits = digits or phone[-4:]
    either = digits is None and number is None and not digits_known and all(map(_FOUR.fullmatch, others))
    if digits is None and not digits_known and (four := next(filter(_FOUR.fullmatch, others), None)):
        others.remove(four)
        digits = four
    number = number or (others[0] if others else None)
    return Proof(digits, number, either and number is not None, len(rest) <= _LONGEST_NAME)


def _plain(text: str) -> str:
    half_width = unicodedata.normalize("NFKC", text[:_LONGEST])
    digits = _SPOKEN.sub(lambda found: found[0].translate(_AS_DIGITS), half_width)
    return _PHONE_WITH_GAPS.sub(r"\1\2\3", digits)
