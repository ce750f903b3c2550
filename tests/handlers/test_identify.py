"""Proving who one is, however sloppily it is typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.clock import ShiftedClock
from bot.storage.store import Store
from handlers.proof import read_proof
from tests.handlers.claim_talk import Stage, Talk

ORDER = "6600080169"


@pytest.fixture
def stage(store: Store, clock: ShiftedClock, tmp_path: Path) -> Stage:
    stage = Stage(store, clock, tmp_path / "media")
    resident = stage.resident("her-other-phone", phone="13800008024")
    stage.bought(resident, "黄心土豆", status="shipping", order_no=ORDER, code="3372")
    return stage


@pytest.fixture
def talk(stage: Stage) -> Talk:
    """An account that nobody knows has asked for its order."""
    talk = Talk(stage, "stranger")
    assert "手机号后四位" in talk.say("我的订单到哪了")
    return talk


@pytest.mark.parametrize(
    ("text", "digits", "number"),
    [
        ("8024 6600080169", "8024", ORDER),
        ("８０２４，６６０００８０１６９", "8024", ORDER),
        ("尾号8024 单号6600080169", "8024", ORDER),
        ("手机后四位是8024 订单号是6600080169", "8024", ORDER),
        ("手机后4位：8024，订单号：6600080169", "8024", ORDER),
        ("6600080169 8024", "8024", ORDER),
        ("13800008024，取货码3372", "8024", "3372"),
        ("我叫郑涛，138 0000 8024", "8024", None),
        ("取货码3372，手机尾号8024", "8024", "3372"),
        ("取货码3372", None, "3372"),
        ("八零二四", "8024", None),
        ("8024", "8024", None),
        ("A20261120001", None, "A20261120001"),
    ],
)
def test_the_parts_of_a_proof_are_found(text: str, digits: str | None, number: str | None) -> None:
    proof = read_proof(text)
    assert (proof.digits, proof.number) == (digits, number)
    assert proof.alone


@pytest.mark.parametrize(
    "messages",
    [
        ("8024 6600080169",),
        ("8024", "6600080169"),
        ("8024", "6600 0801 69"),
        ("6600080169", "8024"),
        ("取货码3372", "尾号8024"),
        ("3372 8024",),
        ("八零二四", "三三七二"),
        ("8025 6600080169", "8024 6600080169"),
        ("退款多久到账", "8024 6600080169"),
    ],
)
def test_a_proof_is_taken_however_it_is_typed(talk: Talk, messages: tuple[str, ...]) -> None:
    *first, last = messages
    for text in first:
        assert "黄心土豆" not in talk.say(text)
    assert "黄心土豆" in talk.say(last)
    assert "黄心土豆" in talk.say("我的订单到哪了")


def test_a_proof_that_nobody_asked_for_counts_too(stage: Stage) -> None:
    assert "黄心土豆" in Talk(stage, "stranger").say("8024 6600080169")
    assert "后四位" in Talk(stage, "another").say(ORDER)


def test_three_wrong_proofs_go_to_a_person_and_a_fourth_is_not_looked_at(stage: Stage, talk: Talk) -> None:
    for digits in ("1111", "2222"):
        assert "没有对上" in talk.say(f"{digits} {ORDER}")
    assert "工单 0001" in talk.say(f"3333 {ORDER}")
    assert stage.tickets()[0].reason == "想查订单，核对身份三次没对上"
    assert "不用再发" in talk.say(f"8024 {ORDER}")
    assert "不用再发" in talk.say("我的订单到哪了")
    assert len(stage.tickets()) == 1
    stage.clock.advance(hours=25)
    assert "黄心土豆" in talk.say(f"8024 {ORDER}")


@pytest.mark.parametrize("words", ["取消", "算了", "不查了"])
def test_it_can_be_left(stage: Stage, talk: Talk, words: str) -> None:
    assert "有事" in talk.say(words)
    assert "flow" not in talk.state()
    assert not stage.tickets()


def test_who_does_not_know_the_numbers_is_told_where_they_stand_and_then_helped(stage: Stage, talk: Talk) -> None:
    assert "到货通知" in talk.say("我不知道订单号呀")
    assert "工单 0001" in talk.say("找不到呀")
    assert "不知道怎么核对" in stage.tickets()[0].reason


def test_danger_and_a_call_for_a_person_go_before_the_proof(stage: Stage, talk: Talk) -> None:
    assert "身体要紧" in talk.say("8024 孩子吃了拉肚子")
    assert stage.tickets()[0].priority == "P0"


def test_a_proof_in_a_group_shows_nothing_and_is_asked_for_in_private(stage: Stage) -> None:
    group = Talk(stage, "stranger", chat="group-1")
    group.say("我的订单到哪了")
    answer = group.say("8024 6600080169")
    assert "私下" in answer
    assert "土豆" not in answer
    assert "私下" in Talk(stage, "her-other-phone", chat="group-1").say("8024 6600080169")
