"""Who speaks, who reads along, and what the resident is told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from bot.clock import ShiftedClock
from bot.errors import PlatformError, ResultUnknown
from bot.message import Media, Message
from bot.storage.store import Store
from bot.storage.tables import outbox
from escalation import tickets
from shop.directory import Community, Staff
from tests.escalation.scene import COMMUNITIES, STAFF, Scene


def test_a_hand_off_tells_the_resident_her_number_and_the_leader_what_to_do(scene: Scene) -> None:
    told = scene.says("alice", "我要找人工")
    assert "工单 0001" in told
    assert "张团长" in told
    assert "1 小时内" in told
    notice = scene.reads("zhang")
    for part in ("工单 0001", "P2", "阳光花园", "王**", "居民说我要找人工", "“我要找人工”", "回复 0001 文字"):
        assert part in notice
    assert "桂兰" not in notice
    assert not scene.reads("li")
    assert not scene.reads("chen")


def test_danger_promises_the_shorter_time(scene: Scene) -> None:
    assert "15 分钟内" in scene.says("alice", "救命")
    assert "P0 紧急" in scene.reads("zhang")


def test_an_agent_is_told_when_the_resident_has_no_leader(scene: Scene) -> None:
    told = scene.says("carol", "人工")
    assert "客服" in told
    assert "小陈" not in told
    assert "一位居民" in scene.reads("chen")


def test_the_agent_with_the_fewest_tickets_is_told(store: Store, clock: ShiftedClock, tmp_path: Path) -> None:
    scene = Scene(store, clock, tmp_path, (*STAFF, Staff("lin", "小林", "agent", {"app": "LinAgent"})))
    scene.says("carol", "人工")
    scene.says("erin", "人工")
    assert "工单 0001" in scene.reads("chen")
    assert "工单 0002" in scene.reads("lin")


def test_nothing_is_promised_when_nobody_can_be_told(store: Store, clock: ShiftedClock, tmp_path: Path) -> None:
    scene = Scene(store, clock, tmp_path, ())
    told = scene.says("alice", "人工")
    assert "工单 0001" in told
    assert "转给" not in told
    assert "小时" not in told


def test_while_a_ticket_waits_the_bot_answers_and_the_leader_reads_along(scene: Scene) -> None:
    scene.says("alice", "人工")
    scene.reads("zhang")
    assert scene.says("alice", "几点能取货") == "机器人的回答"
    notice = scene.reads("zhang")
    assert "几点能取货" in notice
    assert "工单 0001 王**" in notice


def test_a_second_reason_keeps_the_number_and_raises_the_priority(scene: Scene) -> None:
    scene.says("alice", "人工")
    scene.reads("zhang")
    again = scene.says("alice", "救命")
    assert "还是工单 0001" in again
    assert "又催" in scene.reads("zhang")
    ticket = scene.ticket(1)
    assert ticket.priority == "P0"
    assert ticket.reason == "居民说人工；居民说救命"


def test_from_taking_to_solving_the_person_speaks_and_the_bot_is_silent(scene: Scene) -> None:
    scene.says("alice", "人工")
    scene.reads("zhang")
    scene.clock.advance(minutes=2)
    assert "归您了" in scene.says("zhang", "接单 0001")
    assert "张团长来了" in scene.reads("alice")
    assert scene.says("alice", "苹果烂了") == ""
    assert "苹果烂了" in scene.reads("zhang")
    scene.says("zhang", "回复 我马上给您换")
    assert scene.reads("alice") == "张团长：我马上给您换"
    scene.says("zhang", "解决")
    assert "工单 0001 办好了" in scene.reads("alice")
    assert scene.says("alice", "几点能取货") == "机器人的回答"
    assert scene.reads("zhang") == ""


def test_whoever_has_just_been_promised_the_leader_is_not_told_again_that_she_is_there(scene: Scene) -> None:
    scene.says("alice", "人工")
    scene.says("zhang", "接单 0001")
    assert scene.reads("alice") == ""
    assert scene.conversation("alice").holder == "zhang"


def test_the_leader_introduces_herself_when_the_promise_of_her_was_never_sent(scene: Scene) -> None:
    scene.says("alice", "你好")
    promised_late = Message("oa", "alice", "late", "text", scene.clock.now(), "人工")
    scene.turns.take(promised_late, answer_until=scene.clock.monotonic() - 1)
    scene.says("zhang", "接单 0001")
    told = scene.reads("alice")
    assert "转给" not in told
    assert "张团长来了" in told


def test_somebody_other_than_was_promised_introduces_herself_at_once(scene: Scene) -> None:
    scene.says("alice", "人工")
    scene.says("chen", "接单 0001")
    assert "小陈来了" in scene.reads("alice")


def test_outside_working_hours_no_time_is_promised(store: Store, clock: ShiftedClock, tmp_path: Path) -> None:
    local = clock.now().astimezone(ZoneInfo("Asia/Shanghai"))
    minute = (local.hour * 60 + local.minute + 120) % 1380
    sleeper = Staff("zhang", "张团长", "leader", {"app": "ZhangLeader"}, hours=((minute, minute + 1),))
    told = Scene(store, clock, tmp_path, (sleeper,)).says("alice", "人工")
    assert "张团长" in told
    assert "小时" not in told
    assert "分钟" not in told


def test_the_first_reply_takes_the_ticket(scene: Scene) -> None:
    scene.says("alice", "人工")
    answer = scene.says("zhang", "回复 0001 来了来了")
    assert "正在发给王**" in answer
    assert "归您了" in answer
    assert scene.reads("alice").endswith("张团长：来了来了")
    assert scene.conversation("alice").holder == "zhang"
    assert scene.ticket(1).first_response_at is not None


def test_the_bot_can_be_let_back_in_and_silenced_again(scene: Scene) -> None:
    scene.says("alice", "人工")
    scene.says("zhang", "接单 0001")
    scene.says("zhang", "机器人 开")
    scene.reads("alice")
    assert scene.says("alice", "几点能取货") == "机器人的回答"
    assert "几点能取货" in scene.reads("zhang")
    scene.says("zhang", "机器人 关 0001")
    assert scene.says("alice", "好的") == ""
    assert "好的" in scene.reads("zhang")


def test_pictures_places_and_voice_reach_the_holder_in_words_and_as_they_are(scene: Scene) -> None:
    scene.says("alice", "人工")
    scene.says("zhang", "接单 0001")
    scene.reads("alice")
    assert scene.says("alice", "", kind="image", media=Media("image", "media-1")) == ""
    notice = scene.reads("zhang")
    assert "[图片]" in notice
    assert "<image>" in notice
    scene.says("alice", "东门", kind="location")
    assert "[位置] 东门" in scene.reads("zhang")
    scene.says("alice", "我听不见", kind="voice")
    assert "[语音] 我听不见" in scene.reads("zhang")


def test_phone_numbers_are_shown_to_the_owner_only(scene: Scene) -> None:
    scene.says("alice", "人工打我电话13912345678")
    scene.says("alice", "是13912345678")
    waiting = scene.reads("zhang")
    assert "139****5678" in waiting
    assert "13912345678" not in waiting
    assert "13912345678" not in scene.says("zhang", "看 0001")
    scene.says("zhang", "接单 0001")
    assert "13912345678" in scene.says("zhang", "看 0001")
    scene.says("alice", "再说一遍13912345678")
    assert "13912345678" in scene.reads("zhang")


def test_an_elder_is_spoken_to_simply(scene: Scene) -> None:
    assert "我请张团长来帮您" in scene.says("dora", "人工")
    scene.clock.advance(minutes=2)
    scene.says("zhang", "接单 0001")
    assert "您直接跟张团长说" in scene.reads("dora")


def test_what_two_tickets_of_one_resident_need_goes_to_both_owners(scene: Scene) -> None:
    scene.says("alice", "报损")
    scene.says("alice", "人工")
    scene.says("zhang", "接单 0001")
    assert "张团长正在跟王**说话" in scene.says("chen", "接单 0002")
    scene.reads("zhang")
    scene.says("alice", "还有人吗")
    assert "还有人吗" in scene.reads("zhang")
    assert "还有人吗" in scene.reads("chen")
    scene.says("zhang", "解决 0001")
    assert scene.conversation("alice").holder == "chen"
    scene.says("chen", "解决 0002")
    row = scene.conversation("alice")
    assert row.holder is None
    assert not row.followed


@pytest.mark.parametrize(("code", "why"), [(45015, "超过 48 小时"), (45047, "发满了条数"), (40003, "没有收下")])
def test_the_owner_learns_that_the_resident_was_not_reached_and_what_to_do(scene: Scene, code: int, why: str) -> None:
    scene.says("alice", "人工")
    scene.says("zhang", "接单 0001")
    scene.doors["oa"].error = PlatformError(code, permanent=True)
    notice = scene.says("zhang", "回复 在吗")
    assert "有话没有送到王**" in notice
    assert why in notice
    assert "打电话" in notice
    assert why in scene.says("zhang", "看 0001")


def test_an_uncertain_and_a_late_message_are_told_too(scene: Scene) -> None:
    scene.says("alice", "人工")
    scene.says("zhang", "接单 0001")
    scene.doors["oa"].error = ResultUnknown("no answer")
    assert "不知道送到没有" in scene.says("zhang", "回复 在吗")
    scene.doors["oa"].error = None
    scene.clock.advance(hours=49)
    assert "超过 48 小时" in scene.says("zhang", "回复 还在吗")


def test_when_nobody_can_be_notified_each_is_tried_once_and_no_circle_begins(scene: Scene) -> None:
    scene.doors["app"].error = PlatformError(81013, permanent=True)
    scene.says("alice", "人工")
    scene.says("alice", "还在吗")
    with scene.store.read() as connection:
        kinds = [event.kind for event in tickets.events(connection, 1, 20)]
        keys = select(outbox.c.key).where(outbox.c.key.startswith("unnotified:"))
        assert sorted(connection.execute(keys).scalars()) == ["unnotified:1:chen", "unnotified:1:wu"]
    assert kinds[0] == "opened"
    assert set(kinds[1:]) == {"unnotified"}


def test_when_the_leader_cannot_be_notified_an_agent_is_told_once_instead(scene: Scene) -> None:
    scene.doors["app"].refused["ZhangLeader"] = PlatformError(81013, permanent=True)
    scene.says("alice", "人工")
    notice = scene.reads("chen")
    for part in ("【工单 0001】", "居民说人工", "通知工作人员没有成功", "接单 0001"):
        assert part in notice
    assert not scene.reads("wu")
    scene.says("alice", "还在吗")
    again = scene.reads("chen")
    assert "还在吗" in again
    assert "【工单 0001】" not in again
    assert "0001" in scene.says("chen", "工单")


def test_when_the_owner_cannot_be_notified_a_supervisor_learns_how_to_take_over(scene: Scene) -> None:
    scene.says("alice", "人工")
    scene.says("zhang", "接单 0001")
    scene.doors["app"].refused["ZhangLeader"] = PlatformError(81013, permanent=True)
    scene.says("alice", "在吗")
    assert "接单 0001" in scene.reads("wu")
    assert not scene.reads("chen")


def test_who_has_nothing_to_do_with_a_ticket_any_more_need_not_be_notified(scene: Scene) -> None:
    scene.says("alice", "人工")
    scene.doors["app"].refused["ZhangLeader"] = PlatformError(81013, permanent=True)
    scene.says("chen", "接单 0001")
    assert not scene.reads("wu")


LATER = (Staff("zhao", "赵团长", "leader", {"app": "ZhaoLeader"}), *STAFF[1:])
LATER_COMMUNITIES = (Community("sunshine", "阳光花园", leader_id="zhao"), COMMUNITIES[1])
MOVED_COMMUNITIES = (LATER_COMMUNITIES[0], Community("riverside", "滨江苑", leader_id="zhang"))


@pytest.fixture
def later(scene: Scene, tmp_path: Path) -> Scene:
    """张团长 had Alice's ticket in hand and has left; 赵团长 leads the community now."""
    scene.says("alice", "人工")
    scene.says("zhang", "接单 0001")
    return Scene(scene.store, scene.clock, tmp_path / "media", LATER, LATER_COMMUNITIES, first_number=1000)


