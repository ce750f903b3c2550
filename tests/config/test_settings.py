from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from config.errors import ConfigError
from config.settings import Settings


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "config" / "faq").mkdir(parents=True)
    return tmp_path


def load(root: Path, *, make_secret: bool = True, **environ: str) -> Settings:
    return Settings.load(environ, root=root, make_secret=make_secret)


def test_without_any_variable_everything_lies_in_the_project(root: Path) -> None:
    settings = load(root)
    assert settings.config_dir == root / "config"
    assert settings.data_dir == root / "var"
    assert settings.database_url == f"sqlite:///{root}/var/qunda.db"
    assert settings.redis_url is None
    assert str(settings.timezone) == "Asia/Shanghai"
    assert settings.log_level == "INFO"


def test_the_data_dir_is_closed_to_other_users(root: Path) -> None:
    assert stat.S_IMODE(load(root).data_dir.stat().st_mode) == 0o700


def test_blank_variables_count_as_unset(root: Path) -> None:
    assert load(root, QUNDA_REDIS_URL=" ", QUNDA_LOG_LEVEL="").redis_url is None


def test_the_env_file_is_read_and_the_environment_goes_before_it(root: Path) -> None:
    (root / ".env").write_text(
        "# mine\nQUNDA_LOG_LEVEL=debug\nexport QUNDA_TIMEZONE='UTC'\nOA_TOKEN=群\n", encoding="utf-8"
    )
    settings = load(root, QUNDA_LOG_LEVEL="ERROR")
    assert settings.log_level == "ERROR"
    assert str(settings.timezone) == "UTC"
    assert settings.environ["OA_TOKEN"] == "群"


def test_a_line_of_the_env_file_that_assigns_nothing_is_refused_with_its_number(root: Path) -> None:
    (root / ".env").write_text("A=1\n\nQUNDA_TIMEZONE\n")
    with pytest.raises(ConfigError) as raised:
        load(root)
    assert raised.value.file == str(root / ".env")
    assert raised.value.line == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("QUNDA_TIMEZONE", "Asia/Nowhere"),
        ("QUNDA_TIMEZONE", "../../etc/passwd"),
        ("QUNDA_LOG_LEVEL", "loud"),
        ("QUNDA_DATABASE_URL", "mysql://root:hunter2@localhost/qunda"),
        ("QUNDA_DATABASE_URL", "postgresql://qunda:hunter2@localhost/qunda"),
        ("QUNDA_DATABASE_URL", "sqlite://"),
        ("QUNDA_DATABASE_URL", "sqlite:///:memory:"),
        ("QUNDA_REDIS_URL", "localhost:6379/hunter2"),
        ("QUNDA_BASE_URL", "bot.example.com"),
        ("QUNDA_BASE_URL", "http://[bot"),
        ("QUNDA_CONFIG_DIR", "nowhere"),
        ("QUNDA_SECRET_KEY", "hunter2"),
    ],
)
def test_a_wrong_value_is_refused_by_name_and_its_secrets_are_not_told(root: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigError) as raised:
        Settings.load({name: value}, root=root, make_secret=True)
    assert name in raised.value.problem
    assert raised.value.remedy
    assert "hunter2" not in str(raised.value)


def test_a_misspelt_variable_is_refused_with_the_right_name(root: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean QUNDA_DATABASE_URL"):
        load(root, QUNDA_DATABSE_URL="sqlite:////tmp/x.db")


def test_other_variables_of_the_operator_are_left_alone(root: Path) -> None:
    assert load(root, QUNDA_OA_TOKEN="abc", QUNDA_APP_SECRET="def").environ["QUNDA_OA_TOKEN"] == "abc"


def test_the_first_command_makes_a_key_that_the_next_ones_read(root: Path) -> None:
    key = load(root).secret_key
    assert len(key) == 64
    assert load(root, make_secret=False).secret_key == key
    assert stat.S_IMODE((root / "var/secret.key").stat().st_mode) == 0o600


def test_a_process_that_may_not_make_a_key_refuses_to_start_without_one(root: Path) -> None:
    with pytest.raises(ConfigError, match="qunda migrate"):
        load(root, make_secret=False)


def test_first_commands_at_the_same_time_agree_on_one_key(root: Path) -> None:
    program = (
        "import sys, pathlib; from config.settings import Settings;"
        "print(Settings.load({}, root=pathlib.Path(sys.argv[1]), make_secret=True).secret_key)"
    )
    starts = [
        subprocess.Popen([sys.executable, "-c", program, str(root)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert len({start.communicate()[0] for start in starts}) == 1
    assert os.listdir(root / "var") == ["secret.key"]


def test_a_key_that_others_can_read_is_refused(root: Path) -> None:
    load(root)
    (root / "var/secret.key").chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        load(root)


def test_no_secret_is_in_the_repr(root: Path) -> None:
    shown = repr(load(root, QUNDA_SECRET_KEY="k" * 40, OA_TOKEN="secret-token", QUNDA_REDIS_URL="redis://:pass@host"))
    assert "kkkk" not in shown
    assert "secret-token" not in shown
    assert "pass" not in shown


def test_an_own_file_replaces_the_shipped_one_and_what_is_absent_is_taken_from_it(root: Path) -> None:
    own = root / "own"
    own.mkdir()
    (own / "policy.yaml").touch()
    (root / "config/policy.yaml").touch()
    (root / "config/mood.yaml").touch()
    settings = load(root, QUNDA_CONFIG_DIR=str(own))
    assert settings.file("policy.yaml") == own / "policy.yaml"
    assert settings.file("mood.yaml") == root / "config/mood.yaml"


def test_an_own_folder_replaces_the_shipped_one_whole(root: Path) -> None:
    for name in ("config/faq/a.yaml", "config/faq/b.yml", "config/faq/notes.txt", "config/faq/._a.yaml"):
        (root / name).touch()
    (root / "own").mkdir()
    assert [file.name for file in load(root, QUNDA_CONFIG_DIR="own").files("faq")] == ["a.yaml", "b.yml"]
    (root / "own/faq").mkdir()
    (root / "own/faq/mine.yaml").touch()
    assert [file.name for file in load(root, QUNDA_CONFIG_DIR="own").files("faq")] == ["mine.yaml"]
