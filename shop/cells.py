"""Reads single spreadsheet cells strictly: each function gives the value or says in plain words what is wrong.

A cell is what the csv or xlsx reader gives: text, number, date, bool or None.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time, tzinfo
from decimal import Decimal
from typing import Any

from shop.money import parse_yuan
from shop.sheets import Formula

_INVISIBLE = frozenset({"Cf", "Cs", "Co"})
_WRAPPED = re.compile(r'=?"([^"]*)"|\'(.*)', re.DOTALL)
# What a spreadsheet would run on opening an export: =…, @…, and the +/- forms that call or reach outside.
_FORMULA = re.compile(r"[=@]|[+-].*(?:[|!]|[A-Za-z]\()", re.DOTALL)
_ERROR = re.compile(r"#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!)")
_ROUNDED = re.compile(r"[0-9](?:\.[0-9]+)?[eE]\+?[0-9]+")
_PHONE = re.compile(r"(?:\+?86|0086)?(1[3-9][0-9]{9})")
_QUANTITY = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,3})?")
_MOMENT = re.compile(
    r"([0-9]{4})(?:-|/|\.|年)([0-9]{1,2})(?:-|/|\.|月)([0-9]{1,2})日?"
    r"(?:(?:T| +)([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]{1,6})?)?)? *(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_EXACT_DIGITS = 10**15
"""A spreadsheet keeps 15 digits of a number; of a longer one the last are lost."""

LONGEST_NOTE = 500


class CellProblem(ValueError):
    """What is wrong with a cell, and what to write instead. Never holds the cell's text: it may be personal."""


def text(cell: Any, longest: int) -> str:
    """Words as a person sees them: without control and invisible characters, spaces at the ends or formulas."""
    return _plain(clean(cell), longest)


def note(cell: Any) -> str:
    """A remark in a column of its own. "@团长 放门口" is a fair remark: a quote keeps spreadsheets from running it."""
    words = clean(cell)
    if len(words) > LONGEST_NOTE:
        raise CellProblem(f"has {len(words)} characters, {LONGEST_NOTE} at most; shorten it")
    return f"'{words}" if _FORMULA.match(words) else words


def code(cell: Any, longest: int) -> str:
    """An order number or pick-up code: as text, in half-width characters, without inner spaces."""
    if isinstance(cell, (int, float)) and abs(cell) >= _EXACT_DIGITS:
        raise CellProblem("was rounded by the spreadsheet; format the column as text and enter it again")
    words = _plain(_half_width(cell).replace(" ", ""), longest)
    if _ROUNDED.fullmatch(words):
        raise CellProblem("was shortened by the spreadsheet (1.2E+10); format the column as text")
    return words


def phone(cell: Any) -> str:
    """A mainland mobile number as 11 digits; +86, spaces and dashes are taken off."""
    digits = re.sub(r"[\s-]", "", _half_width(cell))
    if _ROUNDED.fullmatch(digits):
        raise CellProblem("was shortened by the spreadsheet (1.38E+10); format the column as text")
    match = _PHONE.fullmatch(digits)
    if match is None:
        raise CellProblem("is not a mobile number; 11 digits beginning with 1 are needed")
    return match.group(1)


def amount(cell: Any) -> int:
    """Yuan in the cell, fen as the result."""
    words = _number_words(cell)
    if words.startswith("-"):
        raise CellProblem("is negative; write the line's price, for example 22.80")
    try:
        return parse_yuan(words)
    except ValueError:
        raise CellProblem("is not an amount; write yuan with at most two decimals, for example 22.80") from None


def quantity(cell: Any) -> float:
    """Pieces or weight, more than nothing, up to three decimals."""
    words = _number_words(cell)
    if words.startswith("-"):
        raise CellProblem("is negative; write how many were ordered")
    if not _QUANTITY.fullmatch(words) or float(words) == 0:
        raise CellProblem("is not a number of pieces; write for example 2 or 1.5")
    return float(words)


def moment(cell: Any, timezone: tzinfo) -> datetime | None:
    """A point in time; without a zone of its own it is taken in ``timezone``. None for an empty cell."""
    if isinstance(cell, datetime):
        return _checked(cell if cell.tzinfo else cell.replace(tzinfo=timezone))
    if isinstance(cell, date):
        return _checked(datetime.combine(cell, time(), timezone))
    words = _half_width(cell)
    return _moment_in_words(words, timezone) if words else None


def yes_or_no(cell: Any) -> bool | None:
    """是 or 否; None for an empty cell."""
    words = clean(cell).lower()
    if words in {"是", "yes", "y", "true", "1", "√"}:
        return True
    if words in {"否", "no", "n", "false", "0", "×"}:
        return False
    if words:
        raise CellProblem("is neither 是 nor 否")
    return None


def channel_account(cell: Any) -> tuple[str, str] | None:
    """``channel:id`` as a pair; None for an empty cell."""
    words = text(cell, 193)
    if not words:
        return None
    channel, colon, account = (part.strip() for part in words.replace("：", ":").partition(":"))
    if not (channel and colon and account) or len(channel) > 64 or len(account) > 128:
        raise CellProblem("is not channel:id; write for example oa:oABC123")
    return channel, account


def clean(cell: Any) -> str:
    """The cell as one line of visible text."""
    if cell is None:
        return ""
    if isinstance(cell, Formula):
        raise CellProblem(
            "holds a formula whose value was not saved; open the file in a spreadsheet program and save it there"
        )
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    words = str(cell)
    if not words.isprintable():
        words = " ".join("".join(_visible(letter) for letter in words).split())
    words = words.strip()
    if words[:1] in "=\"'" and (wrapped := _WRAPPED.fullmatch(words)):  # ="123" and '123 keep digits as text
        words = (wrapped.group(1) or wrapped.group(2) or "").strip()
    return words


def _visible(letter: str) -> str:
    kind = unicodedata.category(letter)
    return " " if kind == "Cc" else "" if kind in _INVISIBLE else letter


def _number_words(cell: Any) -> str:
    """A number as people write it; a computed 22.799999999999997 is meant as 22.8."""
    if isinstance(cell, float):
        return format(Decimal(f"{cell:.10g}"), "f")
    return _half_width(cell)


def _half_width(cell: Any) -> str:
    return unicodedata.normalize("NFKC", clean(cell)).strip()


def _plain(words: str, longest: int) -> str:
    if len(words) > longest:
        raise CellProblem(f"has {len(words)} characters, {longest} at most; shorten it")
    if _FORMULA.match(words):
        raise CellProblem("looks like a formula; write plain text")
    if _ERROR.fullmatch(words):
        raise CellProblem("holds a spreadsheet error; enter the value itself")
    return words


def _moment_in_words(words: str, timezone: tzinfo) -> datetime:
    match = _MOMENT.fullmatch(words)
    if match is None:
        raise CellProblem("is not a time; write for example 2026-11-20 17:30")
    *parts, zone = match.groups()
    year, month, day, hour, minute, second = (int(part or 0) for part in parts)
    try:
        local = datetime(year, month, day, hour, minute, second, tzinfo=timezone)
        return _checked(local.replace(tzinfo=datetime.strptime(zone, "%z").tzinfo) if zone else local)
    except ValueError as error:
        if isinstance(error, CellProblem):
            raise
        raise CellProblem("is a date or time that does not exist") from None


def _checked(moment: datetime) -> datetime:
    if not 2000 <= moment.year < 2100:
        raise CellProblem("is not in this century; check the year")
    return moment
