from __future__ import annotations

from pathlib import Path

import pytest

from bot.clock import ShiftedClock
from bot.message import Media
from bot.storage.store import Store
from tests.escalation.scene import Scene


@pytest.fixture
def scene(store: Store, clock: ShiftedClock, tmp_path: Path) -> Scene:
    return Scene(store, clock, tmp_path / "media")


def test_a_ticket_of_another_community_looks_as_if_it_did_not_exist(scene: Scene) -> None:
    scene.says("alice", "报损")
    before = scene.ticket(1)
    for command in ("看", "接单", "回复 {} 你好", "解决", "同意", "拒绝 {} 不行", "机器人 关"):
        written = command if "{}" in command else f"{command} {{}}"
        assert scene.says("li", written.format("0001")) == "没有找到工单 0001。发“工单”看您手上的。"
        assert scene.says("li", written.format("0999")) == "没有找到工单 0999。发“工单”看您手上的。"
    assert scene.ticket(1) == before
    assert scene.says("li", "工单") == "您手上没有工单。"


def test_a_residents_words_are_never_a_command(scene: Scene) -> None:
    scene.says("alice", "报损")
    for command in ("接单 0001", "回复 0001 你好", "同意 0001", "解决 0001"):
        scene.says("bob", command)
        scene.says("alice", command)
    ticket = scene.ticket(1)
    assert (ticket.status, ticket.owner) == ("waiting", None)


def test_a_ticket_without_community_is_for_agents_and_supervisors(scene: Scene) -> None:
    scene.says("carol", "人工")
    assert "没有找到" in scene.says("zhang", "看 0001")
    assert "一位居民" in scene.says("wu", "看 0001")


def test_words_that_are_no_command_never_reach_the_resident(scene: Scene) -> None:
    scene.says("alice", "人工")
    scene.says("zhang", "接单 0001")
    scene.reads("alice")
    assert scene.says("zhang", "马上给您送过去") == "这句话没有发给居民。要发的话，请写：回复 0001 文字"
    assert scene.reads("alice") == ""


def test_words_without_any_ticket_in_hand_get_short_help(scene: Scene) -> None:
    assert "发“帮助”" in scene.says("zhang", "今天货到了吗")


def test_a_photo_from_staff_is_answered_kindly(scene: Scene) -> None:
    assert "没有转给居民" in scene.says("zhang", "", kind="image", media=Media("image", "media-1"))


def test_in_a_group_a_leader_is_one_of_many(scene: Scene) -> None:
    scene.says("alice", "人工")
    assert scene.says("zhang", "接单 0001", chat="wrGroup").endswith("机器人的回答")
    assert scene.ticket(1).status == "waiting"


def test_opening_the_app_is_answered_with_silence(scene: Scene) -> None:
    assert scene.says("zhang", "", kind="event", event="enter_agent") == ""


def test_a_command_written_wrongly_is_answered_with_how_to_write_it(scene: Scene) -> None:
    assert scene.says("zhang", "拒绝 0001") == "这句没看懂，还没有办。请这样写：拒绝 0123 原因"
    assert scene.says("zhang", "机器人 0001") == "这句没看懂，还没有办。请这样写：机器人 开 0123"


def test_the_number_may_be_left_out_only_while_it_is_clear(scene: Scene) -> None:
    assert scene.says("zhang", "回复 您好") == "您手上没有这样的工单，请写上号码：回复 0123 文字"
    scene.says("alice", "人工")
    scene.says("dora", "人工")
    scene.reads("zhang")
    assert "0001、0002" in scene.says("zhang", "接单")
    scene.says("zhang", "接单 1")
    scene.says("zhang", "接单 2")
    scene.reads("alice")
    scene.reads("dora")
    assert "0001、0002" in scene.says("zhang", "回复 您好")
    assert scene.reads("alice") + scene.reads("dora") == ""
    scene.says("zhang", "解决 0001")
    scene.says("zhang", "回复 您好")
    assert scene.reads("dora") == "张团长：您好"


def test_a_reply_that_begins_with_a_figure_goes_to_nobody_by_mistake(scene: Scene) -> None:
    for _ in range(3):
        scene.says("alice", "报损")
    scene.says("dora", "人工")
    scene.says("zhang", "接单 0004")
    scene.reads("alice")
    scene.reads("dora")
    assert "四位工单号" in scene.says("zhang", "回复 3 个工作日内到账")
    assert scene.reads("alice") + scene.reads("dora") == ""
    scene.says("zhang", "回复 4 您好")
    assert scene.reads("dora") == "张团长：您好"


def test_the_list_shows_the_most_urgent_first_and_ten_at_most(scene: Scene) -> None:
    for _ in range(10):
        scene.says("alice", "报损")
    scene.says("alice", "人工")
    scene.clock.advance(minutes=7)
    scene.says("dora", "救命")
    lines = scene.says("zhang", "工单").split("\n")[-11:]
    assert lines[0] == "0012 P0 紧急 陈** 居民说救命 等人接，0 分钟了"
    assert lines[1] == "0001 P1 优先 王** 报损：苹果 等人接，7 分钟了"
    assert lines[10] == "还有 2 个，办完这些再发“工单”。"


