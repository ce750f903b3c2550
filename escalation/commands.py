"""Reading what a leader types: ``接单 0123``, however sloppily it is written.

Nothing that could reach the wrong resident is guessed: where a number might as well be a part of the text, the command
is ``doubtful`` or ``wrong``, and the person is asked to write it clearly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Verb = Literal["list", "look", "take", "reply", "approve", "reject", "solve", "bot_on", "bot_off", "help"]

_WORDS: dict[str, Verb] = {
    "我的工单": "list",
    "我的工單": "list",
    "工单": "list",
    "工單": "list",
    "查看": "look",
    "看": "look",
    "接单": "take",
    "接單": "take",
    "接手": "take",
    "回复": "reply",
    "回復": "reply",
    "回覆": "reply",
    "同意": "approve",
    "不同意": "reject",
    "拒绝": "reject",
    "拒絕": "reject",
    "解决": "solve",
    "解決": "solve",
    "解决了": "solve",
    "办好": "solve",
    "办好了": "solve",
    "机器人": "bot_on",
    "機器人": "bot_on",
    "打开机器人": "bot_on",
    "关闭机器人": "bot_off",
    "关机器人": "bot_off",
    "开机器人": "bot_on",
}
_HELP = frozenset({"帮助", "幫助", "命令", "help", "?", "？"})

_SEPARATORS = r"\s:：,，.。、;；\-—"
_VERBS = "|".join(sorted(_WORDS, key=len, reverse=True))
_COMMAND = re.compile(rf"[\s/／]*({_VERBS})(.*)", re.DOTALL)
_NUMBER_FIRST = re.compile(rf"\s*[#＃]?\s*(\d{{4,9}})\s*[号號]?\s*({_VERBS})(.*)", re.DOTALL)
_NUMBER = re.compile(rf"[{_SEPARATORS}]*((?:工单|工單)?\s*[#＃]?)\s*(\d{{1,9}})(?!\d)[号號]?")
_BARE_NUMBER = re.compile(r"\s*[#＃]?\s*(\d{4,9})[\s。.]*")
_SEPARATOR = re.compile(rf"[{_SEPARATORS}]+")
_TRAILING = re.compile(r"[\s。．.!！?？,，、;；~～…了啦吧哈]*")
_ON_OR_OFF = re.compile(r"[开開关關]")


@dataclass(frozen=True, slots=True)
class Command:
    """A command as understood. ``number`` None: left out. ``text``: a reply's words, or the reason of a refusal.

    ``doubtful``: the number may be the beginning of the text. ``wrong``: it is not clear enough to be carried out.
    """

    verb: Verb
    number: int | None = None
    text: str = ""
    doubtful: bool = False
    wrong: bool = False


def parse(message: str) -> Command | None:
    """The command in a message of staff; None when it is none."""
    if message.strip().strip("/／").lower() in _HELP:
        return Command("help")
    if bare := _BARE_NUMBER.fullmatch(message):
        return Command("look", int(bare[1]))
    if turned := _NUMBER_FIRST.fullmatch(message):
        message = f"{turned[2]} {turned[1]} {turned[3]}"
    found = _COMMAND.fullmatch(message)
    if found is None:
        return None
    verb, rest = _WORDS[found[1]], found[2]
    if verb in ("reply", "reject"):
        return _with_text(verb, rest)
    if verb == "bot_on" and found[1] in ("机器人", "機器人"):
        return _switch(rest)
    return _plain(verb, rest)


def _plain(verb: Verb, rest: str) -> Command:
    number = _NUMBER.match(rest)
    after = rest[number.end() :] if number else rest
    wrong = _TRAILING.fullmatch(after) is None
    if verb == "list" and number:
        verb = "look"
    return Command(verb, int(number[2]) if number else None, wrong=wrong)


def _switch(rest: str) -> Command:
    switches = _ON_OR_OFF.findall(rest)
    command = _plain("bot_on", _ON_OR_OFF.sub(" ", rest))
    verb: Verb = "bot_off" if switches and switches[0] in "关關" else "bot_on"
    return Command(verb, command.number, wrong=command.wrong or len(switches) != 1)


def _with_text(verb: Verb, rest: str) -> Command:
    """Here digits may also begin the text: "回复 3 个工作日内到账", "回复 1000元已退"."""
    number = _NUMBER.match(rest)
    if number is None:
        separator = _SEPARATOR.match(rest)
        text = rest[separator.end() :].strip() if separator else ""
        return Command(verb, None, text, wrong=not text)
    after = rest[number.end() :]
    separator = _SEPARATOR.match(after)
    text = after[separator.end() if separator else 0 :].strip()
    clear = bool(number[1]) or number[2].startswith(("0", "０"))
    glued = separator is None and not clear
    return Command(verb, int(number[2]), text, doubtful=not clear and len(number[2]) < 4, wrong=glued or not text)
