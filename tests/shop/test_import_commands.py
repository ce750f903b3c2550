from __future__ import annotations

import csv
import shutil
import stat
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, select

from commands.imports import orders, people
from shop.tables import order_lines, resident_accounts, residents

CONFIG = Path(__file__).resolve().parents[2] / "config"
ORDERS = CONFIG / "orders.example.csv"


@pytest.fixture
def config_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which nothing has run yet: an empty data dir, and a config dir of the operator's own."""
    own = tmp_path / "config"
    own.mkdir()
    for name in ("QUNDA_SECRET_KEY", "QUNDA_DATABASE_URL", "QUNDA_TIMEZONE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("QUNDA_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("QUNDA_CONFIG_DIR", str(own))
    return own


@pytest.fixture
def own_people(config_dir: Path) -> Path:
    return Path(shutil.copyfile(CONFIG / "people.example.yaml", config_dir / "people.yaml"))


def rows_in(tmp_path: Path) -> tuple[int, int, int]:
    engine = create_engine(f"sqlite:///{tmp_path / 'var' / 'qunda.db'}")
    with engine.connect() as connection:
        tables = (order_lines, residents, resident_accounts)
        counted = [connection.scalar(select(func.count()).select_from(table)) for table in tables]
    engine.dispose()
    return counted[0] or 0, counted[1] or 0, counted[2] or 0


def test_the_first_command_makes_database_and_key_and_takes_everything_in(
    tmp_path: Path, own_people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert orders(ORDERS, dry_run=False) == 0
    assert "6 order lines read: 6 new, 0 changed, 0 unchanged, 0 refused; 6 written." in capsys.readouterr().out
    assert rows_in(tmp_path) == (6, 4, 2)
    assert stat.S_IMODE((tmp_path / "var" / "secret.key").stat().st_mode) == 0o600
    assert orders(ORDERS, dry_run=False) == 0
    assert "6 unchanged, 0 refused; 0 written." in capsys.readouterr().out


def test_a_dry_run_leaves_the_tables_empty(
    tmp_path: Path, own_people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert orders(ORDERS, dry_run=True) == 0
    assert "6 new, 0 changed, 0 unchanged, 0 refused; nothing written (dry run)." in capsys.readouterr().out
    assert rows_in(tmp_path) == (0, 0, 0)


def test_refused_rows_are_named_and_the_exit_code_says_so(
    tmp_path: Path, own_people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "people.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("姓名", "手机号"), ("刘建国", "13900000002"), ("孙丽", "12")])
    assert people(file, dry_run=False) == 1
    printed = capsys.readouterr().out
    assert "row 3: 手机号 is not a mobile number" in printed
    assert "2 residents read: 1 new, 0 changed, 0 unchanged, 1 refused; 1 written." in printed


def test_another_encoding_than_utf_8_is_named(
    tmp_path: Path, own_people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "people.csv"
    file.write_text("姓名,手机号\n刘建国,13900000002\n", encoding="gb18030")
    assert people(file, dry_run=True) == 0
    assert "The file is not in UTF-8; it was read as GB18030." in capsys.readouterr().out
    file.write_text("姓名,手机号\n刘建国,13900000002\n", encoding="utf-8")
    people(file, dry_run=True)
    assert "UTF-8" not in capsys.readouterr().out


def test_a_file_that_cannot_be_read_is_told_without_a_traceback(
    tmp_path: Path, own_people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert orders(tmp_path / "absent.csv", dry_run=False) == 2
    assert "there is no such file" in capsys.readouterr().err


def test_without_people_of_one_s_own_the_command_says_what_to_do(
    config_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert orders(ORDERS, dry_run=False) == 1
    told = capsys.readouterr()
    assert "people.example.yaml" in told.err
    assert str(config_dir / "people.yaml") in told.err
    assert "row 5: 社区 is not a community of people.yaml" in told.out
