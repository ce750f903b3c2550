"""Residents on the customer service: entering, recalling, failing, and people who speak in WeCom's own client."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from bot.channels import client
from bot.storage.tables import attachments, inbox, outbox
from escalation.tables import tickets
from playground.customers import Customer
from playground.platform import kf_content
from playground.platform.kf_session import State
from tests.escalation.scene import PICTURE
from tests.handlers.kf_town import KfTown

PICKUP = (
    "自提点取货时间是16:00-20:00。今天订的，第二天下午 4 点前到货，到了再来不白跑。赶不上的，普通订单留到当天晚上。"
)
Opened = Callable[..., KfTown]


@pytest.fixture
def open_town(tmp_path, database_url, valkey_url, clock) -> Iterator[Opened]:
    towns: list[KfTown] = []

    def opened(**options: bool) -> KfTown:
        towns.append(KfTown(tmp_path, database_url, valkey_url, clock, **options))
        return towns[-1]

    yield opened
    for town in towns:
        town.close()


@pytest.fixture
def town(open_town: Opened) -> KfTown:
    return open_town()


@pytest.fixture
def leader(town: KfTown):
    return town.wechat.person("张团长")


def stranger(town: KfTown):
    """Nobody in the files: her account is bound to no resident."""
    return town.customer("路人甲")


# --- words and things


def test_a_question_is_answered(town: KfTown) -> None:
    assert town.says(town.customer("刘建国"), "几点能取货") == [PICKUP]


def test_a_lost_callback_loses_nothing(town: KfTown, clock) -> None:
    customer = town.customer("刘建国")
    town.work()
    town.kf.faults.drop()
    assert town.says(customer, "几点能取货") == []
    clock.advance(minutes=1)
    town.work()
    assert len(town.heard(customer)) == 1


@pytest.mark.parametrize("name", ["video", "file", "location", "link", "miniprogram", "card", "merged"])
def test_what_the_bot_cannot_read_is_answered_politely_and_opens_no_ticket(town: KfTown, name: str) -> None:
    customer = town.customer("刘建国")
    acts: dict[str, Callable[[], object]] = {
        "video": lambda: town.kf.send(customer.account, town.kf.add_video(b"0000ftypmp42")),
        "file": lambda: customer.send_file(b"contents"),
        "location": lambda: customer.send_location(23.1, 113.3, "阳光花园东门"),
        "link": lambda: customer.send_link("苹果坏了怎么办", "文章", "https://example.com/a"),
        "miniprogram": lambda: customer.send_miniprogram("我的订单", "wx1", "pages/order", PICTURE.read_bytes()),
        "card": lambda: customer.send_card("ZhangLeader"),
        "merged": lambda: customer.forward("聊天记录", [("小李", "苹果烂了，退钱")]),
    }
    answers = town.does(customer, acts[name])
    assert len(answers) == 1
    assert "照片" in answers[0]
    assert town.rows(tickets) == []


def test_a_film_reaches_whoever_looks_after_the_ticket(town: KfTown, leader) -> None:
    customer, film = town.customer("刘建国"), b"\x00\x00\x00\x18ftypmp42" + bytes(300)
    town.says(customer, "找人工")
    assert "视频收到了" in town.does(customer, lambda: customer.send_video(film))[0]
    assert [bubble.media for bubble in leader.chat() if bubble.kind == "video"] == [film]


def test_a_voice_message_without_words_goes_to_a_person(town: KfTown, leader) -> None:
    customer = town.customer("刘建国")
    answers = town.does(customer, lambda: customer.send_voice(b"#!AMR\n0123456789"))
    assert "请人来听" in answers[0]
    assert any("工单 0001" in words for words in town.heard(leader))


def test_several_replies_leave_as_one_message(town: KfTown) -> None:
    town.says(town.customer("刘建国"), "找人工")
    assert len(town.kf.ledger.sent) == 1


# --- entering


def test_who_comes_by_the_link_of_a_community_is_welcomed_there_with_a_menu(town: KfTown) -> None:
    customer = stranger(town)
    answers = town.does(customer, lambda: customer.enter("group", "sunshine"))
    assert len(answers) == 1
    assert "阳光花园" in answers[0]
    assert [sent.on_event for sent in town.kf.ledger.sent] == [True]
    assert town.does(customer, lambda: customer.tap("几点能取货")) == [PICKUP]


def test_her_community_is_remembered_for_the_account(town: KfTown, leader) -> None:
    customer = stranger(town)
    town.does(customer, lambda: customer.enter("group", "sunshine"))
    town.says(customer, "找人工")
    assert town.ticket().community_id == "sunshine"
    assert any("阳光花园" in words for words in town.heard(leader))


def test_who_comes_again_within_two_days_is_not_welcomed_again(town: KfTown) -> None:
    customer = town.customer("刘建国")
    town.does(customer, lambda: customer.enter("group", "sunshine"))
    assert town.does(customer, lambda: customer.enter("group", "sunshine")) == []


def test_a_link_of_nobody_is_a_welcome_all_the_same(town: KfTown) -> None:
    customer = stranger(town)
    answers = town.does(customer, lambda: customer.enter("group", "no-such-place"))
    assert len(answers) == 1
    assert "欢迎" in answers[0]


def test_what_was_begun_in_the_group_goes_on_with_one_tap(town: KfTown) -> None:
    customer = town.customer("刘建国")
    answers = town.does(customer, lambda: customer.enter("group", "sunshine.refund-arrival"))
    question = answers[0].splitlines()[1]
    assert "退款" in question
    assert "工作日" in town.does(customer, lambda: customer.tap(question))[0]


def test_what_was_begun_in_the_group_is_not_offered_twice(town: KfTown) -> None:
    customer = town.customer("刘建国")
    lines = town.does(customer, lambda: customer.enter("group", "sunshine.order-status"))[0].splitlines()
    assert len({line.rstrip("？") for line in lines}) == len(lines)


def test_a_welcome_that_comes_too_late_is_not_tried(town: KfTown, clock) -> None:
    customer = town.customer("刘建国")
    customer.enter("group", "sunshine")
    clock.advance(seconds=21)
    town.work()
    assert town.heard(customer) == []
    assert [row.status for row in town.rows(outbox)] == ["expired"]
    assert town.kf.calls("kf/send_msg_on_event") == 0


# --- what does not arrive


@pytest.mark.parametrize(("fail_type", "why"), [(10, "不接收"), (13, "安全检查"), (4, "48 小时"), (0, "没有收下")])
def test_a_delivery_that_fails_later_is_told_to_the_holder_in_words(
    town: KfTown, leader, fail_type: int, why: str
) -> None:
    customer = town.customer("刘建国")
    town.says(customer, "找人工")
    town.says(leader, "接单 0001")
    town.kf.faults.fail_delivery(fail_type)
    town.says(leader, "回复 0001 我在路上")
    town.clock.advance(minutes=1)
    town.work()
    assert any(why in words for words in town.heard(leader)), town.heard(leader)
    assert "dead" in [row.status for row in town.rows(outbox)]


def test_the_last_message_is_kept_for_the_outcome(town: KfTown, leader) -> None:
    customer = town.customer("刘建国")
    town.says(customer, "找人工")
    town.says(leader, "接单 0001")
    for number in range(6):
        town.says(leader, f"回复 0001 第{number}句话")
    assert len(town.kf.ledger.to(customer.account)) == 4
    town.says(leader, "解决 0001")
    assert len(town.kf.ledger.to(customer.account)) == 5
    assert "解决了吗" in town.heard(customer)[-1]
    assert town.kf.ledger.broken == 0


# --- recalled messages


def test_a_recalled_message_is_withdrawn_from_what_staff_see_next(town: KfTown, leader) -> None:
    customer = town.customer("刘建国")
    town.says(customer, "找人工")
    secret = "我把钥匙放在门口的花盆下面"
    town.says(customer, secret)
    assert any(secret in words for words in town.heard(leader))
    told = town.does(leader, customer.recall)
    assert any("撤回了一条消息" in words for words in told)
    assert not any(secret in words for words in town.says(leader, "看 0001"))
    assert secret not in str(town.conversation(customer).state)
    assert secret not in [row.text for row in town.rows(inbox)]


def test_a_recalled_message_that_no_one_has_read_yet_is_not_sent_to_staff(town: KfTown, leader) -> None:
    customer = town.customer("刘建国")
    town.says(customer, "找人工")
    town.wechat.wecom.server.refuse()
    secret = "我把钥匙放在门口的花盆下面"
    town.says(customer, secret)
    town.does(customer, customer.recall)
    town.wechat.wecom.server.accept()
    town.clock.advance(minutes=10)
    town.work()
    assert not any(secret in words for words in town.heard(leader))
    assert not any("撤回" in words for words in town.heard(leader))


def test_what_a_ticket_quotes_of_a_recalled_message_is_withdrawn_too(town: KfTown, leader) -> None:
    customer = town.customer("刘建国")
    words = "楼上那个阿婆的猫是不是你们的"
    while not town.rows(tickets):
        town.says(customer, words)
    assert words in town.ticket().reason
    town.does(customer, customer.recall)
    assert words not in town.ticket().reason + str(town.events())


def test_a_recalled_photo_is_no_evidence(town: KfTown) -> None:
    customer = town.customer("刘建国")
    town.does(customer, lambda: customer.send_photo(PICTURE.read_bytes()))
    town.does(customer, customer.recall)
    assert [row.status for row in town.rows(attachments)] == ["refused"]


# --- people in the client


def test_by_default_the_holder_speaks_through_the_bot(town: KfTown, leader) -> None:
    customer = town.customer("刘建国")
    town.says(customer, "找人工")
    town.says(leader, "接单 0001")
    assert town.kf.session(customer.account).state is State.ASSISTANT
    assert town.does(customer, lambda: leader.send("回复 0001 我在路上")) == ["张团长：我在路上"]


def test_the_session_goes_over_to_an_owner_who_serves_there_after_the_number_was_told(open_town: Opened) -> None:
    town = open_town(servicer=True)
    customer, leader = town.customer("刘建国"), town.wechat.person("张团长")
    answers = town.says(customer, "找人工")
    assert "工单 0001" in answers[0]
    assert town.kf.session(customer.account).state is State.ASSISTANT
    assert any("微信客服" in words for words in town.says(leader, "接单 0001"))
    session = town.kf.session(customer.account)
    assert (session.state, session.servicer) == (State.PERSON, "ZhangLeader")
    assert town.conversation(customer).session == "person"
    assert town.kf.ledger.broken == 0


def test_while_she_speaks_there_a_reply_is_pointed_to_the_client(open_town: Opened) -> None:
    town = _in_client(open_town)
    customer, leader = town.customer("刘建国"), town.wechat.person("张团长")
    answers = town.says(leader, "回复 0001 我在路上")
    assert any("请在微信客服里回复" in words for words in answers)
    assert not any("我在路上" in words for words in town.heard(customer))


def test_while_she_speaks_there_the_bot_is_silent_and_copies_nothing(open_town: Opened) -> None:
    town = _in_client(open_town)
    customer, leader = town.customer("刘建国"), town.wechat.person("张团长")
    before = len(town.heard(leader))
    assert town.says(customer, "几点能取货") == []
    assert len(town.heard(leader)) == before
    assert town.kf.ledger.broken == 0


def test_her_words_there_count_as_a_reply(open_town: Opened) -> None:
    town = _in_client(open_town)
    customer = town.customer("刘建国")
    town.does(customer, lambda: town.kf.servicer("ZhangLeader").say(customer.account, "我来帮您看"))
    assert ("replied", "我来帮您看") in town.events()


def test_when_she_ends_it_there_the_resident_is_asked_and_the_bot_is_back(open_town: Opened) -> None:
    town = _in_client(open_town)
    customer = town.customer("刘建国")
    answers = town.does(customer, lambda: town.kf.servicer("ZhangLeader").end(customer.account))
    assert "解决了吗" in answers[0]
    assert town.kf.ledger.sent[-1].on_event
    assert town.ticket().status == "solved"
    assert "办结" in town.does(customer, lambda: customer.tap("解决了"))[0]
    assert town.ticket().status == "confirmed"
    assert len(town.says(customer, "几点能取货")) == 1
    assert town.conversation(customer).session == ""


def test_solved_from_the_app_ends_the_session_there_and_asks_by_its_code(open_town: Opened) -> None:
    town = _in_client(open_town)
    customer, leader = town.customer("刘建国"), town.wechat.person("张团长")
    answers = town.does(customer, lambda: leader.send("解决 0001"))
    assert "解决了吗" in answers[0]
    assert town.kf.session(customer.account).state is State.ENDED
    assert "主管" in town.does(customer, lambda: customer.tap("没有解决"))[0]
    assert town.kf.ledger.broken == 0


def test_who_has_begun_to_answer_through_the_bot_goes_on_so(open_town: Opened) -> None:
    town = open_town(servicer=True)
    customer, leader = town.customer("刘建国"), town.wechat.person("张团长")
    town.says(customer, "找人工")
    town.says(leader, "回复 0001 我在路上")
    assert town.kf.session(customer.account).state is State.ASSISTANT
    assert any("我在路上" in words for words in town.heard(customer))


def test_an_owner_off_duty_speaks_through_the_bot(open_town: Opened) -> None:
    town = open_town(servicer=True)
    customer, leader = town.customer("刘建国"), town.wechat.person("张团长")
    town.kf.servicer("ZhangLeader").stop_serving()
    town.says(customer, "找人工")
    town.says(leader, "接单 0001")
    assert town.does(customer, lambda: leader.send("回复 0001 我在路上")) == ["张团长：我在路上"]


@pytest.mark.parametrize("code", [95013, 95014, 95016, 95019])
def test_a_move_that_is_refused_is_told_to_the_owner_alone_and_she_goes_on_through_the_bot(
    open_town: Opened, code: int
) -> None:
    town = open_town(servicer=True)
    customer, leader = town.customer("刘建国"), town.wechat.person("张团长")
    answers = town.says(customer, "找人工")
    town.kf.faults.answer(code, to="kf/service_state/trans")
    told = town.says(leader, "接单 0001")
    assert any("没能转到" in words for words in told)
    assert len(town.heard(customer)) == len(answers)
    assert town.does(customer, lambda: leader.send("回复 0001 我在路上")) == ["张团长：我在路上"]


def test_with_the_queue_switched_on_a_new_matter_waits_there_after_its_number_was_told(open_town: Opened) -> None:
    town = open_town(servicer=True, pool=True)
    customer, leader = town.customer("刘建国"), town.wechat.person("张团长")
    assert "工单 0001" in town.says(customer, "找人工")[0]
    assert town.kf.session(customer.account).state is State.POOL
    assert any("排队" in words for words in town.says(leader, "回复 0001 在吗"))
    town.does(customer, lambda: town.kf.servicer("ZhangLeader").take(customer.account))
    assert (town.ticket().status, town.ticket().owner) == ("held", "zhang")
    assert town.ticket().first_response_at is not None


def test_a_servicer_nobody_knows_silences_the_bot_and_gives_it_back_at_the_end(open_town: Opened) -> None:
    town = open_town(pool=True)
    customer = town.customer("刘建国")
    town.says(customer, "找人工")
    town.does(customer, lambda: town.kf.servicer("ChenAgent").take(customer.account))
    assert town.says(customer, "几点能取货") == []
    town.does(customer, lambda: town.kf.servicer("ChenAgent").end(customer.account))
    assert len(town.says(customer, "几点能取货")) == 1


def test_a_session_whose_end_was_never_told_is_noticed(open_town: Opened) -> None:
    town = _in_client(open_town)
    customer = town.customer("刘建国")
    customer.send("在吗")
    town.kf.session(customer.account).end()
    town.work()
    assert town.conversation(customer).session == "ended"
    leader = town.wechat.person("张团长")
    assert any("有人吗" in words for words in town.does(leader, lambda: customer.send("有人吗")))


def test_what_was_left_to_a_person_who_is_gone_is_answered_once_the_platform_says_so(open_town: Opened) -> None:
    town = open_town(pool=True)
    customer = town.customer("刘建国")
    town.says(customer, "找人工")
    town.does(customer, lambda: town.kf.servicer("ChenAgent").take(customer.account))
    assert town.says(customer, "在吗") == []
    _end_unheard(town, customer)
    assert town.says(customer, "几点能取货") == [PICKUP]
    assert len(town.says(customer, "退款多久到账")) == 1
    assert town.kf.ledger.broken == 0


def test_what_was_left_to_an_owner_who_is_gone_reaches_her_through_the_bot(open_town: Opened) -> None:
    town = _in_client(open_town)
    customer, leader = town.customer("刘建国"), town.wechat.person("张团长")
    town.says(customer, "我在看")
    _end_unheard(town, customer)
    told = town.does(leader, lambda: customer.send("有人吗"))
    assert [words for words in told if "有人吗" in words]
    assert not [words for words in told if "我在看" in words]
    assert town.does(customer, lambda: leader.send("回复 0001 来了")) == ["张团长：来了"]


def test_a_photo_that_was_left_to_a_person_who_is_gone_is_thought_about_again(open_town: Opened) -> None:
    town = _in_client(open_town)
    customer = town.customer("刘建国")
    _end_unheard(town, customer)
    town.does(customer, lambda: customer.send_photo(PICTURE.read_bytes()))
    assert [row.outcome for row in town.rows(inbox) if row.kind == "image"] == ["handled"]
    assert len(town.rows(attachments)) == 1


def test_while_she_waits_in_the_queue_the_owner_of_her_ticket_reads_what_she_writes(open_town: Opened) -> None:
    town = open_town(servicer=True, pool=True)
    customer, leader = town.customer("刘建国"), town.wechat.person("张团长")
    town.says(customer, "找人工")
    town.kf.servicer("ZhangLeader").stop_serving()
    town.says(leader, "接单 0001")
    assert town.kf.session(customer.account).state is State.POOL
    assert any("有人吗" in words for words in town.does(leader, lambda: customer.send("有人吗")))


def test_whoever_cannot_serve_there_does_not_take_somebody_out_of_the_queue(open_town: Opened) -> None:
    town = open_town(pool=True)
    customer, leader = town.customer("刘建国"), town.wechat.person("张团长")
    town.says(customer, "找人工")
    assert any("排队" in words for words in town.says(leader, "接单 0001"))
    assert (town.ticket().status, town.conversation(customer).holder) == ("waiting", None)


def test_whoever_is_quick_speaks_through_the_bot_before_the_queue_has_her(open_town: Opened) -> None:
    town = open_town(pool=True)
    customer, leader = town.customer("刘建国"), town.wechat.person("张团长")
    town.hold_back(lambda: customer.send("找人工"))
    town.hold_back(lambda: leader.send("接单 0001"))
    town.work()
    assert town.kf.session(customer.account).state is State.ASSISTANT
    assert town.does(customer, lambda: leader.send("回复 0001 我在路上")) == ["张团长：我在路上"]


def test_a_reply_right_after_taking_a_ticket_goes_through_the_bot(open_town: Opened) -> None:
    town = open_town(servicer=True)
    customer, leader = town.customer("刘建国"), town.wechat.person("张团长")
    town.says(customer, "找人工")
    town.hold_back(lambda: leader.send("接单 0001"))
    assert any("我在路上" in words for words in town.does(customer, lambda: leader.send("回复 0001 我在路上")))
    assert town.kf.session(customer.account).state is State.ASSISTANT


def _end_unheard(town: KfTown, customer: Customer) -> None:
    """The platform ends a session by itself, and its word of it is lost."""
    town.kf.session(customer.account).end()


def _in_client(open_town: Opened) -> KfTown:
    """刘建国 speaks with 张团长 in WeCom's own client."""
    town = open_town(servicer=True)
    town.says(town.customer("刘建国"), "找人工")
    town.says(town.wechat.person("张团长"), "接单 0001")
    assert town.kf.session(town.customer("刘建国").account).state is State.PERSON
    return town