def test_a_ticket_in_full_shows_the_words_and_what_happened(scene: Scene) -> None:
    scene.says("alice", "人工帮帮我")
    scene.says("zhang", "接单 0001")
    scene.says("zhang", "回复 来了")
    shown = scene.says("zhang", "看")
    for part in ("工单 0001", "P2 一般", "阳光花园", "王**", "张团长在办", "人工帮帮我", "张团长接单", "张团长：来了"):
        assert part in shown


def test_agreeing_decides_the_claim_tells_the_resident_and_takes_nothing_over(scene: Scene) -> None:
    scene.says("alice", "报损")
    scene.reads("zhang")
    assert "已记下同意" in scene.says("zhang", "同意 0001")
    told = scene.reads("alice")
    assert "同意给您退款" in told
    assert "平台会给您办" in told
    assert scene.ticket(1).status == "solved"
    assert scene.conversation("alice").holder is None
    assert scene.says("alice", "几点取货") == "机器人的回答"
    assert "已经由张团长同意了" in scene.says("chen", "拒绝 0001 证据不足")


def test_refusing_tells_the_reason_and_the_way_to_a_person(scene: Scene) -> None:
    scene.says("alice", "报损")
    scene.says("chen", "拒绝 0001 照片看不清")
    told = scene.reads("alice")
    assert "照片看不清" in told
    assert "人工" in told
    assert "已经由小陈拒绝了" in scene.says("zhang", "同意 0001")


def test_a_decision_by_another_leaves_the_ticket_with_its_holder_who_is_told(scene: Scene) -> None:
    scene.says("alice", "报损")
    scene.says("zhang", "接单 0001")
    scene.reads("zhang")
    scene.says("chen", "同意 0001")
    assert "小陈同意了" in scene.reads("zhang")
    assert scene.ticket(1).status == "held"
    assert scene.conversation("alice").holder == "zhang"
    assert "同意给您退款" in scene.reads("alice")


def test_only_a_claim_can_be_decided(scene: Scene) -> None:
    scene.says("alice", "人工")
    assert "不是报损" in scene.says("zhang", "同意 0001")


def test_solving_twice_says_that_it_is_closed_already(scene: Scene) -> None:
    scene.says("alice", "人工")
    scene.says("zhang", "接单 0001")
    scene.reads("alice")
    scene.says("zhang", "解决 0001")
    assert "工单 0001" in scene.reads("alice")
    assert "已经由张团长办好结束了" in scene.says("zhang", "解决 0001")
    assert "已经由张团长办好结束了" in scene.says("chen", "回复 0001 喂")
    assert scene.reads("alice") == ""


def test_what_somebody_else_has_in_hand_is_not_answered_or_solved(scene: Scene) -> None:
    scene.says("alice", "人工")
    scene.says("zhang", "接单 0001")
    scene.reads("alice")
    for command in ("回复 0001 喂", "解决 0001", "机器人 开 0001", "机器人 关 0001"):
        assert scene.says("chen", command) == "工单 0001 已经由张团长在办。"
    assert scene.reads("alice") == ""


def test_the_others_who_were_told_learn_who_took_it(scene: Scene) -> None:
    scene.says("alice", "人工")
    scene.reads("zhang")
    scene.says("chen", "接单 0001")
    assert "由小陈接单了" in scene.reads("zhang")


def test_help_lists_every_command(scene: Scene) -> None:
    shown = scene.says("zhang", "帮助")
    for word in ("工单", "看", "接单", "回复", "同意", "拒绝", "解决", "机器人"):
        assert word in shown


def test_who_has_a_ticket_in_hand_is_not_told_to_take_it(scene: Scene) -> None:
    scene.says("alice", "人工")
    assert "接单 0001" in scene.says("zhang", "看 0001")
    scene.says("zhang", "接单 0001")
    told = scene.says("zhang", "看 0001")
    assert "接单 0001" not in told
    assert "解决 0001" in told


def test_somebody_who_is_not_written_down_as_staff_learns_it(scene: Scene) -> None:
    scene.says("alice", "人工")
    answer = scene.says("carol", "接单 0001")
    assert "carol" in answer
    assert "登记" in answer
    assert scene.ticket(1).status == "waiting"


@pytest.mark.parametrize("words", ["不同意，10块太少了", "同意15元", "同意 0015"])
def test_a_residents_words_that_look_like_a_command_reach_whoever_speaks_with_her(scene: Scene, words: str) -> None:
    scene.says("carol", "人工")
    scene.says("chen", "接单 0001")
    scene.reads("carol")
    assert scene.says("carol", words) == ""
    assert words in scene.reads("chen")


def test_a_known_resident_is_answered_whatever_her_words_look_like(scene: Scene) -> None:
    assert scene.says("alice", "同意 0015") == "机器人的回答"


def test_an_unknown_account_that_types_no_exact_command_is_answered(scene: Scene) -> None:
    assert scene.says("carol", "不同意，10块太少了") == "机器人的回答"


def test_a_command_written_wrongly_names_the_one_ticket_it_can_mean(scene: Scene) -> None:
    scene.says("alice", "人工")
    scene.says("zhang", "接单 0001")
    assert scene.says("zhang", "回复你好").endswith("回复 0001 文字")
