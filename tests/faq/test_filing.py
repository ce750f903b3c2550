from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from faq import filing
from faq.knowledge import Entry, Knowledge

OWN = """\
# About money

- id: refund   # most asked
  question: 退款多久到账？
  variants: [钱几时退]
  answer: 三天。

# About orders

- id: status
  question: 到哪了
  skill: order_status
"""


def written(folder: Path, changed: list[Entry], new: list[Entry], removed: set[str], source: Path) -> Knowledge:
    files = sorted(source.glob("*.yaml"))
    filing.write(folder, files, changed={e.id: e for e in changed}, new=new, removed=removed, environ={})
    return Knowledge.load(folder.glob("*.yaml"), {})


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "own.yaml").write_text(OWN, encoding="utf-8")
    return folder


def test_only_the_lines_of_a_changed_entry_change(source: Path) -> None:
    refund = Entry("refund", "退款多久到账？", ("钱几时退",), answer="七天：\n工作日。")
    assert written(source, [refund], [], set(), source)["refund"] == refund
    text = (source / "own.yaml").read_text(encoding="utf-8")
    assert text.startswith("# About money\n\n- id: refund\n")
    assert text.endswith(OWN[OWN.index("\n# About orders") :])


def test_a_removed_entry_leaves_the_others_and_the_comments(source: Path) -> None:
    assert [entry.id for entry in written(source, [], [], {"refund"}, source)] == ["status"]
    assert "# About orders" in (source / "own.yaml").read_text(encoding="utf-8")


def test_a_new_folder_is_a_whole_copy_and_the_source_stays_as_it_was(source: Path, tmp_path: Path) -> None:
    new = Entry("new", "问", ("yes", "12:30", "带: 冒号", "'引号", "# 井号", "🍎"), answer="{leader}: 好\n的")
    knowledge = written(tmp_path / "config/faq", [], [new], set(), source)
    assert [entry.id for entry in knowledge] == ["new", "refund", "status"]
    assert knowledge["new"] == new
    assert (source / "own.yaml").read_text(encoding="utf-8") == OWN
    assert [file.name for file in sorted((tmp_path / "config/faq").iterdir())] == ["imported-1.yaml", "own.yaml"]
    assert list((tmp_path / "config").iterdir()) == [tmp_path / "config/faq"]


@pytest.mark.parametrize("text", ["[{id: a, question: 问, answer: 答}, {id: b, question: 二, answer: 答}]", OWN * 0])
def test_a_layout_that_cannot_be_patched_is_written_anew(source: Path, text: str) -> None:
    (source / "flow.yaml").write_text(text, encoding="utf-8")
    entries = list(Knowledge.load([source / "flow.yaml"], {}))
    knowledge = written(source, [replace(entry, answer="新") for entry in entries], [], set(), source)
    assert {entry.answer for entry in knowledge if entry.id in "ab"} == ({"新"} if entries else set())


def test_many_new_entries_are_spread_over_files_that_can_be_read(source: Path) -> None:
    new = [Entry(f"n{number}", f"第{number}问", answer="答") for number in range(2001)]
    assert len(written(source, [], new, set(), source)) == 2003
    assert {file.name for file in source.glob("imported-*")} == {"imported-1.yaml", "imported-2.yaml"}
