"""Who serves a customer, and what may then be sent: coming in, servicers, and codes."""

from __future__ import annotations

import pytest

from playground.platform.kf_session import State
from playground.wechat import WeChat
from tests.playground.conftest import Api
from tests.playground.kf_api import KFID, LI, WANG, ZHANG, answer_event, change, events, menu, read, renew, say, state

# --- coming in


def test_entering_gives_a_welcome_code_that_is_good_once_for_twenty_seconds(wechat: WeChat, kf: Api) -> None:
    person = wechat.customer("王桂兰")
    person.follow()

    [event] = events(read(kf))
    assert (event["event_type"], event["scene"], event["scene_param"]) == ("enter_session", "group", "sunshine")
    assert answer_event(kf, event["welcome_code"]) == 0
    assert answer_event(kf, event["welcome_code"]) == 95007
    assert person.chat()[-1].text == "您好，我是群答"


def test_a_welcome_code_is_late_after_twenty_seconds(wechat: WeChat, kf: Api) -> None:
    wechat.customer("王桂兰").enter()
    code = events(read(kf))[0]["welcome_code"]
    wechat.clock.advance(seconds=20)

    assert answer_event(kf, code) == 95007


def test_there_is_no_second_welcome_within_48_hours(wechat: WeChat, kf: Api) -> None:
    person = wechat.customer("王桂兰")
    person.enter()
    answer_event(kf, events(read(kf))[0]["welcome_code"])
    person.enter()
    wechat.clock.advance(hours=48)
    person.enter()
    renew(wechat, kf)

    assert ["welcome_code" in event for event in events(read(kf))] == [True, False, True]


def test_there_is_no_welcome_for_somebody_who_wrote_within_48_hours(wechat: WeChat, kf: Api) -> None:
    person = wechat.customer("王桂兰")
    person.send("在吗")
    person.enter()

    assert "welcome_code" not in events(read(kf))[0]


def test_a_link_carries_its_scene_and_what_is_written_behind_it(wechat: WeChat, kf: Api) -> None:
    url = kf.post("kf/add_contact_way", {"open_kfid": KFID, "scene": "poster"})["url"]
    wechat.customer("王桂兰").enter_by(f"{url}&scene_param=%E7%BF%A0%E6%B9%96")

    event = events(read(kf))[0]
    assert (event["scene"], event["scene_param"]) == ("poster", "翠湖")
    with pytest.raises(ValueError, match="not a link of this account"):
        wechat.customer("王桂兰").enter_by("https://work.weixin.qq.com/kf/kfc?enc_scene=ENCx")


def test_nothing_can_be_sent_to_somebody_who_only_came_in(wechat: WeChat, kf: Api) -> None:
    wechat.customer("王桂兰").enter()

    assert state(kf) == (4, "")
    assert say(kf) == 95018


# --- who serves


@pytest.mark.parametrize(
    ("moves", "errcode"),
    [
        ([1], 0),
        ([2], 0),
        ([3], 0),
        ([4], 95016),
        ([0], 95016),
        ([1, 2], 0),
        ([1, 3], 0),
        ([1, 0], 95016),
        ([1, 4], 95016),
        ([2, 3], 0),
        ([2, 1], 95016),
        ([3, 3], 0),
        ([3, 4], 0),
        ([3, 2], 95016),
        ([3, 4, 1], 95013),
        ([7], 40058),
    ],
)
def test_a_session_changes_only_as_the_table_allows(wechat: WeChat, kf: Api, moves: list[int], errcode: int) -> None:
    wechat.customer("王桂兰").send("在吗")

    codes = [change(kf, move, ZHANG)["errcode"] for move in moves]

    assert codes == [0] * (len(moves) - 1) + [errcode]


def test_a_person_must_be_a_servicer_who_is_serving(wechat: WeChat, kf: Api) -> None:
    wechat.customer("王桂兰").send("在吗")
    assert change(kf, 3, "Nobody")["errcode"] == 95014
    assert change(kf, 3)["errcode"] == 95014

    wechat.kf.servicer(ZHANG).stop_serving()
    assert change(kf, 3, ZHANG)["errcode"] == 95019


def test_a_stopped_servicer_is_1_in_the_list_and_2_in_the_event(wechat: WeChat, kf: Api) -> None:
    wechat.kf.servicer(ZHANG).stop_serving(pausing=True)

    listed = {
        each["userid"]: each["status"]
        for each in kf.get("kf/servicer/list", access_token=kf.token, open_kfid=KFID)["servicer_list"]
    }
    assert listed == {ZHANG: 1, LI: 0}
    [event] = events(read(kf))
    assert event == {
        "event_type": "servicer_status_change",
        "open_kfid": KFID,
        "servicer_userid": ZHANG,
        "status": 2,
        "stop_type": 1,
    }


