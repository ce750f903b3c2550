from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from bot.storage.store import Store
from bot.storage.tables import inbox
from bot.transaction import conversation_id
from faq import gaps
from faq.gaps import Cluster, Gap
from faq.knowledge import Entry, Knowledge
from faq.tables import gaps as gap_rows

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
KNOWLEDGE = Knowledge(
    [Entry("pay", "怎么付款", ("支付方式",), answer="微信。"), Entry("hours", "几点取", answer="四点。")]
)

Ask = Callable[..., int]


@pytest.fixture
def ask(store: Store) -> Ask:
    """Keeps a question of a resident as a gap; returns the inbox row."""

    def asked(words: str, account: str = "alice", *, kind: str = "unanswered", note: str = "", **more: Any) -> int:
        with store.write() as connection:
            conversation = conversation_id(connection, "oa", account, "", NOW)
            message = _message(connection, conversation, words, note)
            if kind != "answered":
                gap = {"entry_id": None, "confidence": 0.1, **more}
                gaps.record(connection, Gap(message, conversation, NOW, words, kind, **gap))  # type: ignore[arg-type]
        return message

    return asked


def _message(connection: Any, conversation: int, words: str, note: str) -> int:
    count = len(connection.execute(select(inbox.c.id)).all())
    row = {
        "channel": "oa", "dedupe_key": str(count), "conversation_id": conversation, "kind": "text", "text": words,
        "payload": {}, "sent_at": NOW, "received_at": NOW, "outcome": "handled", "handler": "answer", "note": note,
    }  # fmt: skip
    return int(connection.execute(insert(inbox).values(row).returning(inbox.c.id)).scalar_one())


def clusters(store: Store, answers: dict[int, str] | None = None) -> list[Cluster]:
    with store.read() as connection:
        return gaps.open_clusters(connection, KNOWLEDGE, answers or {})


def approve(store: Store, cluster: Cluster) -> bool:
    assert cluster.suggestion is not None
    with store.write() as connection:
        return gaps.approve(connection, cluster, cluster.suggestion, NOW)


def in_use(store: Store) -> Knowledge:
    with store.read() as connection:
        return KNOWLEDGE.extended(gaps.additions(connection))


def test_questions_come_together_with_their_sources_and_examples(store: Store, ask: Ask) -> None:
    ask("有没有猫粮卖", "alice")
    ask("附近有充电桩吗", "bob")
    ask("你们卖猫粮吗", "bob", kind="clarified")
    ask("你们卖猫粮吗", "bob")
    first, second = clusters(store)
    assert (first.sources, len(first.gap_ids), dict(first.kinds)) == (2, 3, {"unanswered": 2, "clarified": 1})
    assert first.examples == ("你们卖猫粮吗", "有没有猫粮卖")
    assert second.examples == ("附近有充电桩吗",)
    assert (first.suggestion, second.suggestion) == (None, None)


def test_no_personal_data_is_kept(store: Store, ask: Ask) -> None:
    ask("我是13800000001,订单20261118001,住3栋2单元501,卖猫粮吗")
    with store.read() as connection:
        words: str = connection.execute(select(gap_rows.c.words)).scalar_one()
    assert words == "我是〔电话〕,订单〔号码〕,住〔地址〕,卖猫粮吗"


def test_a_message_is_one_gap_however_often_it_is_recorded(store: Store, ask: Ask) -> None:
    message = ask("卖猫粮吗")
    with store.write() as connection:
        gaps.record(connection, Gap(message, 1, NOW, "卖猫粮吗", "clarified", None, 0.0))
    assert sum(len(cluster.gap_ids) for cluster in clusters(store)) == 1


def test_what_residents_chose_is_suggested_before_what_looked_likely(store: Store, ask: Ask) -> None:
    ask("钱怎么给你们", kind="clarified", entry_id="hours", confidence=0.6)
    with store.write() as connection:
        gaps.record_choice(connection, conversation_id(connection, "oa", "alice", "", NOW), "pay")
    (cluster,) = clusters(store)
    assert cluster.suggestion == gaps.of_entry(cluster, "pay")


def test_a_likely_entry_is_suggested_and_a_corrected_one_is_not(store: Store, ask: Ask) -> None:
    ask("钱咋给", entry_id="pay", confidence=0.5)
    ask("充电桩在哪", kind="corrected", entry_id="hours", confidence=0.9)
    by_words = {cluster.examples[0]: cluster.suggestion for cluster in clusters(store)}
    assert by_words["钱咋给"] is not None
    assert by_words["充电桩在哪"] is None


