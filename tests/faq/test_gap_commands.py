"""``./qunda faq gaps``: the list, and what approving and dismissing do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from bot.storage.store import Store
from bot.storage.tables import inbox
from bot.transaction import conversation_id
from commands import gaps as command
from commands.errors import CommandRefused
from commands.knowledge import approved_so_far, opened_store
from commands.understand import run as understand
from config.settings import Settings
from escalation.tables import ticket_events, tickets
from faq import gaps
from faq.gaps import Gap
from faq.tables import gaps as gap_rows

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
OWN = "- {id: pay, question: 怎么付款, variants: [支付方式, 能用微信付吗], answer: 微信付, group: 微信付}\n"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The database of an installation with one entry of its own."""
    (tmp_path / "config/faq").mkdir(parents=True)
    (tmp_path / "config/faq/own.yaml").write_text(OWN, encoding="utf-8")
    for name in ("QUNDA_SECRET_KEY", "QUNDA_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("QUNDA_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("QUNDA_CONFIG_DIR", str(tmp_path / "config"))
    with opened_store(settings()) as opened:
        yield opened


def settings() -> Settings:
    return Settings.load(os.environ, make_secret=True)


def asked(store: Store, words: str, *, replies: tuple[str, ...] = (), account: str = "alice") -> None:
    """A question that was handed to a person, and what she replied."""
    with store.write() as connection:
        conversation = conversation_id(connection, "oa", account, "", NOW)
        ticket = None
        if replies:
            row = {
                "kind": "handoff", "conversation_id": conversation, "community_id": "sunshine", "name": "王**",
                "status": "solved", "priority": "P2", "reason": "", "facts": [], "opened_at": NOW, "reopened": 0,
            }  # fmt: skip
            ticket = connection.execute(insert(tickets).values(row).returning(tickets.c.id)).scalar_one()
            for reply in replies:
                event = {"ticket_id": ticket, "at": NOW, "actor": "zhang", "kind": "replied", "note": reply}
                connection.execute(insert(ticket_events), event)
        message = {
            "channel": "oa", "dedupe_key": words + account, "conversation_id": conversation, "kind": "text",
            "text": words, "payload": {}, "sent_at": NOW, "received_at": NOW, "outcome": "handled", "handler": "answer",
            "note": "",
        }  # fmt: skip
        inbox_id: int = connection.execute(insert(inbox).values(message).returning(inbox.c.id)).scalar_one()
        gap = Gap(inbox_id, conversation, NOW, words, "unanswered", None, 0.0, "sunshine", ticket)
        gaps.record(connection, gap)


def approve(number: int, entry_id: str | None = None, answer: str | None = None, *, everywhere: bool = False) -> None:
    command.approve(number, entry_id=entry_id, answer=answer, everywhere=everywhere)


def test_the_list_tells_how_often_who_and_what_a_person_answered(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    asked(store, "有没有猫粮卖", replies=("稍等", "有的，在二号货架"))
    asked(store, "你们卖猫粮吗", account="bob")
    asked(store, "附近有充电桩吗", account="bob")
    command.list_open()
    printed = capsys.readouterr().out
    assert "1: 2 times in 2 conversations (unanswered 2), last 2026-11-20 12:00" in printed
    assert "a new entry in sunshine (--everywhere for all) with the answer a person gave: 有的，在二号货架" in printed
    assert "3: 1 times in 1 conversations" in printed
    assert "no suggestion: --approve 3 --answer" in printed
    assert printed.endswith("2 gaps; 3 questions\n")


def test_approving_a_person_s_answer_makes_an_entry_that_is_understood_at_once(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    asked(store, "有没有猫粮卖", replies=("有的，在二号货架",))
    approve(1, everywhere=True)
    understand("有没有猫粮卖", None, None)
    assert '"entry": "有没有猫粮卖"' in capsys.readouterr().out
    command.list_open()
    assert capsys.readouterr().out == "0 gaps; 0 questions\n"


def test_approving_may_name_the_entry_or_the_answer(store: Store) -> None:
    asked(store, "钱咋给你们")
    asked(store, "附近有充电桩吗", account="bob")
    approve(1, "pay")
    approve(2, answer=" 东门有。 ")
    added = [(each.entry_id, each.phrasing, each.answer) for each in approved_so_far(settings())]
    assert added == [("pay", "钱咋给你们", None), ("附近有充电桩吗", "附近有充电桩吗", "东门有。")]


@pytest.mark.parametrize(
    ("number", "entry", "answer", "problem"),
    [
        (9, None, None, "no open gap 9"),
        (1, None, None, "nothing is known that would answer it"),
        (1, "payment", None, "there is no entry payment"),
        (1, None, "在{shelf}", "no variable"),
    ],
)
def test_what_cannot_be_added_is_refused_and_stays_on_the_list(
    store: Store, number: int, entry: str | None, answer: str | None, problem: str
) -> None:
    asked(store, "有没有猫粮卖")
    with pytest.raises(CommandRefused, match=problem):
        approve(number, entry, answer)
    assert approved_so_far(settings()) == ()


def test_an_answer_with_a_figure_that_the_policy_lacks_is_not_added(store: Store, tmp_path: Path) -> None:
    (tmp_path / "config/policy.yaml").write_text(
        "automatic_up_to: 20\nlimits: {leader: 50, agent: 500}\n", encoding="utf-8"
    )
    asked(store, "有没有猫粮卖")
    with pytest.raises(CommandRefused, match=r"names \{refund_days\}, which policy\.yaml does not hold"):
        approve(1, answer="{refund_days}")
    assert approved_so_far(settings()) == ()


def test_a_person_s_answer_in_which_something_was_masked_is_not_said_to_others(store: Store) -> None:
    asked(store, "有没有猫粮卖", replies=("有的，打13900001111",))
    with pytest.raises(CommandRefused, match="〔电话〕"):
        approve(1)
    approve(1, answer="有的，在二号货架")
    assert [each.answer for each in approved_so_far(settings())] == ["有的，在二号货架"]


def test_of_an_answer_that_was_not_meant_the_list_names_the_entry(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    asked(store, "钱咋给你们")
    with store.write() as connection:
        connection.execute(update(gap_rows).values(kind="corrected", entry_id="pay"))
    command.list_open()
    assert "was not meant: pay (怎么付款)" in capsys.readouterr().out


def test_dismissing_what_was_approved_takes_it_back(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    asked(store, "钱咋给你们")
    asked(store, "有没有猫粮卖", account="bob")
    approve(1, "pay")
    approve(2, answer="有。")
    with store.read() as connection:
        before = gaps.additions_state(connection)
    capsys.readouterr()
    command.dismiss(1)
    assert capsys.readouterr().out == "Taken back from pay: 钱咋给你们\n"
    assert [each.entry_id for each in approved_so_far(settings())] == ["有没有猫粮卖"]
    with store.read() as connection:
        assert gaps.additions_state(connection) != before
    with pytest.raises(CommandRefused, match="no open gap 1"):
        command.dismiss(1)


def test_what_is_taken_back_but_stands_in_the_files_by_now_is_said_to_stay(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked(store, "钱咋给你们")
    approve(1, "pay")
    (tmp_path / "config/faq/own.yaml").write_text(OWN.replace("[", "[钱咋给你们, "), encoding="utf-8")
    command.dismiss(1)
    assert "own.yaml holds it as well" in capsys.readouterr().out


def test_a_dismissed_gap_leaves_the_list(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    asked(store, "有没有猫粮卖")
    command.dismiss(1)
    command.list_open()
    assert capsys.readouterr().out == "Dismissed: 有没有猫粮卖\n0 gaps; 0 questions\n"


def test_without_a_database_nothing_has_been_approved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUNDA_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.delenv("QUNDA_DATABASE_URL", raising=False)
    assert approved_so_far(settings()) == ()
    assert not (tmp_path / "var/qunda.db").exists()
