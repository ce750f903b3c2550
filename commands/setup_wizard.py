"""``./qunda setup``: asks the few things that an installation of one's own needs, and writes its three files."""

from __future__ import annotations

import getpass
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from commands.errors import CommandRefused
from commands.setup_files import (
    Check,
    channels_yaml,
    check_whole,
    env_with,
    of_channel,
    of_people,
    people_yaml,
    write_all,
)
from commands.setup_questions import KINDS, WECOM_APP, WECOM_KF, Kind, Question
from config.settings import ROOT, Settings, web_address

Ask = Callable[[str], str]
Say = Callable[[str], None]

INTERRUPTED = 130


@dataclass(slots=True)
class Answers:
    """What was said, before anything is written."""

    kinds: tuple[Kind, ...] = ()
    base_url: str = ""
    values: dict[str, str] = field(default_factory=dict)
    community: dict[str, str] = field(default_factory=dict)
    leader: dict[str, str] = field(default_factory=dict)


def run() -> int:
    """Asks at the terminal. Returns 0, or 130 after Ctrl-C, when nothing was written.

    Raises CommandRefused without a terminal, ConfigError for a broken ``.env``.
    """
    if not sys.stdin.isatty():
        raise CommandRefused(
            "setup asks questions, and there is no terminal to answer at",
            "run it in a terminal, or copy config/channels.example.yaml, config/people.example.yaml and .env.example",
        )
    settings = Settings.load(os.environ, make_secret=True)
    try:
        return Wizard(settings.config_dir, ROOT / ".env", input, getpass.getpass, print).run()
    except (KeyboardInterrupt, EOFError):
        print("\nStopped. Nothing was written.")
        return INTERRUPTED


