from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert

from commands.faq import check
from commands.knowledge import opened_store
from config.settings import Settings
from faq.tables import knowledge_additions

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An operator's own knowledge file."""
    monkeypatch.setenv("QUNDA_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("QUNDA_CONFIG_DIR", str(tmp_path / "config"))
    for name in ("QUNDA_SECRET_KEY", "QUNDA_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "config/faq/own.yaml"
    file.parent.mkdir(parents=True)
    return file


def test_the_shipped_knowledge_has_no_findings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUNDA_DATA_DIR", str(tmp_path))
    assert check(quick=True) == 0
    assert capsys.readouterr().out.endswith(" 0 findings\n")


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("- {id: a, question: 问甲, variants: [问乙, 问丙], skill: magic}", "own.yaml:1: a: there is no skill magic"),
        ("- {id: a, question: 问甲, variants: [问乙, 问丙], answer: 答}", "no group form"),
        ("- {id: a, question: 问甲, answer: 答, group: 答}", "only 1 phrasings"),
        (f"- {{id: a, question: 问甲, variants: [问乙, 问丙], answer: {'长' * 60}, group: 答}}", "no elder form"),
        (
            f"- {{id: a, question: 问甲, variants: [问乙, 问丙], answer: {'长' * 200}, elder: 短, group: 答}}",
            "200 characters",
        ),
        ("- {id: a, question: 问甲, variants: [问乙, ？？], answer: 答, group: 答}", "holds no word"),
        (
            "- {id: a, question: 问甲, variants: [问乙, 问丙], skill: help}\n"
            "- {id: b, question: 问丁, variants: [请问问乙, 问戊], skill: help}",
            "own.yaml:2: b: '请问问乙' is also a",
        ),
    ],
)
def test_what_is_not_good_is_named_with_its_place(
    own: Path, capsys: pytest.CaptureFixture[str], text: str, finding: str
) -> None:
    own.write_text(text, encoding="utf-8")
    assert check(quick=True) == 1
    assert finding in capsys.readouterr().out


def test_a_figure_that_the_policy_does_not_hold_is_named(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (own.parent.parent / "policy.yaml").write_text(
        "automatic_up_to: 20\nlimits: {leader: 50, agent: 500}\nfigures: {leader: 团长}\n", encoding="utf-8"
    )
    own.write_text(
        "- {id: a, question: 问, variants: [问乙, 问丙], answer: '{refund_days}', group: 答}", encoding="utf-8"
    )
    assert check(quick=True) == 1
    assert "write refund_days below figures" in capsys.readouterr().out


def test_a_folder_without_an_entry_is_named(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own.write_text("", encoding="utf-8")
    assert check(quick=True) == 1
    assert f"{own.parent}: there is no entry" in capsys.readouterr().out


def test_what_was_approved_is_looked_at_as_well(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own.write_text("- {id: a, question: 问甲, variants: [问乙, 问丙], answer: 答, group: 答}", encoding="utf-8")
    with opened_store(Settings.load(os.environ, make_secret=True)) as store, store.write() as connection:
        row = {"entry_id": "b", "phrasing": "问乙", "answer": "不", "communities": [], "added_at": NOW}
        connection.execute(insert(knowledge_additions), row)
    assert check(quick=True) == 1
    assert "approved with ./qunda faq gaps: b: '问乙' is also a (" in capsys.readouterr().out


def test_two_communities_may_be_asked_the_same(own: Path) -> None:
    own.write_text(
        "- {id: a, question: 在哪取, variants: [去哪取, 取货点], answer: 东门, group: 东门, communities: [sun]}\n"
        "- {id: b, question: 在哪取, variants: [去哪取, 取货点], answer: 西门, group: 西门, communities: [river]}",
        encoding="utf-8",
    )
    assert check() == 0


def test_entries_that_steal_each_other_s_questions_are_named_unless_it_shall_be_quick(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hours = ", ".join(f"{side}门几时营业呀" for side in "东西南北前后左右")
    close = "东门几时营业, 西门几时营业, 南门几时营业, 打烊, 收摊, 停业"
    own.write_text(
        f"- {{id: open, question: 几时营业哈, variants: [{hours}], answer: 九点, group: 九点}}\n"
        f"- {{id: close, question: 闭店, variants: [{close}], answer: 八点, group: 八点}}\n",
        encoding="utf-8",
    )
    assert check() == 1
    assert "phrasings find" in capsys.readouterr().out
    check(quick=True)
    assert "phrasings find" not in capsys.readouterr().out