def test_a_person_s_answer_is_offered_as_an_entry_of_that_community(store: Store, ask: Ask) -> None:
    ask("有没有猫粮卖", ticket_id=7, community_id="sunshine")
    (cluster,) = clusters(store, {7: "有的,找我拿,电话13800000001"})
    assert cluster.suggestion is not None
    assert cluster.suggestion.answer == "有的,找我拿,电话〔电话〕"
    assert cluster.suggestion.communities == ("sunshine",)


def test_an_approved_gap_is_in_the_next_knowledge_and_off_the_list(store: Store, ask: Ask) -> None:
    ask("有没有猫粮卖", ticket_id=7)
    ask("你们卖猫粮吗", "bob")
    ask("钱咋给", "carol", entry_id="pay", confidence=0.5)
    with store.read() as connection:
        before = gaps.additions_state(connection)
    for cluster in clusters(store, {7: "有的。"}):
        assert approve(store, cluster)
    assert clusters(store) == []
    assert in_use(store)["你们卖猫粮吗"] == Entry("你们卖猫粮吗", "你们卖猫粮吗", ("有没有猫粮卖",), answer="有的。")
    assert in_use(store)["pay"].phrasings == ("怎么付款", "支付方式", "钱咋给")
    with store.read() as connection:
        assert gaps.additions_state(connection) != before


def test_of_two_who_decide_at_once_the_second_learns_that_it_is_decided(store: Store, ask: Ask) -> None:
    ask("钱咋给", entry_id="pay", confidence=0.5)
    (cluster,) = clusters(store)
    assert approve(store, cluster)
    with store.write() as connection:
        assert not gaps.dismiss(connection, cluster, NOW)
    assert not approve(store, cluster)


def test_a_dismissed_gap_is_not_asked_about_again_but_new_questions_are(store: Store, ask: Ask) -> None:
    ask("有没有猫粮卖")
    (cluster,) = clusters(store)
    with store.write() as connection:
        assert gaps.dismiss(connection, cluster, NOW)
    assert clusters(store) == []
    ask("有没有猫粮卖", "bob")
    assert len(clusters(store)) == 1


def test_an_answer_that_could_not_be_said_is_refused_and_nothing_is_decided(store: Store, ask: Ask) -> None:
    ask("有没有猫粮卖")
    (cluster,) = clusters(store)
    with pytest.raises(ValueError, match="no variable"), store.write() as connection:
        gaps.approve(connection, cluster, gaps.new_entry(cluster, "在{shelf}", KNOWLEDGE), NOW)
    assert len(clusters(store)) == 1


def test_a_story_makes_no_phrasing(store: Store, ask: Ask) -> None:
    ask("我跟你讲" * 30)
    (cluster,) = clusters(store)
    with pytest.raises(ValueError, match="characters long"):
        gaps.new_entry(cluster, "好。", KNOWLEDGE)


def test_a_correction_keeps_the_question_before_it_with_the_entry_that_was_wrong(store: Store, ask: Ask) -> None:
    ask("充电桩在哪", kind="answered", note="faq:hours 1a2b3c4d")
    later = ask("答非所问", kind="answered", note="hand_over:low_mood")
    with store.write() as connection:
        here = conversation_id(connection, "oa", "alice", "", NOW)
        gaps.record_correction(connection, here, later, "sunshine")
        gaps.record_correction(connection, here, later + 1, "sunshine")
    with store.read() as connection:
        (row,) = connection.execute(select(gap_rows)).all()
    assert (row.words, row.kind, row.entry_id, row.asked_at) == ("充电桩在哪", "corrected", "hours", NOW)


def test_the_question_that_asking_back_did_not_clear_waits_for_the_person_who_was_asked(store: Store, ask: Ask) -> None:
    ask("有没有猫粮卖", kind="clarified")
    with store.write() as connection:
        gaps.record_hand_off(connection, conversation_id(connection, "oa", "alice", "", NOW + timedelta(hours=1)), 9)
    (cluster,) = clusters(store, {9: "有的。"})
    assert (cluster.answer, dict(cluster.kinds)) == ("有的。", {"unanswered": 1})
