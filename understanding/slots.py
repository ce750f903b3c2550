"""What a message names: product, quantity, share, date and order number."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from config.yaml_file import YamlFile
from faq.text import plain

_DIGITS = {sign: float(value) for value, sign in enumerate("零一二三四五六七八九")} | {
    "两": 2,
    "俩": 2,
    "仨": 3,
    "半": 0.5,
}
_NUMBER = r"(?:\d{1,6}(?:\.\d{1,3})?|[零一二三四五六七八九十百两俩仨半]{1,6})"
_PIECES = "个颗只枚根头粒盒袋包箱件份瓶桶板提捆把条串杯罐筐篮"
_UNITS = rf"公斤|千克|斤半|斤|两|克|毫升|升|块(?!钱)|[{_PIECES}]"
_NO_GOODS = "月|小时|钟|星期|礼拜|人|团|群|电话|问题|办法"
_QUANTITY = re.compile(rf"(?<![\d.年月第])({_NUMBER})\s*(?:来|多)?({_UNITS})(?!{_NO_GOODS})")
_PAIR = re.compile(r"(俩|仨)(?=[\s\u4e00-\u9fff])")

_BAD = r"(?:坏|烂|臭|碎|破|裂|霉|化|死|发霉|压坏|不能吃|没法吃)"
_WHOLE = re.compile(
    rf"全部|全都|全(?:是)?(?={_BAD})|整[箱袋盒个]都|都(?:是)?(?={_BAD}|不能|没法)|没有?一个好|一个都不能"
)
_MOST = re.compile(r"大半|大部分|多半|绝大多数|大多数|差不多都|基本上?都|几乎都")
_HALF = re.compile(r"一半|半数|半(?=[箱袋盒])")
_FRACTION = re.compile(rf"({_NUMBER})分之({_NUMBER})")
_TENTHS = re.compile(rf"({_NUMBER})成(?![团本功熟交年员都了])")
_PERCENT = re.compile(rf"(\d{{1,3}}(?:\.\d{{1,3}})?)\s*[%％]|百分之({_NUMBER})")
_SOME = rf"({_NUMBER})[{_PIECES}斤]"
_BAD_OF = re.compile(rf"{_SOME}[^。！？!?\n]{{0,8}}?(?:{_BAD}了?|有)\s*{_SOME}(?:.{{0,4}}{_BAD})?")

_DAYS_AGO = {
    3: "大前天",
    2: "前天 前日 前儿",
    1: "昨天 昨日 昨晚 昨儿 昨个 昨早",
    0: "今天 今日 今早 今晚 今儿 今个 今晨 刚才 刚刚",
    -1: "明天 明早 明儿",
    -2: "后天",
}
_DAYS = {word: days for days, words in _DAYS_AGO.items() for word in words.split()}
_DAY_NUMBER = r"(?:\d{1,2}|[一二三四五六七八九十]{1,3})"
_DATE = re.compile(
    "|".join(
        (
            *sorted(_DAYS, key=len, reverse=True),
            rf"(?:\d{{2,4}}年)?{_DAY_NUMBER}月{_DAY_NUMBER}[日号]?",
            r"(?<!\d)\d{4}[-/.]\d{1,2}[-/.]\d{1,2}",
            r"(?<![\d.])(?:[12]?\d|3[01])号(?![楼门栋线店房单])",
            r"(?:上个?|这个?|本|下个?)?(?:星期|周|礼拜)[一二三四五六日天末](?!围)",
        )
    )
)
_AGO = re.compile(rf"({_NUMBER})天(?:以)?前")

_ORDER_NO = re.compile(r"(?:订单|单|编)号?\s*(?:是|为|[:：#])?\s*([A-Za-z]{0,4}-?\d[\dA-Za-z-]{3,23})")
_LONG_NUMBER = re.compile(r"(?<![\dA-Za-z])([A-Za-z]{0,4}\d{8,24})(?![\dA-Za-z])")
_PHONE = re.compile(r"1[3-9]\d{9}")


@dataclass(frozen=True, slots=True)
class SlotReader:
    """Finds the named things; ``products`` are the words of the trade."""

    products: re.Pattern[str]

    @classmethod
    def load(cls, file: YamlFile) -> SlotReader:
        """Reads a file of the shape ``sort: [product, …]``."""
        sorts = file.value if isinstance(file.value, Mapping) else {}
        for sort, words in sorts.items():
            if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
                raise file.error(f"{sort} is not a list of words", f"write '{sort}: [one, two]'", sort)
        if not sorts:
            raise file.error("there are no products", "write 'sort: [one, two]'")
        return cls(_longest_first(word for words in sorts.values() for word in words))

    def read(self, text: str, products: Iterable[str] = ()) -> dict[str, Any]:
        """The slots that the text fills; ``products`` are names the caller knows, such as those of the orders.

        ``product`` and ``order_no`` are texts; ``quantity`` and ``share`` hold what was ``said`` and its ``number``,
        ``quantity`` its ``unit`` too; ``date`` holds what was ``said`` and, where it is plain, ``days_ago``.
        """
        order_no = _order_no(text)
        rest = text.replace(order_no, " ") if order_no else text
        slots = {
            "product": self._product(rest, products),
            "quantity": _quantity(rest),
            "share": _share(rest),
            "date": _date(rest),
            "order_no": order_no,
        }
        return {name: value for name, value in slots.items() if value is not None}

    def only_product(self, text: str) -> bool:
        """Whether the text is a product's name and hardly anything else ("苹果呢")."""
        bare = plain(text)
        rest = self.products.sub("", bare)
        return len(rest) < len(bare) and len(rest) <= 1

    def _product(self, text: str, products: Iterable[str]) -> str | None:
        known = [name for name in products if name and name in text]
        if known:
            return max(known, key=len)
        found = self.products.findall(text)
        return max(found, key=len) if found else None


