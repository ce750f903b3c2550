"""``./qunda faq import`` and ``./qunda faq export``, with real files."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import openpyxl
import pytest

from commands.errors import CommandRefused
from commands.faq import put_out, take_in
from config.settings import ROOT
from faq.knowledge import Knowledge

SHIPPED = ROOT / "config/faq"
HEADER = ("question", "answer", "variants")

Table = Callable[..., Path]


@pytest.fixture
def config_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An operator's own configuration folder in which nothing stands yet."""
    own = tmp_path / "config"
    own.mkdir()
    for name in ("QUNDA_SECRET_KEY", "QUNDA_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("QUNDA_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("QUNDA_CONFIG_DIR", str(own))
    return own


@pytest.fixture
def table(tmp_path: Path) -> Table:
    def write(*rows: Sequence[str], encoding: str = "utf-8") -> Path:
        file = tmp_path / "table.csv"
        with file.open("w", encoding=encoding, newline="") as stream:
            csv.writer(stream).writerows(rows)
        return file

    return write


def take(file: Path, *, dry_run: bool = False, replace: bool = False) -> int:
    return take_in(file, dry_run=dry_run, replace=replace)


def own(config_dir: Path) -> Knowledge:
    return Knowledge.load((config_dir / "faq").glob("*.yaml"), {})


@pytest.mark.parametrize("name", ["all.csv", "all.xlsx"])
def test_all_that_is_shipped_survives_the_way_out_and_in(
    config_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    shipped = Knowledge.load(SHIPPED.glob("*.yaml"), {})
    assert put_out(tmp_path / name) == 0
    assert take(tmp_path / name) == 0
    assert f"0 new, 0 changed, {len(shipped.written)} unchanged, 0 refused" in capsys.readouterr().out
    assert not (config_dir / "faq").exists()


def test_the_first_import_says_that_it_copies_the_shipped_files_and_then_adds_to_the_copy(
    config_dir: Path, table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    file = table(HEADER, ("有停车位吗", "门口可以停。", "哪里停车"), encoding="gb18030")
    assert take(file, dry_run=True) == 0
    assert "will first copy the shipped files" in capsys.readouterr().out
    assert not (config_dir / "faq").exists()
    before = {file.name: file.read_bytes() for file in SHIPPED.iterdir()}
    assert take(file) == 0
    assert "Copying the shipped files" in capsys.readouterr().out
    copied = {file.name: file.read_bytes() for file in (config_dir / "faq").iterdir()}
    assert copied.pop("imported-1.yaml")
    assert copied == before == {file.name: file.read_bytes() for file in SHIPPED.iterdir()}
    assert own(config_dir)["有停车位吗"].phrasings == ("有停车位吗", "哪里停车")


def test_an_import_names_another_encoding_than_utf_8(
    config_dir: Path, table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = (HEADER, ("有停车位吗", "门口可以停。", "哪里停车"))
    take(table(*rows, encoding="gb18030"), dry_run=True)
    assert "read as GB18030" in capsys.readouterr().out
    take(table(*rows), dry_run=True)
    assert "UTF-8" not in capsys.readouterr().out


def test_an_answer_with_a_figure_that_the_policy_lacks_is_refused(
    config_dir: Path, table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    (config_dir / "policy.yaml").write_text("automatic_up_to: 20\nlimits: {leader: 50, agent: 500}\n", encoding="utf-8")
    assert take(table(HEADER, ("几天退款", "{refund_days}。", "")), dry_run=True) == 1
    assert "row 2: it names {refund_days}, which policy.yaml does not hold" in capsys.readouterr().out


def test_a_second_import_changes_what_is_there_and_repeating_it_changes_nothing(
    config_dir: Path, table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    take(table(HEADER, ("有停车位吗", "门口可以停。", "")))
    file = table(HEADER, ("有停车位吗？", "后门可以停。", ""))
    assert take(file) == 0
    assert own(config_dir)["有停车位吗"].answer == "后门可以停。"
    capsys.readouterr()
    assert take(file) == 0
    assert "Nothing to write." in capsys.readouterr().out


def test_replacing_takes_out_what_the_table_does_not_hold(config_dir: Path, table: Table) -> None:
    assert take(table(HEADER, ("有停车位吗", "门口可以停。", "")), replace=True) == 0
    assert [entry.id for entry in own(config_dir)] == ["有停车位吗"]


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_dry_run_refuses_what_the_import_would_refuse(config_dir: Path, table: Table, dry_run: bool) -> None:
    assert take(table((*HEADER, "id"), ("几点取", "四点。", "", "hours"))) == 0
    before = own(config_dir).written
    general_is_gone = table((*HEADER, "id", "communities"), ("几点取呢", "九点。", "", "hours@sun", "sun"))
    with pytest.raises(CommandRefused, match="hours@sun stands for hours") as refused:
        take(general_is_gone, replace=True, dry_run=dry_run)
    assert ".faq-" not in str(refused.value)
    assert own(config_dir).written == before


def test_nothing_is_taken_out_while_a_row_is_refused(
    config_dir: Path, table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    assert take(table(HEADER, ("有停车位吗", "门口可以停。", ""), ("坏行", "", "")), replace=True) == 1
    printed = capsys.readouterr().out
    assert "row 3: " in printed
    assert "Nothing is removed while rows are refused" in printed
    assert len(own(config_dir)) > 100


def test_the_shipped_files_are_never_written_to(
    config_dir: Path, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("QUNDA_CONFIG_DIR")
    file = table(HEADER, ("有停车位吗", "门口可以停。", ""))
    with pytest.raises(CommandRefused, match="QUNDA_CONFIG_DIR"):
        take(file)
    assert take(file, dry_run=True) == 0
    assert not list(SHIPPED.glob("imported-*"))


@pytest.mark.parametrize(
    ("content", "problem"), [(b"", "empty"), (b"PK\x03\x04broken", "xlsx"), (b"a,b\n1,2\n", "header")]
)
def test_a_file_that_cannot_be_read_is_told_without_a_traceback(
    config_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, problem: str
) -> None:
    file = tmp_path / "bad.csv"
    file.write_bytes(content)
    assert take(file) == 2
    assert problem in capsys.readouterr().err


def test_an_export_opens_in_a_spreadsheet_with_headings_and_without_formulas(config_dir: Path, tmp_path: Path) -> None:
    (config_dir / "faq").mkdir()
    (config_dir / "faq/own.yaml").write_text("- {id: a, question: =1+1, answer: 二}", encoding="utf-8")
    put_out(tmp_path / "out.xlsx")
    header, row = openpyxl.load_workbook(tmp_path / "out.xlsx").active.iter_rows()
    assert [cell.value for cell in header][:3] == list(HEADER)
    assert (row[0].value, row[0].data_type) == ("'=1+1", "s")
    put_out(tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes().startswith(b"\xef\xbb\xbfquestion,answer,variants")


def test_an_export_to_another_kind_of_file_is_refused(config_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandRefused, match="neither csv nor xlsx"):
        put_out(tmp_path / "out.txt")
