"""Word lists as operators write them, and what stands around a word that was found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from config.yaml_file import YamlFile

_GAP = r"[^\s。！？!?；;，,、]{0,8}?"
CLAUSE_END = r"[\s，,。．.!！?？；;、~～…：:]"
_CLAUSE_END = re.compile(CLAUSE_END)
_NOT = re.compile(
    r"(没有?|[不未别无莫甭]|不会|不是|不算|并非|没什么|没发现|没出现|没再|不再|不用|免得|以免|避免|防止|预防)"
    r"(怎么|什么|有|再|很|太|那么|这么|被|给|任何|过|说|是|要|想)?$"
)
_NOT_BUT = re.compile(
    r"不是.{0,12}就是|不是.{0,4}(怎么|为什么)|(怎么|能|敢|会)(能|会|敢)?不$|[好要是]不$|差点没$|不得不$"
)
_SUPPOSED = re.compile(
    r"如果|要是|假如|假设|假使|万一|倘若|会不会|不会.{0,8}吧|能不能|可不可以|是否会|怕|担心|以防|容易"
    r"|((?<![一等待])会|可能)[^了]{0,12}$"
)
_ASKED = re.compile(r"(的)?(吗|么|嘛)[?？\s]*$")
_THIS_OR_NOT = re.compile(r"(?<!不)([^\W\d]{1,2})不\1(?!不)|有没有")
"""The questions "酸不酸", "新鲜不新鲜" and "有没有保温" say neither."""
_REACH = 12
_GROUP = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?!\?)")
"""A group, and what only looks like one: a sign that is meant as such, and a set of signs."""


def expressions(file: YamlFile, *keys: str | int) -> list[str]:
    """A list of regular expressions, in which … stands for up to eight characters of one clause.

    Their groups capture nothing, which makes a search more than twice as fast.
    Raises ConfigError with file and line for a list that is missing or empty, and for what is not an expression.
    """
    lines: Any = file.value
    for key in keys:
        known = isinstance(key, int) or (isinstance(lines, Mapping) and key in lines)
        lines = lines[key] if known else None
    if not isinstance(lines, list) or not lines:
        raise file.error(f"{keys[0]} has no list of expressions", "write one expression a line, each after '- '", *keys)
    return [_checked(file, line, *keys, number) for number, line in enumerate(lines)]


def pattern(file: YamlFile, *keys: str | int) -> re.Pattern[str]:
    """One pattern that finds any of a list's expressions; errors as in ``expressions``."""
    return re.compile("|".join(f"(?:{line})" for line in expressions(file, *keys)), re.IGNORECASE)


def any_of(patterns: Iterable[re.Pattern[str]]) -> re.Pattern[str]:
    """One pattern that finds a place where any of several matches: most messages hold none and need no more looks."""
    return re.compile("|".join(f"(?:{each.pattern})" for each in patterns), re.IGNORECASE)


def clause_before(text: str, start: int) -> str:
    """What stands before a place within the same clause, at most a dozen characters."""
    return _CLAUSE_END.split(text[max(0, start - _REACH) : start])[-1]


def clause_after(text: str, end: int) -> str:
    """What stands after a place within the same clause, with the mark that ends it."""
    rest = text[end : end + _REACH]
    found = _CLAUSE_END.search(rest)
    return rest[: found.end()] if found else rest


def denied(text: str, found: re.Match[str]) -> bool:
    """Whether the clause says that it is not so ("没有坏", but not "不是坏的就是小的")."""
    before = clause_before(text, found.start())
    if not _NOT.search(before):
        return False
    return not _NOT_BUT.search(before + found.group() + clause_after(text, found.end())) and not _NOT_BUT.search(before)


def told(expression: re.Pattern[str], text: str) -> re.Match[str] | None:
    """The first place where the text says it and does not deny it."""
    return next((found for found in expression.finditer(text) if not denied(text, found)), None)


def supposed(text: str, found: re.Match[str]) -> bool:
    """Whether it is only asked or feared ("吃了会拉肚子吗", "万一坏了"), not told."""
    if _THIS_OR_NOT.search(text[max(0, found.start() - 2) : found.end() + 3]):
        return True
    before, after = clause_before(text, found.start()), clause_after(text, found.end())
    return bool(_SUPPOSED.search(before + found.group())) or bool(_ASKED.match(after))


def _checked(file: YamlFile, line: Any, *keys: str | int) -> str:
    if not isinstance(line, str) or not line:
        raise file.error("this is not a text", "write an expression in quotes", *keys)
    expression = _GROUP.sub(lambda found: "(?:" if found[0] == "(" else found[0], line.replace("…", _GAP))
    try:
        re.compile(expression)
    except re.error as error:
        problem = f"this is not a regular expression: {error}"
        raise file.error(problem, "mend the brackets and signs in it", *keys) from None
    return expression
