"""Finds the order lines that somebody means who says "苹果" or "小番茄"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rapidfuzz import fuzz

if TYPE_CHECKING:
    from shop.orders import OrderLine

LONGEST_SAID = 40

# Different words for one product; the words of a group stand for each other.
_SAME = tuple(
    frozenset(words.split())
    for words in (
        "西红柿 番茄",
        "圣女果 小番茄 小西红柿 樱桃番茄",
        "土豆 马铃薯 洋芋",
        "红薯 地瓜 番薯 蜜薯",
        "猕猴桃 奇异果",
        "车厘子 樱桃",
        "菠萝 凤梨",
        "橘子 桔子 蜜桔 蜜橘 砂糖橘 砂糖桔",
        "橙子 脐橙 冰糖橙",
        "苹果 红富士",
        "葡萄 提子 阳光玫瑰",
        "梨子 雪梨 香梨 酥梨",
        "柚子 蜜柚",
        "火龙果 红心火龙果",
        "包菜 卷心菜 圆白菜 甘蓝",
        "花菜 菜花 花椰菜",
        "青菜 小油菜 上海青",
        "玉米 苞米 棒子",
        "香菜 芫荽",
        "茭白 茭瓜",
        "鸡蛋 土鸡蛋 柴鸡蛋",
        "牛奶 鲜奶 纯奶",
        "虾 虾仁 基围虾 大虾 白虾",
        "排骨 肋排 小排",
        "大米 白米 香米",
        "纸巾 抽纸",
    )
)

_CLOSE = 75
"""Share in percent of letters that must agree; at four letters one may be mistyped."""


def matching_lines(lines: Sequence[OrderLine], product: str) -> tuple[OrderLine, ...]:
    """The lines that the said product can mean, in their order; several when it is open, none when nothing fits.

    The surest way of matching that finds anything decides: the words themselves or another name for them, then the
    word's ending (Chinese names what a thing is at the end: 进口香蕉 is a 香蕉), then likeness (typing slips).
    """
    said = _plain(product[:LONGEST_SAID])
    if not said:
        return ()
    for fits in (_contains, _ends_alike, _looks_alike):
        found = tuple(line for line in lines if fits(said, line))
        if found:
            return found
    return ()


def _contains(said: str, line: OrderLine) -> bool:
    names = {said}.union(*(group for group in _SAME if said in group))
    return any(_named(name, line) for name in names)


def _named(name: str, line: OrderLine) -> bool:
    """One letter alone is too little to find anywhere (米 is no 玉米糖): it must end the product's name."""
    if len(name) > 1:
        return name in _title(line)
    return any(word.endswith(name) for word in re.findall(r"[\u4e00-\u9fff]+", line.product))


def _ends_alike(said: str, line: OrderLine) -> bool:
    return len(said) > 2 and said[-2:] in _title(line)


def _looks_alike(said: str, line: OrderLine) -> bool:
    return len(said) > 2 and fuzz.partial_ratio(said, _title(line)) >= _CLOSE


def _title(line: OrderLine) -> str:
    return _plain(line.product + line.spec)


def _plain(words: str) -> str:
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", words).lower())