# --- many at once


def test_three_hundred_messages_of_a_day_offline_are_pulled_and_answered_once_each(town: KfTown, clock) -> None:
    customers = [town.customer(f"居民{number}") for number in range(60)]
    town.kf.faults.drop(callbacks=None)
    for question in ("几点能取货", "退款多久到账", "怎么下单", "几点截单", "可以送货上门吗"):
        for customer in customers:
            town.kf.send(customer.account, kf_content.text(question))
        clock.advance(hours=5)
    town.kf.faults.clear()
    town.work()
    assert [row.outcome for row in town.rows(inbox)] == ["handled"] * 300
    assert all(row.status == "sent" for row in town.rows(outbox))
    assert len(town.rows(outbox)) == 300
    assert {sent.account for sent in town.kf.ledger.sent} == {customer.account for customer in customers}
    assert town.kf.ledger.broken == 0
    assert town.kf.ledger.highest_use <= 5


def test_twenty_conversations_at_once_under_faults_get_every_answer_once(town: KfTown, monkeypatch) -> None:
    monkeypatch.setattr(client, "READ_SECONDS", 0.5)
    customers = [town.customer(f"居民{number}") for number in range(20)]
    faults = town.kf.faults
    faults.drop(callbacks=None, share=0.2, seed=1)
    faults.duplicate(3, callbacks=None, share=0.2, seed=2)
    faults.cut_page(3, times=20, share=0.5, seed=3)
    faults.answer(45009, to="kf/send_msg", times=8, share=0.2, seed=4)
    faults.answer(-1, to="kf/sync_msg", times=3)
    faults.expire_tokens(times=5, share=0.05, seed=5)
    faults.hang_after_accepting(to="kf/send_msg", times=3, seconds=2, share=0.2, seed=6)
    for question in ("几点能取货", "退款多久到账", "怎么下单"):
        for customer in customers:
            customer.send(question)
        town.work_in_threads(4)
    faults.clear()
    for _ in range(4):
        town.clock.advance(minutes=1)
        town.work_in_threads(4)
    assert [row.outcome for row in town.rows(inbox)] == ["handled"] * 60
    assert {row.status for row in town.rows(outbox)} == {"sent"}
    for customer in customers:
        heard = "\n".join(town.heard(customer))
        answers = ("自提点取货时间", "工作日", "接龙")
        assert [heard.count(words) for words in answers] == [1, 1, 1]
        assert sorted(answers, key=heard.index) == list(answers)
    assert town.kf.ledger.broken == 0