@pytest.mark.parametrize("command", ["接单 0001", "回复 0001 我来了", "机器人 关 0001"])
def test_a_ticket_whose_owner_has_left_goes_to_whoever_acts_on_it(later: Scene, command: str) -> None:
    assert "归您了" in later.says("zhao", command)
    assert later.ticket(1).owner == "zhao"
    assert later.conversation("alice").holder == "zhao"
    assert "赵团长" in later.reads("alice")


def test_a_ticket_whose_owner_has_left_can_be_solved_by_anybody_who_may_see_it(later: Scene) -> None:
    assert "办好了" in later.says("chen", "解决 0001")
    ticket = later.ticket(1)
    assert (ticket.status, ticket.owner) == ("solved", "chen")
    assert later.conversation("alice").holder is None


def test_the_bot_can_be_let_in_again_after_its_silencer_has_left(later: Scene) -> None:
    assert "机器人接着回答了" in later.says("zhao", "机器人 开 0001")
    assert later.ticket(1).owner == "zhao"
    later.reads("alice")
    assert later.says("alice", "几点能取货") == "机器人的回答"


def test_deciding_a_claim_whose_owner_has_left_takes_it_over(scene: Scene, tmp_path: Path) -> None:
    scene.says("alice", "报损")
    scene.says("zhang", "接单 0001")
    later = Scene(scene.store, scene.clock, tmp_path / "media", LATER, LATER_COMMUNITIES, first_number=1000)
    assert "还在您手上" in later.says("zhao", "同意 0001")
    assert later.ticket(1).owner == "zhao"


