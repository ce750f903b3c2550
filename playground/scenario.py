"""Conversations in plain language, which ``playground.play`` acts out.

One file is one conversation. The first line is its title (``# …``), the second one may be its name for those who
watch it being played (``# zh: …``), then one thing that happens a line:

    Resident 王桂兰 sends: 昨天的苹果烂了一半
    Resident 王桂兰 sends photo: bad-apple-1.jpg, bad-apple-2.jpg
    Resident 王桂兰 sends voice: any-name ("what the platform understood; leave it out for silence")
    Resident 王桂兰 sends the same callback again
    Resident 王桂兰 follows            Resident 王桂兰 taps: help
    Resident 王桂兰 chooses: *取货*     a line of the last menu, or its number where menus are numbered texts
    Bot says: *照片*                    to whoever wrote last
    Bot is silent                      to whoever wrote last, until the next thing that is read in that chat
    Leader 张团长 reads: *{ticket}*     a person's next bubble that fits
    Leader 张团长 never reads: *{ticket}*   no bubble of the whole conversation
    Leader 张团长 hears nothing         until the next thing that is read in that chat
    Leader 张团长 says: 同意 {ticket}
    Leader 张团长 taps on the card: 同意        a button, by its words, of the last card that has it
    Agent 小周 answers 吴芳 in the client: 您好       in WeCom's own, where a servicer has taken over her chat
    Agent 小周 ends it with 吴芳 in the client
    Member 赵敏 asks in 阳光花园服务群: 几点取货       with @; the bot hears nothing else in a group
    Member 赵敏 says in 阳光花园服务群: 今天真冷       without it
    Everybody in 客服值班群 reads: *{ticket}*
    Resident 赵敏 opens the link from 阳光花园服务群   the last one that was shown there
    After 49 hours
    Platform answers 45047 to the next message/custom/send
    Only at kf                         the other door leaves this script out

Played with ``door="kf"`` the residents write to the customer service instead of the official account: who follows
comes in by her community's link, who taps something says it, and error codes are the corresponding ones. A voice
message comes without words there, whatever the script says.

In a pattern ``*`` stands for anything, ``(烂|坏)`` for one of several words, and ``{name}`` for a number that stays
the same from its first use on. Empty lines and further ``#`` lines are for the reader.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

SCENARIOS = Path(__file__).parent / "scenarios"
LABEL = "# zh: "
DOORS = ("oa", "kf")

_ROLE = "(?:Resident|Leader|Agent|Supervisor)"
_NAMED = re.compile(rf"{_ROLE} (\S+) |(?:Member \S+ (?:asks|says)|Everybody) in ([^\s:]+)")
_ONLY_AT = re.compile(rf"Only at ({'|'.join(DOORS)})")


class Unreadable(ValueError):
    """A line of a script is not in the language above; the text names file and line."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line: its number, its words, the player's method for it, and what the method is given."""

    number: int
    words: str
    action: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """One conversation. ``label`` is the title in Chinese, or the title itself; ``doors``: where it can be played."""

    file: Path
    title: str
    label: str
    steps: tuple[Step, ...]
    doors: tuple[str, ...] = DOORS

    @property
    def name(self) -> str:
        return self.file.stem

    @property
    def names(self) -> list[str]:
        """The people and groups in it, in the order in which they appear."""
        named = [_NAMED.match(step.words) for step in self.steps]
        return list(dict.fromkeys(match.group(1) or match.group(2) for match in named if match is not None))


FORMS = tuple(
    (re.compile(pattern), action)
    for pattern, action in (
        (rf"{_ROLE} (\S+) (?:sends|says): (.+)", "say"),
        (rf"{_ROLE} (\S+) sends photo: (.+)", "send_photos"),
        (rf'{_ROLE} (\S+) sends voice: (\S+)(?: \("(.+)"\))?', "send_voice"),
        (rf"{_ROLE} (\S+) sends the same callback again", "repeat"),
        (rf"{_ROLE} (\S+) follows", "follow"),
        (rf"{_ROLE} (\S+) taps: (\S+)", "tap"),
        (rf"{_ROLE} (\S+) chooses: (.+)", "choose"),
        (rf"{_ROLE} (\S+) taps on the card: (.+)", "tap_on_card"),
        (rf"{_ROLE} (\S+) reads: (.+)", "read"),
        (rf"{_ROLE} (\S+) never reads: (.+)", "never_read"),
        (rf"{_ROLE} (\S+) hears nothing", "hear_nothing"),
        (rf"{_ROLE} (\S+) answers (\S+) in the client: (.+)", "answer_in_client"),
        (rf"{_ROLE} (\S+) ends it with (\S+) in the client", "end_in_client"),
        (rf"{_ROLE} (\S+) opens the link from (\S+)", "open_link"),
        (r"Member (\S+) asks in ([^\s:]+): (.+)", "ask_in_group"),
        (r"Member (\S+) says in ([^\s:]+): (.+)", "say_in_group"),
        (r"Everybody in (\S+) reads: (.+)", "read"),
        (r"Bot says: (.+)", "bot_says"),
        (r"Bot is silent", "bot_is_silent"),
        (r"After (\d+) hours", "wait_hours"),
        (r"Platform answers (-?\d+) to the next (\S+)", "refuse_next"),
    )
)


def read_script(file: Path) -> Script:
    """Reads one file; ``Unreadable`` for a line that means nothing, or a file without a title."""
    lines = file.read_text(encoding="utf-8").splitlines()
    title = lines[0].removeprefix("#").strip() if lines and lines[0].startswith("#") else ""
    if not title:
        raise Unreadable(f"{file}:1: the first line must be the title, after a #")
    label = lines[1].removeprefix(LABEL) if len(lines) > 1 and lines[1].startswith(LABEL) else title
    said = [(number, line.strip()) for number, line in enumerate(lines, 1)]
    said = [(number, words) for number, words in said if words and not words.startswith("#")]
    only_at = tuple(match.group(1) for _, words in said if (match := _ONLY_AT.fullmatch(words)))
    steps = [_step(file, number, words) for number, words in said if not _ONLY_AT.fullmatch(words)]
    return Script(file, title, label, tuple(steps), only_at or DOORS)


def all_scripts(folder: Path = SCENARIOS) -> list[Script]:
    """The scripts of a folder, by file name."""
    return [read_script(file) for file in sorted(folder.glob("*.txt"))]


def scripts_at(door: str) -> list[Script]:
    """The shipped scripts that can be played at a door."""
    return [script for script in all_scripts() if door in script.doors]


def _step(file: Path, number: int, words: str) -> Step:
    # The general form of `sends:` stands first; the special ones do not fit it, because the colon comes later.
    for form, action in FORMS:
        match = form.fullmatch(words)
        if match is not None:
            return Step(number, words, action, tuple(group or "" for group in match.groups()))
    raise Unreadable(f"{file}:{number}: cannot be read: {words}")
