"""What the resident wants for what was bad, read from her own words."""

from __future__ import annotations

import re
from typing import Literal

from claims.words import choice_of, is_question, photos_done
from understanding.amounts import compact

Wish = Literal["refund", "replacement", "coupon", "any"]
"""``any``: she leaves it to us."""

_BY_NUMBER: tuple[Wish, ...] = ("refund", "replacement", "coupon")

_WANTED: tuple[tuple[Wish, re.Pattern[str]], ...] = (
    (
        "refund",
        re.compile(
            r"退[款钱费了]|退(?:我|给我|一下|吧|掉|货|还|回|一半|全|点|差价)|赔[钱款]|赔(?:我|点|吧|偿|给)|[给把]我?退|[能要想]退|^退$|返现|返钱|钱退"
        ),
    ),
    (
        "replacement",
        re.compile(
            r"[更交]?换(?!季|个?(?:地址|自提|手机|号|时间|地方|口味|团长|人))|补[发货送寄一二两三几半\d给我上]|重新?[发送寄配]|再[发送寄补]|^补$"
        ),
    ),
    ("coupon", re.compile(r"(?:给|要|发|来|送|想|成|赔|补).{0,4}券|^(?:优惠|代金)?券|优惠券[吧也都可]|红包|抵扣")),
)
_REFUSED = re.compile(
    r"(?:不要|不想|不用|别|不是要?|不需要|懒得|没法|不能)(?:给我|再)?(?:退款|退钱|退货|退|换货|换|补发|补|优惠券|券|红包)+了?"
)
# "退款多久到账" speaks of money and asks for none.
_ASKED_ABOUT = re.compile(
    r"(?:退款|退钱|退|换货|补发|券).{0,6}(?:多久|多长时间|什么时候|啥时候|几天|到账|到没|到了|退到|流程|规则|政策|怎么用|用不了|不能用|哪里|过期)"
)
_ANY = re.compile("都行|都可以|随便|随你|看着办|你们定|您定|你定|听你|怎么都|无所谓|看你们|你们看|你看")


def wish_of(text: str, *, asked: bool = False) -> Wish | None:
    """The first thing wished for, None when there is none.

    ``asked``: the words answer the question with its numbered choices (1 refund, 2 replacement, 3 coupon).
    """
    if asked and (chosen := choice_of(text, len(_BY_NUMBER))):
        return _BY_NUMBER[chosen - 1]
    plain = _REFUSED.sub("", compact(text))
    if _ASKED_ABOUT.search(plain):
        return None
    found = [(match.start(), wish) for wish, pattern in _WANTED if (match := pattern.search(plain))]
    if found:
        return min(found)[1]
    if not asked:
        return None
    return "coupon" if "券" in plain else "any" if _ANY.search(plain) else None


def adds_nothing(text: str) -> bool:
    """ "好了" or "那就退款" when all has been told; a mere "好的" says something else by then."""
    if photos_done(text):
        return "了" in text or "没" in text
    return wish_of(text) is not None and not is_question(text)
