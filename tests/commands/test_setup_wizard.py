"""The questions of ``./qunda setup``, and the files that come of them."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dotenv import dotenv_values

from commands.errors import CommandRefused
from commands.setup_files import env_with, write_all
from commands.setup_questions import new_aes_key
from commands.setup_wizard import Wizard
from config.channels import (
    GroupWebhookConfig,
    OfficialAccountConfig,
    WecomAppConfig,
    WecomKfConfig,
    load_channels,
)
from config.settings import ROOT, Settings
from shop.directory import Directory

OA_SECRET = "0123456789abcdef0123456789abcdef"
APP_SECRET = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_abcde"
BOTH = [
    "2 3",
    "https://bot.example.com/",
    "wx0123456789abcdef",
    OA_SECRET,
    "",
    "",
    "ww0123456789abcdef",
    "1000002",
    APP_SECRET,
    "",
    "",
    "sunshine",
    "阳光花园",
    "东门自提点",
    "",
    "张团长",
    "ZhangLeader",
    "y",
]
WEBHOOK = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=01234567-89ab-cdef-0123-456789abcdef"
WITH_CUSTOMER_SERVICE = [
    "1,3 4",
    "https://bot.example.com",
    "ww0123456789abcdef",
    "wk0123456789abcdef",
    APP_SECRET[::-1],
    "",
    "",
    "1000002",
    APP_SECRET,
    "",
    "",
    WEBHOOK,
    *BOTH[11:],
]
PATIENCE = 30


class Operator:
    """Answers one question after another, and keeps what she was told."""

    def __init__(self, folder: Path, answers: list[str]) -> None:
        self.config = folder / "config"
        self.config.mkdir(exist_ok=True)
        self.env = folder / ".env"
        self._answers = iter(answers)
        self.asked: list[str] = []
        self.hidden: list[str] = []
        self.told: list[str] = []

    def sit_down(self) -> int:
        return Wizard(self.config, self.env, self._answer, self._answer_unseen, self.told.append).run()

    def _answer(self, prompt: str) -> str:
        self.asked.append(prompt)
        return next(self._answers)

    def _answer_unseen(self, prompt: str) -> str:
        self.hidden.append(prompt)
        return next(self._answers)

    def files(self) -> list[str]:
        return sorted(path.name for path in (*self.config.iterdir(), self.env) if path.exists())


@pytest.fixture
def operator(tmp_path: Path) -> Callable[[list[str]], Operator]:
    return lambda answers: Operator(tmp_path, answers)


def test_the_answers_become_files_that_the_product_reads(operator, tmp_path: Path) -> None:
    she = operator(BOTH)
    assert she.sit_down() == 0
    assert she.files() == [".env", "channels.yaml", "people.yaml"]
    shutil.copytree(ROOT / "config/texts", tmp_path / "config/texts")
    settings = Settings.load({}, root=tmp_path, make_secret=True)
    assert settings.base_url == "https://bot.example.com"
    oa, app = load_channels(she.config / "channels.yaml", settings.environ)
    assert isinstance(oa, OfficialAccountConfig)
    assert isinstance(app, WecomAppConfig)
    assert (oa.app_id, oa.secret, len(oa.token), len(oa.aes_key)) == ("wx0123456789abcdef", OA_SECRET, 32, 43)
    assert (app.corp_id, app.agent_id, app.secret) == ("ww0123456789abcdef", 1000002, APP_SECRET)
    assert oa.token != app.token
    directory = Directory.load(she.config / "people.yaml", {})
    leader = directory.leader_of("sunshine")
    assert leader is not None
    assert (leader.name, dict(leader.accounts)) == ("张团长", {"app": "ZhangLeader"})
    assert directory.communities[0].pickup_hours == "16:00-20:00"
    for path in (she.env, she.config / "channels.yaml", she.config / "people.yaml"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_customer_service_and_the_staffs_room_need_little_more(operator) -> None:
    she = operator(WITH_CUSTOMER_SERVICE)
    assert she.sit_down() == 0
    kf, app, room = load_channels(she.config / "channels.yaml", {k: v or "" for k, v in dotenv_values(she.env).items()})
    assert isinstance(kf, WecomKfConfig)
    assert isinstance(app, WecomAppConfig)
    assert isinstance(room, GroupWebhookConfig)
    assert (kf.corp_id, kf.open_kfid, kf.secret) == (app.corp_id, "wk0123456789abcdef", APP_SECRET[::-1])
    assert room.url == WEBHOOK
    assert Directory.load(she.config / "people.yaml", {}).communities[0].kf_scene == "sunshine"
    told = "\n".join(she.told)
    assert "https://bot.example.com/callback/kf" in told
    assert "callback/staff-room" not in told
    assert "./qunda kf link" in told
    assert WEBHOOK not in told
    assert sum("CorpID" in question for question in she.asked) == 1


def test_the_accounts_id_may_be_left_to_the_doctor(operator) -> None:
    she = operator([*WITH_CUSTOMER_SERVICE[:3], "", *WITH_CUSTOMER_SERVICE[4:]])
    assert she.sit_down() == 0
    assert "KF_OPEN_KFID=wk-not-known-yet\n" in she.env.read_text()


def test_secrets_are_typed_unseen_and_never_said_and_the_console_values_are(operator) -> None:
    she = operator(BOTH)
    she.sit_down()
    told = "\n".join(she.told)
    assert [prompt.split("(")[0].strip() for prompt in she.hidden] == ["AppSecret", "Secret of the app"]
    assert OA_SECRET not in told
    assert APP_SECRET not in told
    environ = dict(line.split("=", 1) for line in she.env.read_text().splitlines())
    for name in ("OA_TOKEN", "OA_AES_KEY", "APP_TOKEN", "APP_AES_KEY"):
        assert environ[name] in told
    assert "https://bot.example.com/callback/oa" in told
    assert "https://bot.example.com/callback/app" in told
    assert told.rstrip().splitlines()[-4] == "Next:"


def test_an_own_token_and_key_are_taken(operator) -> None:
    key = new_aes_key()
    she = operator([*BOTH[:4], "mytoken", key, *BOTH[6:]])
    she.sit_down()
    assert f"OA_TOKEN=mytoken\nOA_AES_KEY={key}\n" in she.env.read_text()


def test_without_the_wecom_app_nothing_is_asked_about_it(operator) -> None:
    she = operator(["2", *BOTH[1:6], *BOTH[11:16], "y"])
    assert she.sit_down() == 0
    assert [channel.name for channel in load_channels(she.config / "channels.yaml", _environ(she))] == ["oa"]
    assert Directory.load(she.config / "people.yaml", {}).staff[0].accounts == {}


def _environ(she: Operator) -> dict[str, str]:
    return dict(line.split("=", 1) for line in she.env.read_text().splitlines())


@pytest.mark.parametrize(
    ("place", "nonsense", "told"),
    [
        (0, "seven", "answer one or more of 1, 2, 3, 4"),
        (0, "1 5", "answer one or more of 1, 2, 3, 4"),
        (1, "bot", "not a bare web address"),
        (1, "http://bot.example.com", "by https"),
        (1, "https://bot.example.com:8443", "by https"),
        (1, "https://bot.example.com/wechat", "not a bare web address"),
        (1, "https://localhost", "no address that the platforms can reach"),
        (1, "https://192.168.0.7", "no address that the platforms can reach"),
        (2, "wx 123", "a blank, a quote or a strange character"),
        (2, "${HOME}", "a blank, a quote or a strange character"),
        (3, "", "an answer is needed"),
        (5, "tooshort", "aes_key has 8 characters instead of 43"),
        (5, "!" * 43, "characters that cannot be in it"),
        (7, "my-app", "agent_id is not a number"),
        (11, "Sunshine Garden", "a-z, 0-9 and -"),
        (12, "x" * 100, "name"),
        (12, "阳光${HOME}", "leave out the $"),
        (14, "after lunch", "pickup_hours"),
        (14, "25:00-26:00", "pickup_hours"),
        (17, "perhaps", "answer y, n, yes or no"),
    ],
)
def test_nonsense_is_refused_at_once_with_the_reason_and_asked_again(
    operator, place: int, nonsense: str, told: str
) -> None:
    she = operator([*BOTH[:place], nonsense, *BOTH[place:]])
    assert she.sit_down() == 0
    assert any(told in line for line in she.told), she.told


@pytest.mark.parametrize(("place", "odd"), [(2, "gh_0123456789ab"), (3, "short"), (6, "mycorp"), (7, "2")])
def test_an_id_of_an_unusual_shape_is_asked_about_before_it_is_taken(operator, place: int, odd: str) -> None:
    she = operator([*BOTH[:place], odd, "n", *BOTH[place:]])
    assert she.sit_down() == 0
    assert odd not in she.env.read_text().replace("2\n", "\n").split("=")
    she = operator([*BOTH[:place], odd, "y", *BOTH[place + 1 :]])
    assert she.sit_down() == 0
    assert f"={odd}\n" in she.env.read_text()


def test_nothing_that_is_there_is_replaced_unasked(operator, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "channels.yaml").write_text("mine: {}\n")
    (tmp_path / ".env").write_text("MINE=1\n")
    for answer in ("n", ""):
        she = operator([*BOTH[:-1], answer])
        assert she.sit_down() == 1
        assert any("channels.yaml: replaces what is there" in line for line in she.told)
        assert (tmp_path / "config" / "channels.yaml").read_text() == "mine: {}\n"
        assert (tmp_path / ".env").read_text() == "MINE=1\n"
        assert not (tmp_path / "config" / "people.yaml").exists()


def test_other_lines_of_the_env_file_stay(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("# mine\nQUNDA_LOG_LEVEL=DEBUG\nexport OA_SECRET='old'\n\nLAST=1")
    values = {"OA_SECRET": "new", "OA_TOKEN": "it's # a \\ token"}
    text = env_with(env, values)
    assert text.startswith("# mine\nQUNDA_LOG_LEVEL=DEBUG\n\nLAST=1\nOA_SECRET=new\nOA_TOKEN='")
    env.write_text(text)
    assert {**values, "LAST": "1"}.items() <= dotenv_values(env).items()


@pytest.mark.parametrize("place", range(len(BOTH)))
def test_an_interruption_at_any_question_writes_nothing(operator, place: int) -> None:
    def answers() -> Iterator[str]:
        yield from BOTH[:place]
        raise KeyboardInterrupt

    she = operator([])
    she._answers = answers()
    with pytest.raises(KeyboardInterrupt):
        she.sit_down()
    assert she.files() == []


def test_a_file_that_cannot_be_written_takes_the_others_back(tmp_path: Path) -> None:
    with pytest.raises(CommandRefused, match="cannot be written"):
        write_all({tmp_path / "first": "1", tmp_path / "nowhere" / "second": "2"})
    assert list(tmp_path.iterdir()) == []


def test_without_a_terminal_it_says_what_to_do_instead() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "commands", "setup"], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "there is no terminal" in done.stderr
    assert "config/channels.example.yaml" in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_at_the_terminal_ends_it_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    environ = {**os.environ, "QUNDA_DATA_DIR": str(tmp_path / "data"), "QUNDA_CONFIG_DIR": str(tmp_path / "own")}
    terminal, other_end = pty.openpty()
    command = [sys.executable, "-m", "commands", "setup"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environ, stdin=other_end, stdout=other_end, stderr=other_end, start_new_session=True
    )
    os.close(other_end)
    read_until(terminal, "Their numbers")
    process.send_signal(signal.SIGINT)
    told = read_until(terminal, "Nothing was written.")
    assert process.wait(PATIENCE) == 130
    os.close(terminal)
    assert "Traceback" not in told
    assert list((tmp_path / "own").iterdir()) == []


def read_until(terminal: int, words: str) -> str:
    told = ""
    while words not in told:
        assert select.select([terminal], [], [], PATIENCE)[0], told
        told += os.read(terminal, 4096).decode()
    return told
