"""A fresh copy of the project in a folder with an awkward name: what an operator does first, and does wrong."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from config.settings import ROOT

CHANNELS = """\
oa:
  kind: official_account
  app_id: wx0000000000000001
  secret: ${OA_SECRET}
  token: ${OA_TOKEN}
  aes_key: 6qkdMrq68nTKduznJYO1A37W2oEgpkMUvkttRToqhUt
"""
FAQ = """\
- id: refund-arrival
  question: 退款多久到账？
  answer: 一般 {refund_days} 个工作日到账。
- id: greeting-cards
  question: 有贺卡卖吗？
  answer: 有的。
"""
SECRETS = {"OA_SECRET": "secret-of-the-account", "OA_TOKEN": "token-of-the-account"}
NOWHERE = "redis://127.0.0.1:1/0"
REFUSED = 2
PATIENCE = 200.0  # seconds; a loaded machine is slow to learn the knowledge, and the end ends the wait


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git knows of, or would take, with the environment that runs this test set up beside it."""
    root = tmp_path_factory.mktemp("first") / "我的 团购 bot"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
    (root / ".venv").mkdir()
    for part in ("bin", "lib", "pyvenv.cfg"):
        (root / ".venv" / part).symlink_to(Path(sys.prefix) / part)
    shutil.copy(root / "requirements.txt", root / ".venv/.qunda-stamp")
    return root


@dataclass(frozen=True)
class Told:
    """How a command ended, and all that it said."""

    code: int
    words: str


class Operator:
    """Calls ``./qunda`` with a data dir and a configuration of her own."""

    def __init__(self, project: Path, folder: Path) -> None:
        self._project = project
        self.config_dir = folder / "我的 config"
        self.config_dir.mkdir()
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("QUNDA_")}
        self._environment |= {"QUNDA_DATA_DIR": str(folder / "data"), "QUNDA_CONFIG_DIR": str(self.config_dir)}

    def begin(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self._project / "qunda", *words],
            cwd=self._project.parent,
            env={**self._environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def call(self, *words: str, **environment: str) -> Told:
        return ended(self.begin(*words, **environment))

    def write(self, name: str, text: str) -> None:
        file = self.config_dir / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")


def ended(process: subprocess.Popen[str]) -> Told:
    """Waits for the end of a command; one that runs on is stopped."""
    try:
        words, _ = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.terminate()
        words, _ = process.communicate()
    return Told(process.returncode, words)


@pytest.fixture
def operator(project: Path, tmp_path: Path) -> Operator:
    return Operator(project, tmp_path)


def test_help_comes_from_a_copy_with_no_set_up_needed(operator: Operator) -> None:
    told = operator.call("--help")
    assert told.code == 0
    assert "群答" in told.words


def test_migrate_makes_the_database_and_the_key(operator: Operator, tmp_path: Path) -> None:
    assert operator.call("migrate") == Told(0, "")
    assert {file.name for file in (tmp_path / "data").iterdir()} >= {"qunda.db", "secret.key"}


def test_the_example_orders_go_in_with_the_example_people(operator: Operator, project: Path) -> None:
    shutil.copy(project / "config/people.example.yaml", operator.config_dir / "people.yaml")
    told = operator.call("import", "orders", f"{project.name}/config/orders.example.csv")
    assert told.code == 0, told.words
    assert " 0 refused" in told.words


def test_orders_of_communities_that_nobody_has_named_are_refused_with_the_remedy(
    operator: Operator, project: Path
) -> None:
    told = operator.call("import", "orders", f"{project.name}/config/orders.example.csv")
    assert told.code == 1
    assert "people.example.yaml" in told.words


@pytest.mark.timeout(240)
def test_a_routine_question_is_understood(operator: Operator) -> None:
    told = operator.call("understand", "退款多久到账")
    assert told.code == 0
    assert json.loads(told.words)["entry"] == "refund-arrival"


def test_web_alone_refuses_without_channels(operator: Operator) -> None:
    told = operator.call("web", QUNDA_REDIS_URL=NOWHERE, QUNDA_SECRET_KEY="k" * 32)
    assert told.code == REFUSED
    assert "channels.example.yaml" in told.words
    assert "Traceback" not in told.words


@dataclass(frozen=True)
class Mistake:
    """One file, or one variable, that is wrong; and what must be said of it."""

    where: str
    remedy: str
    channels: str = CHANNELS
    faq: str = FAQ
    secrets: Mapping[str, str] | None = None


MISTAKES = {
    "empty token": Mistake("channels.yaml:5", "OA_TOKEN", secrets={**SECRETS, "OA_TOKEN": ""}),
    "blank token": Mistake("channels.yaml:5", "console", channels=CHANNELS.replace("${OA_TOKEN}", '""')),
    "unset variable": Mistake("channels.yaml:4", "set OA_SECRET", secrets={"OA_TOKEN": "t"}),
    "unknown key": Mistake("channels.yaml:6", "aes_key", channels=CHANNELS.replace("aes_key", "aeskey")),
    "broken yaml": Mistake("channels.yaml:5", "indentation", channels=CHANNELS.replace("  token", "   token")),
    "an id twice": Mistake("questions.yaml:4", "id of its own", faq=FAQ.replace("greeting-cards", "refund-arrival")),
    "unknown variable": Mistake("questions.yaml:3", "refund_days", faq=FAQ.replace("refund_days", "refund_weeks")),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_file_line_and_remedy_and_nothing_starts(operator: Operator, mistake: Mistake) -> None:
    operator.write("channels.yaml", mistake.channels)
    operator.write("people.yaml", "communities: []\n")
    operator.write("faq/questions.yaml", mistake.faq)
    environment = {"QUNDA_SECRET_KEY": "k" * 32, **(SECRETS if mistake.secrets is None else mistake.secrets)}
    up = operator.begin("up", "--port", "0", **environment)
    web = operator.begin("web", "--port", "0", QUNDA_REDIS_URL=NOWHERE, **environment)
    for told in (ended(up), ended(web)):
        assert told.code == REFUSED, told.words
        assert mistake.where in told.words
        assert mistake.remedy in told.words.partition("To mend it")[2]
        assert "Traceback" not in told.words
        assert not any(secret in told.words for secret in SECRETS.values())
