"""Plays the scripted conversations against the whole bot, and shows them as a chat."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from unicodedata import east_asian_width

from commands.errors import CommandRefused
from playground.phones import Screen, words
from playground.play import WentOtherwise, play
from playground.scenario import DOORS, Script, all_scripts
from playground.stage import NotStarted, Stage
from playground.wechat import WeChat
from playground.world import Bubble

WIDTH = 92
DOOR_NAMES = {"oa": "the Official Account (公众号)", "kf": "the customer service (微信客服)"}
GREEN, GREY, RED, BOLD, PLAIN = "\x1b[32m", "\x1b[90m", "\x1b[31m", "\x1b[1m", "\x1b[0m"

Print = Callable[[str], None]


def run(names: list[str], door: str | None) -> int:
    """Plays the named conversations, or all, at one door or at every one. Returns 0 only when each went as written."""
    if door is not None and door not in DOORS:
        raise CommandRefused(f"there is no door {door}", f"write one of {', '.join(DOORS)}")
    scripts, doors = _chosen(names), DOORS if door is None else (door,)
    with tempfile.TemporaryDirectory(prefix="qunda-demo-") as folder:
        try:
            with Stage(Path(folder)) as stage:
                return play_at(doors, scripts, stage, print, coloured=sys.stdout.isatty())
        except NotStarted as error:
            raise CommandRefused(str(error), "look at the lines above; ./qunda doctor may tell more") from None


def play_at(doors: Sequence[str], scripts: list[Script], stage: Stage, show: Print, *, coloured: bool) -> int:
    """Plays scripts at one door after the other, each with the demo as on its first day."""
    codes: list[int] = []
    for door in doors:
        if codes:
            stage.begin_anew()
        show(f"\n════ {DOOR_NAMES[door]}")
        here = [script for script in scripts if door in script.doors]
        codes.append(play_all(here, stage.wechat, show, coloured=coloured, door=door))
    return max(codes)


def play_all(scripts: list[Script], wechat: WeChat, show: Print, *, coloured: bool, door: str = "oa") -> int:
    """Plays scripts one after another on a stage that is up; shows them line by line, and a summary at the end."""
    chat = Chat(show, coloured)
    failed = [script.name for script in scripts if not _went_as_written(script, wechat, chat, door)]
    if failed:
        chat.say(f"{len(failed)} of {len(scripts)} conversations went otherwise: {', '.join(failed)}", RED)
        return 1
    chat.say(f"{len(scripts)} conversation{'s' * (len(scripts) != 1)} at the door {door}, each as written.", GREEN)
    return 0


def _went_as_written(script: Script, wechat: WeChat, chat: Chat, door: str) -> bool:
    chat.say(f"\n── {script.title} ({script.name})", BOLD)
    try:
        play(script, wechat, on_line=chat.bubble, door=door)
    except WentOtherwise as error:
        chat.say(f"✗ {error}", RED)
        return False
    return True


def _chosen(names: list[str]) -> list[Script]:
    """Scripts by a part of their file's name, in the order of the files."""
    scripts = all_scripts()
    for name in names:
        if not any(name in script.name for script in scripts):
            known = ", ".join(script.name for script in scripts)
            raise CommandRefused(f"there is no conversation {name}", f"name one of these, or a part of it: {known}")
    return [script for script in scripts if not names or any(name in script.name for name in names)]


class Chat:
    """Prints chats: what people send on the right, what they get on the left."""

    def __init__(self, show: Print, coloured: bool) -> None:
        self._show = show
        self._coloured = coloured

    def say(self, line: str, colour: str = "") -> None:
        self._show(f"{colour}{line}{PLAIN}" if self._coloured and colour else line)

    def bubble(self, screen: Screen, bubble: Bubble) -> None:
        if bubble.speaker == "person":
            said_by = screen.speaker(bubble)
            place = "" if said_by == screen.name else f"（{screen.name}）"
            for line in f"{words(bubble)}  ‹{said_by}{place}".splitlines():
                self.say(" " * max(0, WIDTH - _columns(line)) + line, GREEN)
            return
        colour = GREY if bubble.speaker == "platform" else ""
        self.say(f"{screen.speaker(bubble)} → {screen.name}› {words(bubble)}", colour)


def _columns(text: str) -> int:
    """How many columns of a terminal the text takes."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
