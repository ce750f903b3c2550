"""What a message names: product, quantity, share, date and order number."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from config.yaml_file import YamlFile
from faq.text import plain
from understanding.amounts import number_of
from understanding.shares import share_of

_NUMBER = r"(?:\d{1,6}(?:\.\d{1,3})?|[零一二三四五六七八九十百两俩仨半]{1,6})"
_PIECES = "个颗只枚根头粒盒袋包箱件份瓶桶板提捆把条串杯罐筐篮"
_UNITS = rf"公斤|千克|斤半|斤|两|克|毫升|升|块(?!钱)|[{_PIECES}]"
_NO_GOODS = "月|小时|钟|星期|礼拜|人|团|群|电话|问题|办法"
_QUANTITY = re.compile(rf"(?<![\d.年月第])({_NUMBER})\s*(?:来|多)?({_UNITS})(?!{_NO_GOODS})")
_PAIR = re.compile(r"(俩|仨)(?=[\s\u4e00-\u9fff])")

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

        ``product`` and ``order_no`` are texts; ``quantity`` and ``share`` hold what was ``said`` and its ``number``
        (a share from 0 to 1), ``quantity`` its ``unit`` too; ``date`` holds what was ``said`` and, where it is plain,
        ``days_ago``.
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


def _quantity(text: str) -> dict[str, Any] | None:
    for found in _QUANTITY.finditer(text):
        number = number_of(found[1])
        if number is not None:
            half = 0.5 if found[2] == "斤半" else 0.0
            return {"said": found[0].strip(), "number": number + half, "unit": found[2].removesuffix("半")}
    found_pair = _PAIR.search(text)
    return {"said": found_pair[0], "number": number_of(found_pair[0]), "unit": "个"} if found_pair else None


def _share(text: str) -> dict[str, Any] | None:
    share = share_of(text)
    return {"said": share.text, "number": round(share.ratio, 2)} if share and share.ratio else None


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