@pytest.mark.parametrize("target", [2, 3])
def test_the_bot_cannot_speak_while_a_person_has_the_session_but_for_one_word(
    wechat: WeChat, kf: Api, target: int
) -> None:
    wechat.customer("王桂兰").send("转人工")

    code = change(kf, target, ZHANG)["msg_code"]

    assert say(kf) == 95018
    assert answer_event(kf, code, "正在为您转接") == 0
    assert answer_event(kf, code, "正在为您转接") == 95007
    assert wechat.customer("王桂兰").chat()[-1].text == "正在为您转接"


def test_only_the_first_change_of_a_session_gives_a_code(wechat: WeChat, kf: Api) -> None:
    wechat.customer("王桂兰").send("转人工")

    assert "msg_code" in change(kf, 2)
    assert "msg_code" not in change(kf, 3, ZHANG)


def test_a_code_of_the_pool_is_no_longer_good_when_somebody_has_taken_over(wechat: WeChat, kf: Api) -> None:
    wechat.customer("王桂兰").send("转人工")
    code = change(kf, 2)["msg_code"]
    wechat.kf.servicer(ZHANG).take(WANG)

    assert answer_event(kf, code) == 95018


def test_an_ended_session_lets_the_bot_ask_for_a_rating_for_twenty_seconds(wechat: WeChat, kf: Api) -> None:
    wechat.customer("王桂兰").send("转人工")
    change(kf, 3, ZHANG)
    wechat.kf.servicer(ZHANG).end(WANG)
    [event] = events(read(kf))
    assert (event["change_type"], event["old_servicer_userid"]) == (3, ZHANG)

    assert answer_event(kf, event["msg_code"], **menu("5", "1")) == 0
    wechat.customer("王桂兰").tap("5")

    assert state(kf) == (0, "")
    assert say(kf, "谢谢") == 0


def test_servicers_take_transfer_and_end_and_each_is_told(wechat: WeChat, kf: Api) -> None:
    wechat.customer("王桂兰").send("转人工")
    change(kf, 2)
    zhang, li = wechat.kf.servicer(ZHANG), wechat.kf.servicer(LI)
    zhang.take(WANG)
    zhang.transfer(WANG, LI)
    li.end(WANG)

    told = [
        (each["change_type"], each.get("old_servicer_userid"), each.get("new_servicer_userid"), "msg_code" in each)
        for each in events(read(kf))
    ]
    assert told == [(1, None, ZHANG, True), (2, ZHANG, LI, False), (3, LI, None, True)]


def test_what_a_servicer_writes_is_read_by_the_customer_and_by_the_bot(wechat: WeChat, kf: Api) -> None:
    person = wechat.customer("王桂兰")
    person.send("转人工")
    change(kf, 3, ZHANG)
    wechat.kf.servicer(ZHANG).say(WANG, "我是张团长")

    message = read(kf)["msg_list"][-1]
    assert (message["origin"], message["servicer_userid"], message["text"]) == (5, ZHANG, {"content": "我是张团长"})
    assert (person.chat()[-1].speaker, person.chat()[-1].name) == ("staff", ZHANG)


def test_a_servicer_who_writes_after_the_end_has_the_session_again(wechat: WeChat, kf: Api) -> None:
    wechat.customer("王桂兰").send("转人工")
    change(kf, 3, ZHANG)
    wechat.kf.servicer(ZHANG).end(WANG)
    wechat.kf.servicer(ZHANG).say(WANG, "对了")

    assert events(read(kf))[-1]["change_type"] == 4
    assert wechat.kf.session(WANG).state is State.PERSON


def test_a_servicer_cannot_write_into_a_session_that_is_not_hers(wechat: WeChat) -> None:
    wechat.customer("王桂兰").send("在吗")

    with pytest.raises(ValueError, match="does not serve"):
        wechat.kf.servicer(ZHANG).say(WANG, "我来")


def test_recalls_and_refusals_of_servicers_are_told(wechat: WeChat, kf: Api) -> None:
    zhang = wechat.kf.servicer(ZHANG)
    zhang.recall(WANG, "someid")
    zhang.refuse(WANG)

    recalled, refused = events(read(kf))
    assert (recalled["event_type"], recalled["recall_msgid"]) == ("servicer_recall_msg", "someid")
    assert (refused["event_type"], refused["reject_switch"]) == ("reject_customer_msg_switch_change", 1)