def test_the_next_leader_hears_the_words_for_one_who_has_left(later: Scene) -> None:
    later.says("alice", "还在吗")
    assert "还在吗" in later.reads("zhao")


def test_who_takes_another_ticket_speaks_when_the_former_speaker_has_left(later: Scene) -> None:
    later.says("alice", "报损")
    assert "归您了" in later.says("chen", "接单 0001")
    assert later.conversation("alice").holder == "chen"


@pytest.mark.parametrize("taken", [False, True])
def test_a_leader_who_has_moved_no_longer_reads_the_words_and_the_next_one_does(
    scene: Scene, tmp_path: Path, taken: bool
) -> None:
    scene.says("alice", "人工")
    if taken:
        scene.says("zhang", "接单 0001")
    staff = (*STAFF[:1], *LATER)
    moved = Scene(scene.store, scene.clock, tmp_path / "media", staff, MOVED_COMMUNITIES, first_number=1000)
    moved.says("alice", "苹果烂了")
    assert "苹果烂了" in moved.reads("zhao")
    assert moved.reads("zhang") == ""
    assert moved.says("zhang", "工单") == "您手上没有工单。"
    assert "归您了" in moved.says("zhao", "接单 0001")
    assert moved.reads("zhang") == ""


def test_a_supervisor_takes_over_what_somebody_has_in_hand_who_is_told(scene: Scene) -> None:
    scene.says("alice", "人工")
    scene.says("chen", "接单 0001")
    scene.reads("alice")
    assert "归您了" in scene.says("wu", "接单 0001")
    assert "由吴主管接单了" in scene.reads("chen")
    assert "吴主管来了" in scene.reads("alice")
    assert scene.ticket(1).owner == "wu"
    assert scene.conversation("alice").holder == "wu"
    assert "已经在您手上" in scene.says("wu", "接单 0001")


