from __future__ import annotations

from pathlib import Path

import pytest

from bot.clock import ShiftedClock
from bot.storage.store import Store
from handlers.settled import _answer
from tests.escalation.scene import STAFF, Scene


@pytest.fixture
def scene(store: Store, clock: ShiftedClock, tmp_path: Path) -> Scene:
    scene = Scene(store, clock, tmp_path / "media")
    _solve_one(scene)
    return scene


def _solve_one(scene: Scene) -> None:
    scene.says("alice", "人工")
    scene.says("zhang", "接单 0001")
    scene.says("zhang", "解决 0001")
    for who in ("alice", "zhang", "wu"):
        scene.reads(who)


@pytest.mark.parametrize(
    ("words", "word", "explicit"),
    [
        ("解决了", "yes", True),
        ("已解决。", "yes", True),
        ("都处理好了，谢谢", "yes", True),
        ("满意", "yes", True),
        ("解決了！", "yes", True),
        ("好的谢谢团长", "yes", False),
        ("没问题了", "yes", False),
        ("没解决", "no", True),
        ("还没有解决", "no", True),
        ("還沒解決", "no", True),
        ("不满意", "no", True),
        ("没有", "no", False),
        ("还没", "no", False),
        ("还是不行", "no", True),
        ("不满意！太差了", "no", True),
        ("没有，牛奶的钱还没退", "no", False),
        ("还没解决。怎么回事", "no", True),
        ("👍", "yes", False),
        ("👍🏻👍🏻", "yes", False),
        ("[OK]", "yes", False),
        ("/:strong", "yes", False),
        ("👎", "no", False),
        ("还行吧", "yes", False),
        ("一般吧", "neither", False),
        ("再看看吧", "neither", False),
    ],
)
def test_yes_and_no_are_understood_however_they_are_said(words: str, word: str, explicit: bool) -> None:
    answer = _answer(words)
    assert answer is not None
    assert (answer.word, answer.explicit) == (word, explicit)


@pytest.mark.parametrize(
    "words", ["解决了没有", "没有收到退款", "好了没", "还没到货", "不满意就退款", "谢谢", "", "解决" * 1000]
)
def test_words_that_say_more_or_nothing_are_no_answer(words: str) -> None:
    assert _answer(words) is None


def test_a_yes_closes_the_ticket(scene: Scene) -> None:
    assert "工单 0001 就办结了" in scene.says("alice", "解决了")
    assert scene.ticket(1).status == "confirmed"
    assert "settle" not in scene.conversation("alice").state
    assert "居民在" in scene.says("zhang", "看 0001")


def test_a_no_opens_it_again_one_step_up_and_tells_the_supervisor(scene: Scene) -> None:
    told = scene.says("alice", "没有")
    assert "对不起" in told
    assert "主管" in told
    ticket = scene.ticket(1)
    assert (ticket.status, ticket.priority, ticket.owner, ticket.reopened) == ("waiting", "P1", None, 1)
    for who in ("wu", "zhang"):
        notice = scene.reads(who)
        assert "没有解决" in notice
        assert "张团长" in notice
    assert "归您了" in scene.says("wu", "接单 0001")


def test_a_supervisor_who_does_not_exist_is_not_promised(store: Store, clock: ShiftedClock, tmp_path: Path) -> None:
    scene = Scene(store, clock, tmp_path, STAFF[:2])
    _solve_one(scene)
    assert "主管" not in scene.says("alice", "没有")
    assert "没有解决" in scene.reads("zhang")


def test_other_words_are_left_to_the_bot_and_the_question_stands(scene: Scene) -> None:
    assert scene.says("alice", "几点能取货") == "机器人的回答"
    assert "办结" in scene.says("alice", "解决了")


def test_a_bare_yes_counts_for_three_days(scene: Scene) -> None:
    scene.clock.advance(days=4)
    assert scene.says("alice", "好的") == "机器人的回答"
    assert "办结" in scene.says("alice", "解决了")


def test_it_is_answered_once(scene: Scene) -> None:
    scene.says("alice", "解决了")
    assert scene.says("alice", "没解决") == "机器人的回答"
    assert scene.ticket(1).status == "confirmed"


def test_a_no_while_another_hand_off_is_open_raises_that_one(scene: Scene) -> None:
    scene.says("alice", "又要人工")
    assert "工单 0002" in scene.says("alice", "没解决")
    assert scene.ticket(2).priority == "P1"
    assert scene.ticket(1).status == "solved"


def test_a_no_with_its_cause_tells_the_cause_to_the_supervisor(scene: Scene) -> None:
    assert "对不起" in scene.says("alice", "没有，牛奶的钱还没退")
    assert "牛奶的钱还没退" in scene.reads("wu")


def test_a_bare_yes_after_another_answer_is_no_answer_to_the_question(scene: Scene) -> None:
    scene.says("alice", "几点能取货")
    assert scene.says("alice", "好的") == "机器人的回答"
    assert scene.ticket(1).status == "solved"
    assert "办结" in scene.says("alice", "解决了")


def test_neither_yes_nor_no_is_asked_about_and_the_question_stands(scene: Scene) -> None:
    assert "还有没办好的地方吗" in scene.says("alice", "一般吧")
    assert "对不起" in scene.says("alice", "没有解决")