class Wizard:
    """The questions and the files. ``ask`` shows what is typed, ``ask_hidden`` does not."""

    def __init__(self, config_dir: Path, env: Path, ask: Ask, ask_hidden: Ask, say: Say) -> None:
        self._config_dir, self._env = config_dir, env
        self._ask, self._ask_hidden, self._say = ask, ask_hidden, say

    def run(self) -> int:
        """Returns 0 when the files are written, 1 when the operator would rather not."""
        self._say("A few questions; Ctrl-C stops at any time and leaves everything as it is.\n")
        answers = self._asked()
        files = self._files(answers)
        existing = [path for path in files if path.exists()]
        for path in files:
            self._say(f"  {path}: {'replaces what is there' if path in existing else 'new'}{self._about(path)}")
        if not self._yes("Write these files?" if not existing else "Replace and write these files?", not existing):
            self._say("Nothing was written.")
            return 1
        write_all(files)
        self._tell(answers)
        return 0

    # --- questions

    def _asked(self) -> Answers:
        answers = Answers()
        self._say("Which channels?\n" + "\n".join(f"  {number}  {kind.title}" for number, kind in enumerate(KINDS, 1)))
        chosen = self._answer("Their numbers, such as 1 3 4", _some_kinds, default="1 3")
        answers.kinds = tuple(kind for number, kind in enumerate(KINDS, 1) if str(number) in chosen)
        self._say("\nUnder which public address will the platforms reach this bot?")
        answers.base_url = self._answer("https://…", _public_address).rstrip("/")
        for kind in answers.kinds:
            self._say(f"\n{kind.title}")
            for question in kind.questions:
                if question.variable not in answers.values:
                    answers.values[question.variable] = self._credential(kind, question)
        self._say("\nYour first community (more in people.yaml later)")
        self._community(answers)
        self._leader(answers)
        return answers

    def _credential(self, kind: Kind, question: Question) -> str:
        check = of_channel(kind, question)
        while True:
            given = self._answer(question.words, check, hidden=question.hidden, may_be_empty=bool(question.made_here))
            if not given and question.made_here:
                return question.made_here()
            odd = f"The platform's own look otherwise ({len(given)} characters given). Use it all the same?"
            if re.fullmatch(question.shape, given) or self._yes(odd, False):
                return given

    def _community(self, answers: Answers) -> None:
        given = answers.community
        for key, words, default in (
            ("id", "Short name in a-z, for files and links; it never changes later, such as sunshine", ""),
            ("name", "Name as residents and order files write it, such as 阳光花园", ""),
            ("pickup_point", "Pick-up point, such as 东门自提点", ""),
            ("pickup_hours", "Pick-up hours", "16:00-20:00"),
        ):
            given[key] = self._answer(words, of_people(given, {}, "community", key), default=default)
        if WECOM_KF in answers.kinds:
            given["kf_scene"] = given["id"]

    def _leader(self, answers: Answers) -> None:
        given = answers.leader
        words = "Name of its leader (团长), such as 张团长"
        given["name"] = self._answer(words, of_people(answers.community, given, "leader", "name"))
        given["id"] = "leader-1"
        if WECOM_APP in answers.kinds:
            words = "Her account in WeCom (通讯录 > 账号), such as ZhangLeader"
            given["account"] = self._answer(words, of_people(answers.community, given, "leader", "account"))

    def _answer(
        self, words: str, check: Check, *, default: str = "", hidden: bool = False, may_be_empty: bool = False
    ) -> str:
        """Asks until the answer may be right."""
        prompt = f"  {words}{f' [{default}]' if default else ''}: "
        while True:
            given = (self._ask_hidden if hidden else self._ask)(prompt).strip() or default
            if not given and may_be_empty:
                return ""
            problem = check(given) if given else "an answer is needed"
            if problem is None:
                return given
            self._say(f"    {problem}")

    def _yes(self, words: str, default: bool) -> bool:
        choice = "Y/n" if default else "y/N"
        given = self._answer(f"{words} [{choice}]", _one_of("y", "n", "yes", "no"), may_be_empty=True).lower()
        return given.startswith("y") if given else default

    # --- files

    def _files(self, answers: Answers) -> dict[Path, str]:
        values = {**answers.values, "QUNDA_BASE_URL": answers.base_url}
        files = {
            self._config_dir / "channels.yaml": channels_yaml(answers.kinds),
            self._config_dir / "people.yaml": people_yaml(answers.community, answers.leader),
            self._env: env_with(self._env, values),
        }
        check_whole(files, values)
        return files

    def _about(self, path: Path) -> str:
        return ", other lines in it stay" if path == self._env and path.exists() else ""

    def _tell(self, answers: Answers) -> None:
        self._say("\nWritten. Enter this in the consoles:")
        for kind in (each for each in answers.kinds if each.console):
            token, key = (answers.values[question.variable] for question in kind.questions[-2:])
            self._say(f"\n  {kind.title}\n  {kind.console}")
            self._say(f"    URL             {answers.base_url}/callback/{kind.name}")
            self._say(f"    Token           {token}\n    EncodingAESKey  {key}")
        self._say(
            "\nNext:\n"
            "  1. ./qunda up --no-playground   behind a reverse proxy with TLS (docs/deploying.md)\n"
            "  2. enter the values above in the consoles and save, and this machine's address in the IP allowlist "
            "(docs/own-account.md)\n"
            "  3. ./qunda doctor               says what is still missing"
        )
        if WECOM_KF in answers.kinds:
            self._say("  4. ./qunda kf link              the way in for residents: post it in the community's group")


def _one_of(*choices: str) -> Check:
    return lambda given: None if given.lower() in choices else f"answer {', '.join(choices[:-1])} or {choices[-1]}"


def _some_kinds(given: str) -> str | None:
    numbers = "".join(str(number) for number, _ in enumerate(KINDS, 1))
    if re.fullmatch(rf"[{numbers}](?:[ ,]*[{numbers}])*", given):
        return None
    return f"answer one or more of {', '.join(numbers)}, such as 1 3"


def _public_address(given: str) -> str | None:
    parts = web_address(given)
    if parts is None or parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        return "that is not a bare web address; write it like https://bot.example.com"
    if parts.scheme != "https" or parts.port not in (None, 443):
        return "the platforms should come by https on port 443; write it like https://bot.example.com"
    host = parts.hostname or ""
    try:
        public = ip_address(host).is_global
    except ValueError:
        public = "." in host.strip(".") and re.fullmatch(r"[A-Za-z0-9.-]+", host) is not None
    return None if public else f"{host} is no address that the platforms can reach; use a public domain name"