def test_two_people_who_take_at_once_are_one_owner_and_one_who_learns_of_it(scene: Scene) -> None:
    scene.says("alice", "人工")
    first = scene.says("chen", "接单 0001")
    second = scene.says("zhang", "接单 0001")
    assert "归您了" in first
    assert second.endswith("工单 0001 已经由小陈在办。")
    assert scene.ticket(1).owner == "chen"


def test_taking_in_two_transactions_at_once_gives_exactly_one_owner(scene: Scene) -> None:
    scene.says("alice", "人工")
    with ThreadPoolExecutor(8) as pool:
        messages = [_taking(scene, number, who) for number, who in enumerate(["chen", "zhang"] * 4)]
        list(pool.map(scene.turns.take, messages))
    with scene.store.read() as connection:
        taken = [event for event in tickets.events(connection, 1, 50) if event.kind == "taken"]
    assert len(taken) == 1
    assert scene.ticket(1).owner == taken[0].actor == scene.conversation("alice").holder


def _taking(scene: Scene, number: int, who: str) -> Message:
    channel, account = scene.address(who)
    return Message(channel, account, f"race:{number}", "text", scene.clock.now(), "接单 0001")


# --- a channel that is not there any more


@pytest.mark.parametrize("command", ["接单 0001", "回复 0001 我在路上", "解决 0001", "机器人开 0001", "看 0001"])
def test_a_ticket_from_a_channel_that_is_gone_can_be_worked_on(scene: Scene, tmp_path: Path, command: str) -> None:
    scene.says("alice", "人工")
    scene.close_door("oa", tmp_path)
    assert "出了点问题" not in scene.says("zhang", command)
    scene.says("zhang", "接单 0001")
    answer = scene.says("zhang", "解决 0001")
    assert scene.ticket(1).status == "solved"
    assert ("已经停用" in answer) == (command != "解决 0001")
