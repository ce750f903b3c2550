from __future__ import annotations

from pathlib import Path

import pytest

from bot.clock import ShiftedClock
from bot.storage.store import Store
from tests.handlers.claim_talk import Stage, Talk


@pytest.fixture
def stage(store: Store, clock: ShiftedClock, tmp_path: Path) -> Stage:
    return Stage(store, clock, tmp_path / "media")


@pytest.fixture
def talk(stage: Stage) -> Talk:
    resident = stage.resident()
    stage.bought(resident, "五常大米", days_ago=-1, status="shipping", order_no="6600020240")
    stage.bought(resident, "普罗旺斯番茄", days_ago=0, status="arrived", order_no="6600020127")
    stage.bought(resident, "海南香蕉", days_ago=3, status="cancelled", order_no="6600060268")
    return Talk(stage)


def test_what_waits_at_the_pick_up_point_stands_first_and_what_is_over_is_left_out(talk: Talk) -> None:
    lines = talk.say("我的订单到哪了").splitlines()
    assert "普罗旺斯番茄" in lines[1]
    assert "取货码 A012" in lines[1]
    assert "五常大米" in lines[2]
    assert "东门" in lines[3]
    assert len(lines) == 4


def test_the_number_of_ones_own_order_alone_asks_for_it(talk: Talk) -> None:
    answer = talk.say("6600020240")
    assert "五常大米" in answer
    assert "番茄" not in answer


def test_anothers_order_number_is_answered_like_one_that_does_not_exist(stage: Stage, talk: Talk) -> None:
    stage.bought(stage.resident("bob", phone="13800000002"), "雪梨", order_no="6600080169")
    answers = {talk.say(number).replace(number, "") for number in ("6600080169", "6600080000")}
    assert len(answers) == 1
    assert "没有查到" in answers.pop()


def test_when_nothing_is_under_way_the_last_order_is_told(stage: Stage) -> None:
    resident = stage.resident()
    for product in ("红富士苹果", "上海青"):
        stage.bought(resident, product, order_no="6600010120")
    answer = Talk(stage).say("我的菜到了吗")
    assert "没有在路上" in answer
    assert "红富士苹果" in answer
    assert "上海青" in answer
    assert "已取货" in answer


def test_who_has_bought_nothing_lately_is_told_what_to_do(stage: Stage) -> None:
    stage.resident()
    assert "人工" in Talk(stage).say("我的订单到哪了")