def number_of(said: str) -> float | None:
    """The number that is written or spoken: "3", "三", "十二", "半", "两"; None when it is none."""
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


def _quantity(text: str) -> dict[str, Any] | None:
    for found in _QUANTITY.finditer(text):
        number = number_of(found[1])
        if number is not None:
            half = 0.5 if found[2] == "斤半" else 0.0
            return {"said": found[0].strip(), "number": number + half, "unit": found[2].removesuffix("半")}
    found_pair = _PAIR.search(text)
    return {"said": found_pair[0], "number": _DIGITS[found_pair[0]], "unit": "个"} if found_pair else None


def _share(text: str) -> dict[str, Any] | None:
    for read in (_ratio, _part):
        share = read(text)
        if share:
            return share
    for expression, number in ((_MOST, 0.75), (_HALF, 0.5), (_WHOLE, 1.0)):
        found = expression.search(text)
        if found:
            return {"said": found[0], "number": number}
    return None


def _ratio(text: str) -> dict[str, Any] | None:
    found = _BAD_OF.search(text)
    whole, bad = (number_of(found[1]), number_of(found[2])) if found else (None, None)
    if not found or not whole or not bad or bad > whole or not re.search(_BAD, found[0]):
        return None
    return {"said": found[0], "number": round(bad / whole, 2)}


def _part(text: str) -> dict[str, Any] | None:
    if found := _FRACTION.search(text):
        part, whole = number_of(found[2]), number_of(found[1])
    elif found := _TENTHS.search(text):
        part, whole = number_of(found[1]), 10.0
    elif found := _PERCENT.search(text):
        part, whole = number_of(found[1] or found[2]), 100.0
    else:
        return None
    if not part or not whole or part > whole:
        return None
    return {"said": found[0], "number": round(part / whole, 2)}


def _date(text: str) -> dict[str, Any] | None:
    ago = _AGO.search(text)
    if ago and (days := number_of(ago[1])) is not None:
        return {"said": ago[0], "days_ago": int(days)}
    found = _DATE.search(text)
    if not found:
        return None
    said = found[0]
    return {"said": said, "days_ago": _DAYS[said]} if said in _DAYS else {"said": said}


def _order_no(text: str) -> str | None:
    named = _ORDER_NO.search(text)
    if named and not _PHONE.fullmatch(named[1]):
        return named[1]
    alone = [number for number in _LONG_NUMBER.findall(text) if not _PHONE.fullmatch(number)]
    return alone[0] if alone else None


def _longest_first(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(set(words), key=lambda word: (-len(word), word)))))
