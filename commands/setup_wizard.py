"""``./qunda setup``: asks the few things that an installation of one's own needs, and writes its three files."""

from __future__ import annotations

import base64
import getpass
import json
import os
import re
import secrets
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from dotenv.parser import parse_stream

from commands.errors import CommandRefused
from config.channels import load_channels
from config.errors import ConfigError
from config.settings import ROOT, Settings, web_address
from shop.directory import Directory

Ask = Callable[[str], str]
Say = Callable[[str], None]
Check = Callable[[str], str | None]
"""Why an answer cannot be right; None when it may be."""

INTERRUPTED = 130
KEY_LENGTH = 43
# A valid value for every other key while one is looked at.
_STAND_IN = {
    "app_id": "wx1", "corp_id": "ww1", "agent_id": "1", "secret": "s", "token": "t", "aes_key": "A" * KEY_LENGTH
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Question:
    """One credential of a channel. ``shape`` is what the platform's own look like; another one is asked about."""

    key: str
    variable: str
    words: str
    shape: str
    hidden: bool = False
    made_here: Callable[[], str] | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of channel, with what to do in the platform's console in the end."""

    name: str
    kind: str
    title: str
    questions: tuple[Question, ...]
    console: str


def new_token() -> str:
    """Letters and digits, at most 32, as both consoles want it."""
    return secrets.token_hex(16)


def new_aes_key() -> str:
    """An EncodingAESKey: 32 bytes in base64 without the last "="; letters and digits only, as the consoles want it."""
    while True:
        key = base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")
        if key.isalnum():
            return key


def _shared_questions(prefix: str) -> tuple[Question, Question]:
    token, key = f"{prefix}_TOKEN", f"{prefix}_AES_KEY"
    return (
        Question("token", token, "Token (Enter makes one)", r"[A-Za-z0-9]{3,32}", made_here=new_token),
        Question("aes_key", key, "EncodingAESKey (Enter makes one)", r"[A-Za-z0-9]{43}", made_here=new_aes_key),
    )


OFFICIAL_ACCOUNT = Kind(
    "oa",
    "official_account",
    "WeChat Official Account (公众号), for residents",
    (
        Question("app_id", "OA_APP_ID", "AppID (开发者ID)", r"wx[0-9a-f]{16}"),
        Question("secret", "OA_SECRET", "AppSecret (typed unseen)", r"[0-9a-f]{32}", hidden=True),
        *_shared_questions("OA"),
    ),
    "mp.weixin.qq.com, 设置与开发 > 开发接口管理 > 服务器配置, with 消息加解密方式: 安全模式",
)
WECOM_APP = Kind(
    "app",
    "wecom_app",
    "WeCom app (企业微信自建应用), for leaders and agents",
    (
        Question("corp_id", "CORP_ID", "CorpID (我的企业 > 企业ID)", r"w[wx][0-9a-f]{16}"),
        Question("agent_id", "APP_AGENT_ID", "AgentId of the app", r"[0-9]{7}"),
        Question("secret", "APP_SECRET", "Secret of the app (typed unseen)", r"[A-Za-z0-9_-]{43}", hidden=True),
        *_shared_questions("APP"),
    ),
    "work.weixin.qq.com, 应用管理 > the app > 接收消息 > 设置API接收",
)
KINDS = {"1": (OFFICIAL_ACCOUNT, WECOM_APP), "2": (OFFICIAL_ACCOUNT,), "3": (WECOM_APP,)}


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
        self._say(f"Which channels?\n  1  both\n  2  {OFFICIAL_ACCOUNT.title}\n  3  {WECOM_APP.title}")
        answers.kinds = KINDS[self._answer("1, 2 or 3", _one_of(*KINDS), default="1")]
        self._say("\nUnder which public address will the platforms reach this bot?")
        answers.base_url = self._answer("https://…", _public_address).rstrip("/")
        for kind in answers.kinds:
            self._say(f"\n{kind.title}")
            for question in kind.questions:
                answers.values[question.variable] = self._credential(kind, question)
        self._say("\nYour first community (more in people.yaml later)")
        self._community(answers)
        self._leader(answers)
        return answers

    def _credential(self, kind: Kind, question: Question) -> str:
        check = _of_channel(kind, question)
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
            given[key] = self._answer(words, _of_people(given, {}, "community", key), default=default)

    def _leader(self, answers: Answers) -> None:
        given = answers.leader
        words = "Name of its leader (团长), such as 张团长"
        given["name"] = self._answer(words, _of_people(answers.community, given, "leader", "name"))
        given["id"] = "leader-1"
        if WECOM_APP in answers.kinds:
            words = "Her account in WeCom (通讯录 > 账号), such as ZhangLeader"
            given["account"] = self._answer(words, _of_people(answers.community, given, "leader", "account"))

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
        _check_whole(files, values)
        return files

    def _about(self, path: Path) -> str:
        return ", other lines in it stay" if path == self._env and path.exists() else ""

    def _tell(self, answers: Answers) -> None:
        self._say("\nWritten. Enter this in the consoles:")
        for kind in answers.kinds:
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


def channels_yaml(kinds: Sequence[Kind]) -> str:
    """The file's text; secrets stand in ``.env``."""
    lines = ["# Written by ./qunda setup. What else may stand here: channels.example.yaml"]
    for kind in kinds:
        lines += ["", f"# {kind.title}", f"{kind.name}:", f"  kind: {kind.kind}"]
        lines += [f"  {question.key}: ${{{question.variable}}}" for question in kind.questions]
    return "\n".join(lines) + "\n"


def people_yaml(community: Mapping[str, str], leader: Mapping[str, str]) -> str:
    """The file's text, with one community and its leader."""
    lines = [
        "# Written by ./qunda setup. What else may stand here, agents and supervisors first: people.example.yaml",
        "communities:",
        f"  - id: {_quoted(community['id'])}",
        f"    name: {_quoted(community['name'])}",
        f"    leader: {_quoted(leader['id'])}",
        f"    pickup_point: {_quoted(community['pickup_point'])}",
        f"    pickup_hours: {_quoted(community['pickup_hours'])}",
        "",
        "staff:",
        f"  - id: {_quoted(leader['id'])}",
        f"    name: {_quoted(leader['name'])}",
        "    role: leader",
    ]
    if leader.get("account"):
        lines.append(f"    accounts: {{{WECOM_APP.name}: {_quoted(leader['account'])}}}")
    return "\n".join(lines) + "\n"


def env_with(path: Path, values: Mapping[str, str]) -> str:
    """The lines of ``.env`` with these values in place of older ones, or at the end."""
    kept = ""
    if path.exists():
        with path.open(encoding="utf-8-sig") as stream:
            kept = "".join(part.original.string for part in parse_stream(stream) if part.key not in values)
    if kept and not kept.endswith("\n"):
        kept += "\n"
    return kept + "".join(f"{name}={_env_value(value)}\n" for name, value in values.items())


def _env_value(value: str) -> str:
    """In quotes where the file's reader would take a letter for something else."""
    if re.fullmatch(r"[\w./:=+-]*", value, re.ASCII):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def write_all(files: Mapping[Path, str]) -> None:
    """Writes all or none: drafts first, then renames that Ctrl-C does not come between. Mode 600."""
    drafts: dict[Path, Path] = {}
    try:
        for path, text in files.items():
            descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
            drafts[path] = Path(draft)
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
        with _uninterrupted():
            for path, draft_path in drafts.items():
                os.replace(draft_path, path)
    except OSError as error:
        raise CommandRefused(
            f"the files cannot be written ({error.strerror})", "see that this user may write there, and has space"
        ) from None
    finally:
        for draft_path in drafts.values():
            draft_path.unlink(missing_ok=True)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _quoted(text: str) -> str:
    """A text as YAML in quotes, whatever is in it."""
    return json.dumps(text, ensure_ascii=False)


# --- what an answer is held against: the rules of the files it will stand in


def _one_of(*choices: str) -> Check:
    return lambda given: None if given.lower() in choices else f"answer {', '.join(choices[:-1])} or {choices[-1]}"


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


def _of_channel(kind: Kind, question: Question) -> Check:
    def check(given: str) -> str | None:
        if re.search(r"\s|[^\x20-\x7e]|['\"$\\]", given):
            return "there is a blank, a quote or a strange character in it; copy it again"
        others = {other.key: _STAND_IN[other.key] for other in kind.questions}
        lines = [f"{key}: {_quoted(value)}" for key, value in {**others, question.key: given}.items()]
        text = "\n  ".join([f"{kind.name}:", f"kind: {kind.kind}", *lines])
        return _refusal(text, lambda path: load_channels(path, {}))

    return check


def _of_people(community: Mapping[str, str], leader: Mapping[str, str], who: str, key: str) -> Check:
    def check(given: str) -> str | None:
        if "$" in given:
            return "leave out the $, which means something else in that file"
        if key == "id" and not re.fullmatch(r"[a-z0-9-]{1,32}", given):
            return "use 1 to 32 of a-z, 0-9 and -"
        stand_in = {"id": "one", "name": "一", "pickup_point": "", "pickup_hours": ""}
        in_community = {**stand_in, **community} | ({key: given} if who == "community" else {})
        in_leader = {"id": "leader-1", "name": "二", **leader} | ({key: given} if who == "leader" else {})
        return _refusal(people_yaml(in_community, in_leader), lambda path: Directory.load(path, {}))

    return check


def _refusal(text: str, load: Callable[[Path], object]) -> str | None:
    """What the file's own reader says of a text; None when it is content."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        try:
            load(Path(file.name))
        except ConfigError as error:
            return f"{error.problem}; {error.remedy}"
    return None


def _check_whole(files: Mapping[Path, str], values: Mapping[str, str]) -> None:
    """Both files as they will be, read by their own readers: what is written can be started with."""
    readers: dict[str, Callable[[Path], object]] = {
        "channels.yaml": lambda path: load_channels(path, values),
        "people.yaml": lambda path: Directory.load(path, values),
    }
    for path, text in files.items():
        problem = _refusal(text, readers[path.name]) if path.name in readers else None
        if problem is not None:
            raise CommandRefused(f"{path.name} would not be right: {problem}", "run ./qunda setup again")
