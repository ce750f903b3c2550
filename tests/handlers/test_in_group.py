"""What the bot says in front of everybody, and how it leads the rest into private."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.storage.tables import attachments, inbox, outbox
from escalation.tables import tickets
from playground import samples
from tests.handlers.group_town import MEMBERS, GroupTown
from tests.handlers.test_group_safe import LOOKS_PERSONAL

Opened = Callable[..., GroupTown]

PICKUP = "取货时间是16:00-20:00，到货后再来，不白跑。"
PICKUP_ALONE = (
    "自提点取货时间是16:00-20:00。今天订的，第二天下午 4 点前到货，到了再来不白跑。赶不上的，普通订单留到当天晚上。"
)
REFUND = "退款通过后 1–3 个工作日原路退回，怎么付的就退到哪里。过了日子没到请私信我。"
ABOVE = "“几点可以取货？”刚刚说过，往上翻一翻就能看到。"
TOLD = "已经转给负责的人了，会私下联系您。"
ANGRY = "你们什么破平台，没人管，骗子"


@pytest.fixture
def open_town(tmp_path, database_url, valkey_url, clock) -> Iterator[Opened]:
    towns: list[GroupTown] = []

    def opened(**options: bool) -> GroupTown:
        towns.append(GroupTown(tmp_path, database_url, valkey_url, clock, **options))
        return towns[-1]

    yield opened
    for town in towns:
        town.close()


@pytest.fixture
def town(open_town: Opened) -> GroupTown:
    return open_town()


@pytest.fixture
def leader(town: GroupTown):
    return town.wechat.person("张团长")


def link_in(text: str) -> str:
    return re.findall(r"https?://\S+", text)[0]


# --- questions for all


def test_a_general_question_is_answered_for_all_with_what_holds_in_their_community(town: GroupTown) -> None:
    assert town.asks("王阿姨", "几点能取货") == [PICKUP]
    assert town.asks("李团长", "几点能取货", town.other) == ["取货时间是15:30-19:30，到货后再来，不白跑。"]


def test_a_group_that_is_not_listed_does_not_show_where_its_members_live(open_town: Opened) -> None:
    town = open_town(listed=False)
    assert PICKUP not in town.asks("刘建国", "几点能取货")
    told = "".join(town.asks("刘建国", "我的订单到哪了") + town.asks("刘建国", ANGRY))
    assert told
    assert "http" not in told
    assert town.ticket().community_id == "sunshine"


def test_the_same_answer_is_not_repeated_within_ten_minutes(town: GroupTown, clock) -> None:
    town.asks("王阿姨", "几点能取货")
    assert town.asks("李叔", "什么时候能去拿") == [ABOVE]
    assert town.asks("李叔", "退款多久到账") == [REFUND]

    clock.advance(minutes=11)
    assert town.asks("小赵", "几点能取货") == [PICKUP]
    assert town.asks("钱姐", "几点能取货") == [ABOVE]


def test_the_note_of_several_answers_for_all_names_each_of_them(town: GroupTown) -> None:
    (said,) = town.asks("王阿姨", "退款多久到账？几点能取货？")
    assert PICKUP in said
    (row,) = [row for row in town.rows(inbox) if row.text]
    first, version, also, second = row.note.split(" ")
    assert ({first, f"faq:{second}"}, also) == ({"faq:refund-arrival", "faq:pickup-time"}, "also")
    assert len(version) == 8


def test_ten_members_at_once_are_ten_conversations_and_one_of_them_gets_the_answer(town: GroupTown) -> None:
    with ThreadPoolExecutor(len(MEMBERS)) as threads:
        list(threads.map(lambda member: town.group.say(member, "几点能取货"), MEMBERS))
    town.settled(None, town.group)

    assert sorted(town.heard(town.group)) == sorted([PICKUP, *[ABOVE] * 9])
    assert {row.account for row in town.in_group()} == set(MEMBERS.values())
    assert len(town.rows(inbox)) == len(MEMBERS)


def test_what_one_member_says_is_not_taken_for_anothers(town: GroupTown) -> None:
    def talk(member: str) -> None:
        for text in (f"{member}：随便说说", "谢谢", "我的订单到哪了"):
            town.group.say(member, text)
            town.settled(None, town.group)

    with ThreadPoolExecutor(len(MEMBERS)) as threads:
        list(threads.map(talk, MEMBERS))

    for row in town.in_group():
        name = next(name for name, account in MEMBERS.items() if account == row.account)
        said = [each.text for each in town.rows(inbox) if each.conversation_id == row.id]
        assert said == [f"{name}：随便说说", "谢谢", "我的订单到哪了"]
        assert row.state["history"] == said


def test_small_talk_is_answered_briefly_and_what_is_unclear_with_one_line(town: GroupTown) -> None:
    assert town.asks("王阿姨", "谢谢") == ["不客气。"]
    assert town.asks("王阿姨", "嗯那个") == ["我没太听明白，换个说法再问我一次？"]
    assert town.asks("王阿姨", "") == ["我在呢。取货、退款规则这些，在这里问我就行；自己的订单，请私下问我。"]


def test_a_flood_is_not_answered_in_a_group(town: GroupTown) -> None:
    for number in range(22):
        town.asks("王阿姨", f"哈{number}")
    assert not [text for text in town.heard(town.group) if "快" in text]


# --- personal matters go on in private


def test_a_personal_question_leads_to_the_private_chat_which_goes_on_with_it(town: GroupTown) -> None:
    [said] = town.asks("小赵", "我的订单到哪了")
    assert said.startswith("这是您自己的事，咱们私下说，别人看不到：http")

    neighbour = town.customer("小赵")
    welcome = town.does(neighbour, lambda: neighbour.enter_by(link_in(said)))

    assert "我们在这里接着说" in welcome[0]
    assert "我的订单到哪了" in welcome[0]
    assert town.conversation(neighbour).state["community"] == "sunshine"


def test_without_a_link_the_way_is_said_in_words(open_town: Opened) -> None:
    town = open_town(with_link=False)
    assert town.asks("小赵", "我的订单到哪了") == ["这是您自己的事，群里不方便说，请私下找我，或者找团长。"]


def test_even_somebody_known_reads_nothing_of_her_own_in_the_group(town: GroupTown) -> None:
    town.import_orders()
    for text in ("我的订单到哪了", "我的取货码是多少", "我都买了些什么", "查一下工单 0001", "我的工单"):
        for said in town.asks("刘建国", text):
            assert not LOOKS_PERSONAL.search(said.partition("http")[0])
            assert "番茄" not in said
            assert "3151" not in said


@pytest.mark.parametrize("text", ["我手机13800002468", "2468 6600020127", "订单号 A20261120001 到了吗"])
def test_whoever_writes_numbers_into_the_group_is_asked_to_do_so_in_private(town: GroupTown, text: str) -> None:
    [said] = town.asks("王阿姨", text)
    assert said.startswith("手机号、订单号这些别发在群里")
    assert not LOOKS_PERSONAL.search(said.partition("http")[0])


def test_a_general_answer_shows_those_who_speak_of_their_own_the_way(town: GroupTown) -> None:
    said = town.asks("小赵", "我的退款多久到账")[0].split("\n")
    assert said[0] == REFUND
    assert said[1].startswith("您自己那一单，私下问我，别人看不到：http")


def test_a_photo_for_all_to_see_is_asked_for_in_private(town: GroupTown) -> None:
    photo = samples.photo("bad-apple-1.jpg")
    said = town.does(town.group, lambda: town.settled(town.group.send_photo("小赵", photo), town.group))
    assert said[0].startswith("照片收到了。是什么事，咱们私下说：http")


# --- complaints


def test_bad_goods_are_soothed_once_in_public_and_the_leader_is_warned(town: GroupTown, leader, clock) -> None:
    [said] = town.asks("小赵", "昨天的苹果烂了一半")
    assert said.startswith("给您添麻烦了，真不好意思，这事一定帮您办。私下给我发张照片，我马上登记：http")
    [warned] = town.heard(leader)
    assert "阳光花园的群里有人在抱怨：“昨天的苹果烂了一半”" in warned
    assert MEMBERS["小赵"] in warned

    [again] = town.asks("小赵", "苹果都烂了")
    assert "给您添麻烦了" not in again
    assert len(town.heard(leader)) == 1
    assert town.rows(tickets) == []


def test_a_complaint_is_soothed_in_public_and_becomes_a_ticket_in_private(town: GroupTown, leader) -> None:
    said = town.asks("周哥", ANGRY)[0].split("\n")
    assert said[:2] == ["让您不痛快了，真对不起。", TOLD]
    assert said[2].startswith("也可以现在就私下跟我说，别人看不到：http")
    assert not LOOKS_PERSONAL.search("".join(said[:2]))
    [notice] = town.heard(leader)
    assert "工单 0001" in notice
    assert "在群里说的，大家都看得到。群里的账号：Neighbour5" in notice


def test_within_ten_minutes_a_second_complaint_is_only_passed_on(town: GroupTown, leader, clock) -> None:
    town.asks("周哥", ANGRY)
    assert town.asks("周哥", "太气人了，垃圾") == []
    assert any("太气人了，垃圾" in text for text in town.heard(leader)[1:])

    assert town.asks("吴妈", ANGRY)[0].startswith("让您不痛快了")
    clock.advance(minutes=11)
    assert town.asks("周哥", "骗子，还没人管")[0].startswith("让您不痛快了")
    assert len(town.rows(tickets)) == 2


def test_danger_is_answered_at_once_however_lately_somebody_was_soothed(town: GroupTown, leader) -> None:
    town.asks("吴妈", ANGRY)
    [said] = town.asks("吴妈", "孩子吃了你们的虾上吐下泻")
    assert said.startswith("身体要紧")
    assert town.ticket().priority == "P0"


def test_a_ticket_that_nobody_could_be_told_of_promises_nobody(town: GroupTown) -> None:
    words = town.bot.rooms.texts
    assert words.say("ticket.promise_to_nobody", "group") == "已经记下了，会有人尽快私下联系您。"


def test_staff_are_answered_what_holds_for_all_and_open_no_ticket(town: GroupTown, leader) -> None:
    town.asks("周哥", ANGRY)
    assert town.asks("张团长", "几点能取货") == [PICKUP]
    assert town.asks("张团长", "接单 0001") == ["工单和居民的事，请在跟我的私聊里写。"]
    assert town.asks("张团长", ANGRY) == ["工单和居民的事，请在跟我的私聊里写。"]
    assert len(town.rows(tickets)) == 1
    assert town.ticket().status == "waiting"


def test_judging_an_answer_says_nothing_in_the_group(town: GroupTown) -> None:
    town.asks("王阿姨", "几点能取货")
    answer = town.group.chat()[-1]
    assert town.does(town.group, lambda: town.group.judge("王阿姨", answer, 2, "不清楚", [1])) == []
    assert [row.note for row in town.rows(inbox)][-1] == "group:event"


# --- what people say later


def test_words_of_a_person_never_go_into_the_group(town: GroupTown, leader) -> None:
    town.asks("周哥", ANGRY)
    before = town.heard(town.group)

    told = town.says(leader, "回复 0001 您的西红柿我补一份，取货码 3151")

    said = town.heard(town.group)[len(before) :]
    assert [text.partition("http")[0] for text in said] == ["您的事有回音了，群里不方便说，请点这里私下问我："]
    assert any("您的话不能发到群里" in text for text in told)
    assert not any("正在发给" in text for text in told)


def test_the_way_is_shown_once_as_there_is_one_later_answer(town: GroupTown, leader, clock) -> None:
    town.asks("周哥", ANGRY)
    town.says(leader, "回复 0001 您好")
    before = town.heard(town.group)
    clock.advance(seconds=1)
    told = town.says(leader, "回复 0001 还在吗")

    assert town.heard(town.group) == before
    assert any("您的话不能发到群里" in text for text in told)
    assert {row.status for row in town.rows(outbox)} == {"sent"}


def test_whoever_writes_to_the_bot_alone_is_answered_there(town: GroupTown, leader) -> None:
    alone = town.beside("周哥")
    town.asks("周哥", ANGRY)
    town.writes(alone, "几点能取货")
    group = town.heard(town.group)

    town.says(leader, "回复 0001 您好，我来处理")

    assert town.heard(alone)[-1] == "张团长：您好，我来处理"
    assert town.heard(town.group) == group


def test_a_resident_who_is_known_is_answered_where_she_can_be_reached(town: GroupTown, leader) -> None:
    liu = town.customer("刘建国")
    town.says(liu, "几点能取货")
    town.asks("刘建国", ANGRY)
    group = town.heard(town.group)

    town.says(leader, "回复 0001 您好，我来处理")
    assert town.heard(liu)[-1] == "张团长：您好，我来处理"
    town.says(leader, "解决 0001")
    assert "您看解决了吗" in town.heard(liu)[-1]
    town.says(liu, "解决了")

    assert town.ticket().status == "confirmed"
    assert town.heard(town.group) == group


def test_while_a_person_has_the_matter_the_group_is_still_answered_and_she_reads_along(town: GroupTown, leader) -> None:
    town.asks("周哥", ANGRY)
    town.says(leader, "接单 0001")
    before = len(town.heard(leader))

    assert town.asks("周哥", "几点能取货") == [PICKUP]
    assert town.asks("周哥", "太气人了，垃圾") == []
    assert [text.rpartition("：")[2] for text in town.heard(leader)[before:]] == ["几点能取货", "太气人了，垃圾"]


def test_a_photo_with_a_complaint_reaches_the_leader_and_a_broken_one_is_not_spoken_of(town: GroupTown, leader) -> None:
    def send(photo: bytes) -> list[str]:
        return town.does(town.group, lambda: town.settled(town.group.send_photo("周哥", photo, ANGRY), town.group))

    assert send(samples.photo("bad-apple-1.jpg"))[0].startswith("让您不痛快了")
    assert send(b"no picture at all") == []

    assert [row.status for row in town.rows(attachments)] == ["stored", "refused"]
    assert any(bubble.kind == "image" for bubble in leader.chat())
    assert any("照片打不开" in text for text in town.heard(leader))


# --- the single chat


def test_a_question_an_order_and_a_hand_off_in_the_single_chat(town: GroupTown, leader) -> None:
    town.import_orders()
    alone = town.beside("刘建国")
    assert town.writes(alone, "几点能取货") == [PICKUP_ALONE]
    assert "普罗旺斯番茄" in town.writes(alone, "我的订单到哪了")[0]
    assert "工单 0001" in town.writes(alone, "转人工")[0]

    told = town.says(leader, "回复 0001 我在自提点等您")
    assert town.heard(alone)[-1] == "张团长：我在自提点等您"
    assert any("正在发给" in text for text in told)

    told = town.says(leader, "回复 0001 东门进来就是")
    assert town.heard(alone)[-1] == "张团长：我在自提点等您"
    assert any("请居民到微信客服里接着说" in text for text in told)


def test_staff_give_their_commands_in_the_single_chat(town: GroupTown) -> None:
    town.asks("周哥", ANGRY)
    said = town.writes(town.beside("张团长"), "看 0001")
    assert "工单 0001" in said[0]


def test_a_photo_in_the_single_chat_is_fetched_and_decrypted(town: GroupTown) -> None:
    alone = town.beside("刘建国")
    photo = samples.photo("bad-apple-1.jpg")
    town.does(alone, lambda: town.settled(alone.send_photo(photo), alone))

    assert [row.status for row in town.rows(attachments)] == ["stored"]


def test_somebody_new_is_welcomed_in_the_single_chat(town: GroupTown) -> None:
    alone = town.beside("王阿姨")
    assert town.does(alone, lambda: town.wechat.aibot.enter(alone.account))[0].startswith("您好，欢迎！")
