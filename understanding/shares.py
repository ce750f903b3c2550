"""How much is bad, read from a resident's own words: a part, a count out of a count, an amount, or all of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from understanding.amounts import AMOUNT, NO_NUMBER, NUMBER, UNIT, compact, number_of

EVERYTHING = "全部"


@dataclass(frozen=True, slots=True)
class Share:
    """How much is bad: in words to read back, and as a part of the whole (0–1) where the words tell that."""

    text: str
    ratio: float | None = None


# What makes a thing bad, or short. "多少", "不少" and "差不多" hold 少 and 差 and say nothing of either.
_BAD = (
    "(?:腐烂|烂|坏|发?臭|发?霉|馊|酸了|破|压|碎|裂|漏|洒|化了|化掉|瘪|蔫|黑了|虫|过期|变质|不能[吃用]|没法[吃用]|吃不了|发错"
    "|(?<![多不])少[发给送装放]?|漏发|缺|差(?!不多)|不对|不新鲜|发芽|磕|碰|摔)"
)
_AFTER_BAD = r"(?:[掉坏伤烂碎破透完光的了]|有|是|大概|大约|差不多|接近|将近|快|得|至少|起码|就|只|占|到|它)*"
_ABOUT = r"(?:有|大概|大约|差不多|接近|将近|快|就|只|里面?|中|是|收到|得|至少|里头)*"
_GOOD = "是?(?:好的|好果|能吃|能用|没坏|没烂|完好|可以吃)"
_VAGUE = "(?:一点点|一点儿?(?![都也])|一些|有些|少量|好多|很多|不少|挺多|好些|一大堆)"
_BAD_AFTER = rf"(?:{NO_NUMBER}{{0,4}}?)(?:都|全|是|已经|有点|也|被|给|又)*{_BAD}"

_PERCENT = re.compile(rf"(?:百分之({NUMBER})|(\d{{1,3}}(?:\.\d+)?)%)(?!{_GOOD})")
_FRACTION = re.compile(rf"({NUMBER})分之?({NUMBER})(?:都|全|还)*({_GOOD})?")
_SLASH = re.compile(r"(?<![\d/])(\d)/(\d)(?![\d/月日号])")
_TENTHS = re.compile(r"(?<!\d)([一二两三四五六七八九]{1,2}|[1-9])成(?![立本功为了熟新交]|是(?!坏|烂|臭|霉|黑|破))")
_BAD_OUT_OF = re.compile(rf"({NUMBER})({UNIT})?{NO_NUMBER}{{0,12}}?{_BAD}{_AFTER_BAD}({NUMBER})({UNIT})?(?!分)")
_OUT_OF_BAD = re.compile(
    rf"({NUMBER})({UNIT})?(?:(?!买){NO_NUMBER}){{0,8}}?{_ABOUT}({NUMBER})({UNIT})?(?:都|全|是|已经|有点)*{_BAD}"
)
_BAD_OF_ALL = re.compile(
    rf"{_BAD}{_AFTER_BAD}({NUMBER})({UNIT})?{NO_NUMBER}{{0,6}}?(?:一共|总共|共|买了?|统共)[是有就买]*({NUMBER})({UNIT})?"
)
_FEW_GOOD = re.compile(rf"({NUMBER})({UNIT}){NO_NUMBER}{{0,10}}?(?:只有|就|剩|才|有)+({NUMBER})({UNIT})?{_GOOD}")
_TOO_FEW = re.compile(
    rf"({NUMBER})({UNIT}){NO_NUMBER}{{0,10}}?(?:只|才|就)(?:有|到|给|发|收到|称|剩)*了?({NUMBER})\2(?!{_GOOD})"
)
_MOST = re.compile("一?大半|一半多|过半|绝?大部分|绝?大多数")
_SMALL = re.compile("一?小半|一?小部分|不到一半")
_HALF = re.compile("(?:[一1]半|半数|对半)(?!天)")
_NOT_ALL = re.compile("(?:不是|没有?|并非)(?:全|都)|(?:每次|每回|老是|总是|回回|次次|以前|天天).{0,6}都|快要?坏")
_ALL = re.compile(
    rf"(?:全部?都?是?|都是?|通通|统统|整[个箱袋盒筐串]都?)(?:已经|给|被|快)*(?!不是){_BAD}(?!{_AFTER_BAD}(?:{AMOUNT}|{_VAGUE}))"
    rf"|全部|一[个颗只盒袋](?:好的?)?[都也](?:没|不)|没有?一?[个颗只盒袋]?是?{_GOOD}|百分百|所有的"
)
_ALL_BUT = re.compile(rf"(?:只有|就|剩|才|除了)({AMOUNT}){_GOOD}")
_BAD_SOME = re.compile(rf"{_BAD}{_AFTER_BAD}({AMOUNT}|{_VAGUE})")
_SOME_BAD = re.compile(rf"(?<!买)(?<!买了)(?<!买的)(?<!订了)(?<!共)(?<!第)({AMOUNT}|{_VAGUE}){_BAD_AFTER}")
_SAID_AMOUNT = re.compile(rf"(?<!第)({AMOUNT}|{_VAGUE})")
_BARE = re.compile(rf"(?:就|大概|大约|差不多|有|坏|烂|了|少|也)*({NUMBER}|几)(?:吧|了|的|左右)*")
_UNCOUNTED = re.compile("说不[清好准上]|不知道|没[细仔]?[细数]|数不清|不清楚|不好说|不确定|记不[清得]")
_ALL_BARE = re.compile("(?:全|都|整)[都是坏烂了的部箱个袋盒]*")


def share_of(text: str, *, asked: bool = False) -> Share | None:
    """How much is bad, None when the words do not tell.

    ``asked``: they answer that very question, so that an amount counts without a word of what is wrong with it.
    """
    plain = compact(text)
    for read in (_part, _out_of, _half, _everything, _some):
        if share := read(plain):
            return share
    return _answered(plain) if asked else None


def _part(plain: str) -> Share | None:
    if found := _PERCENT.search(plain):
        percent = number_of(found[1] or found[2]) or 0
        return Share(f"{percent:g}%", percent / 100) if 0 < percent <= 100 else None
    if found := _FRACTION.search(plain):
        return _fraction(found[1], found[2], rest_is_bad=found[3] is not None)
    if found := _SLASH.search(plain):
        return _fraction(found[2], found[1])
    if found := _TENTHS.search(plain):
        return Share(found[0], (number_of(found[1]) or 0) / 10)
    return None


def _fraction(whole: str, part: str, *, rest_is_bad: bool = False) -> Share | None:
    of, count = number_of(whole), number_of(part)
    if not of or not count or count > of:
        return None
    if not rest_is_bad:
        return Share(f"{whole}分之{part}", count / of)
    return Share(f"{of:g}分之{of - count:g}", (of - count) / of) if count < of else None


def _out_of(plain: str) -> Share | None:
    if found := _FEW_GOOD.search(plain):
        return _counted(*found.groups(), rest_is_bad=True)
    if found := _TOO_FEW.search(plain):
        return _missing(*found.groups())
    if found := _BAD_OF_ALL.search(plain):
        part, part_unit, whole, unit = found.groups()
        return _counted(whole, unit or part_unit, part, part_unit)
    matches = [match for pattern in (_OUT_OF_BAD, _BAD_OUT_OF) if (match := pattern.search(plain))]
    shares = [_counted(*match.groups()) for match in sorted(matches, key=lambda match: match.start())]
    return next((share for share in shares if share), None)


def _counted(
    whole: str, unit: str | None, part: str, part_unit: str | None, *, rest_is_bad: bool = False
) -> Share | None:
    """So many out of so many, when both are counted in the same unit."""
    of, count = number_of(whole), number_of(part)
    same = unit == part_unit or not unit or part in ("俩", "仨") or (rest_is_bad and not part_unit)
    if not of or count is None or count > of or not same:
        return None
    bad = of - count if rest_is_bad else count
    name = unit or part_unit or "个"
    return Share(f"{of:g}{name}里的{bad:g}{name}", bad / of) if bad else None


def _missing(whole: str, unit: str, part: str) -> Share | None:
    of, came = number_of(whole), number_of(part)
    if not of or came is None or came >= of:
        return None
    return Share(f"{of - came:g}{unit}", (of - came) / of)


def _half(plain: str) -> Share | None:
    for pattern, ratio in ((_SMALL, 0.4), (_MOST, 0.6), (_HALF, 0.5)):
        if found := pattern.search(plain):
            return Share(found[0].replace("1半", "一半"), ratio)
    return None


def _everything(plain: str) -> Share | None:
    if found := _ALL_BUT.search(plain):
        return Share(f"除{found[1]}以外的全部")
    return Share(EVERYTHING, 1.0) if _ALL.search(plain) and not _NOT_ALL.search(plain) else None


def _some(plain: str) -> Share | None:
    found = _BAD_SOME.search(plain) or _SOME_BAD.search(plain)
    return Share(found[1].replace("有些", "一些")) if found else None


def _answered(plain: str) -> Share | None:
    if found := _SAID_AMOUNT.search(plain):
        return Share(found[1])
    if found := _BARE.fullmatch(plain):
        return Share(f"{found[1]}个")
    if _UNCOUNTED.search(plain):
        return Share("一些（没细数）")
    return Share(EVERYTHING, 1.0) if _ALL_BARE.fullmatch(plain) else None
