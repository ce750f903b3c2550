from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests

from playground import samples
from playground.phones import NotSeen
from playground.platform.kf_content import TOO_LARGE
from playground.platform.kf_session import State
from playground.platform.media import MEGABYTE
from playground.wechat import WeChat
from tests.end_to_end.crowd import wait_until
from tests.playground.conftest import CREDENTIALS, Api, EchoBot

WANG, LIU = "wmWang", "wmLiu"
ZHANG, LI = "ZhangLeader", "LiLeader"
KFID = CREDENTIALS.open_kfid


def read(api: Api, **more: Any) -> dict[str, Any]:
    return api.post("kf/sync_msg", {"open_kfid": KFID, **more})


def texts(page: dict[str, Any]) -> list[str]:
    return [message["text"]["content"] for message in page["msg_list"] if message["msgtype"] == "text"]


def events(page: dict[str, Any]) -> list[dict[str, Any]]:
    return [message["event"] for message in page["msg_list"] if message["msgtype"] == "event"]


def say(api: Api, words: str = "您好", to: str = WANG, **more: Any) -> int:
    body = {"touser": to, "open_kfid": KFID, "msgtype": "text", "text": {"content": words}, **more}
    return int(api.post("kf/send_msg", body)["errcode"])


def answer_event(api: Api, code: str, text: str = "您好，我是群答", **more: Any) -> int:
    body = {"code": code, "msgtype": "text", "text": {"content": text}, **more}
    return int(api.post("kf/send_msg_on_event", body)["errcode"])


def change(api: Api, state: int, servicer: str = "", account: str = WANG) -> dict[str, Any]:
    body = {"open_kfid": KFID, "external_userid": account, "service_state": state, "servicer_userid": servicer}
    return api.post("kf/service_state/trans", body)


def state(api: Api, account: str = WANG) -> tuple[int, str]:
    told = api.post("kf/service_state/get", {"open_kfid": KFID, "external_userid": account})
    return told["service_state"], told["servicer_userid"]


def renew(wechat: WeChat, api: Api) -> None:
    api.token = api.get("gettoken", corpid=CREDENTIALS.corp_id, corpsecret=CREDENTIALS.kf_secret)["access_token"]


def menu(*ids: str) -> dict[str, Any]:
    items = [{"type": "click", "click": {"id": each, "content": f"第{each}项"}} for each in ids]
    return {"msgtype": "msgmenu", "msgmenu": {"head_content": "请选", "list": items, "tail_content": "或者直接说"}}


# --- callbacks


def test_the_callback_only_says_that_there_is_something(wechat: WeChat, bot: EchoBot) -> None:
    assert wechat.customer("王桂兰").send("在吗").accepted

    fields = bot.heard[0]
    assert set(fields) == {"ToUserName", "CreateTime", "MsgType", "Event", "Token", "OpenKfId"}
    assert (fields["Event"], fields["OpenKfId"]) == ("kf_msg_or_event", KFID)
    assert len(fields["Token"].encode()) <= 128
    assert "在吗" not in bot.bodies[0]


def test_the_platform_verifies_a_bot_that_knows_the_token(wechat: WeChat) -> None:
    assert wechat.kf.verify()


def test_a_callback_without_an_answer_is_tried_three_times_and_an_error_status_once(
    wechat: WeChat, bot: EchoBot
) -> None:
    bot.instead = [("", 500)]
    refused = wechat.customer("王桂兰").send("在吗")
    bot.server.refuse()
    unanswered = wechat.customer("王桂兰").send("在吗？")

    assert (refused.tries, refused.accepted) == (1, False)
    assert (unanswered.tries, unanswered.accepted) == (3, False)


def test_what_the_callback_did_not_bring_is_in_the_list_all_the_same(wechat: WeChat, bot: EchoBot, kf: Api) -> None:
    bot.server.refuse()
    wechat.customer("王桂兰").send("在吗")

    assert texts(read(kf)) == ["在吗"]


# --- the message list


def test_messages_are_read_in_order_and_the_cursor_goes_on_behind_them(wechat: WeChat, kf: Api) -> None:
    wechat.customer("王桂兰").send("一")
    wechat.customer("刘建国").send("二")
    first = read(kf)
    wechat.customer("王桂兰").send("三")

    assert (texts(first), first["has_more"]) == (["一", "二"], 0)
    assert texts(read(kf, cursor=first["next_cursor"])) == ["三"]
    assert [message["external_userid"] for message in first["msg_list"]] == [WANG, LIU]
    assert {message["origin"] for message in first["msg_list"]} == {3}
    assert len(first["next_cursor"].encode()) <= 64


def test_a_cursor_stays_where_it_is_when_nothing_has_come(wechat: WeChat, kf: Api) -> None:
    wechat.customer("王桂兰").send("一")
    cursor = read(kf)["next_cursor"]

    nothing = read(kf, cursor=cursor)

    assert (nothing["msg_list"], nothing["has_more"], nothing["next_cursor"]) == ([], 0, cursor)


def test_pages_are_as_long_as_asked_for_and_tell_whether_there_is_more(wechat: WeChat, kf: Api) -> None:
    for word in "一二三":
        wechat.customer("王桂兰").send(word)

    first = read(kf, limit=2)
    second = read(kf, limit=2, cursor=first["next_cursor"])

    assert [(texts(page), page["has_more"]) for page in (first, second)] == [(["一", "二"], 1), (["三"], 0)]


def test_a_page_can_be_empty_and_have_more_behind_it(wechat: WeChat, kf: Api) -> None:
    wechat.customer("王桂兰").send("一")
    wechat.kf.faults.cut_page()

    empty = read(kf)

    assert (empty["msg_list"], empty["has_more"]) == ([], 1)
    assert texts(read(kf, cursor=empty["next_cursor"])) == ["一"]


def test_messages_are_kept_for_three_days_and_a_reader_without_a_cursor_begins_with_the_oldest(
    wechat: WeChat, kf: Api
) -> None:
    wechat.customer("王桂兰").send("旧")
    wechat.clock.advance(days=2)
    wechat.customer("王桂兰").send("新")
    renew(wechat, kf)
    assert texts(read(kf)) == ["旧", "新"]

    wechat.clock.advance(days=1, minutes=1)
    renew(wechat, kf)
    assert texts(read(kf)) == ["新"]


def test_what_the_bot_sends_is_not_in_the_list(wechat: WeChat, kf: Api) -> None:
    wechat.customer("王桂兰").send("在吗")
    say(kf, "在的")

    assert texts(read(kf)) == ["在吗"]


def test_the_callbacks_token_is_good_for_ten_minutes(wechat: WeChat, bot: EchoBot, kf: Api) -> None:
    wechat.customer("王桂兰").send("在吗")
    token = bot.heard[0]["Token"]
    assert [read(kf, token=token)["errcode"] for _ in range(20)] == [0] * 20

    wechat.clock.advance(minutes=10)
    assert read(kf, token=token)["errcode"] == 95007
    assert read(kf, token="ENCforeign")["errcode"] == 95007


def test_without_a_token_reading_is_strictly_limited(wechat: WeChat, kf: Api) -> None:
    codes = [read(kf)["errcode"] for _ in range(wechat.kf.untokened_per_minute + 1)]
    assert codes == [0] * wechat.kf.untokened_per_minute + [45009]

    wechat.clock.advance(minutes=1)
    assert read(kf)["errcode"] == 0


@pytest.mark.parametrize(
    ("change", "errcode"),
    [
        ({"open_kfid": ""}, 95000),
        ({"open_kfid": "wkSomebodyElse"}, 95004),
        ({"cursor": "not one of ours"}, 40058),
        ({"cursor": "x" * 65}, 40058),
        ({"limit": "many"}, 40058),
    ],
)
def test_a_reader_that_asks_wrongly_is_told(kf: Api, change: dict[str, Any], errcode: int) -> None:
    assert read(kf, **change)["errcode"] == errcode


def test_every_kind_of_message_has_the_platforms_own_fields(wechat: WeChat, kf: Api) -> None:
    person = wechat.customer("王桂兰")
    person.send_photo(samples.photo("bad-apple-1.jpg"))
    person.send_voice(samples.voice("any"), "没有人听得见")
    person.send_video(b"a film of some bytes")
    person.send_file(b"a file of some bytes", "小票.pdf")
    person.send_location(31.23, 121.47, "东门")
    person.send_link("标题", "说明", "https://example.com")
    person.send_miniprogram("我的订单", "wx0", "pages/order", samples.photo("bad-apple-1.jpg"))
    person.send_card(ZHANG)
    person.forward("群聊的聊天记录", [("老张", "苹果坏了"), ("老李", "我的也是")])

    told = {message["msgtype"]: message[message["msgtype"]] for message in read(kf)["msg_list"]}
    assert {kind: set(fields) for kind, fields in told.items()} == {
        "image": {"media_id"},
        "voice": {"media_id"},
        "video": {"media_id"},
        "file": {"media_id"},
        "location": {"latitude", "longitude", "name", "address"},
        "link": {"title", "desc", "url", "pic_url"},
        "miniprogram": {"title", "appid", "pagepath", "thumb_media_id"},
        "business_card": {"userid"},
        "merged_msg": {"title", "item"},
    }
    assert set(told["merged_msg"]["item"][0]) == {"send_time", "msgtype", "sender_name", "msg_content"}
    assert kf.download(told["image"]["media_id"]).content == samples.photo("bad-apple-1.jpg")


def test_a_voice_message_is_amr_unless_silk_is_asked_for(wechat: WeChat, kf: Api) -> None:
    wechat.customer("王桂兰").send_voice(samples.voice("any"))

    amr, silk = (read(kf, voice_format=number)["msg_list"][0]["voice"]["media_id"] for number in (0, 1))

    assert kf.download(amr).content.startswith(b"#!AMR\n")
    assert b"#!SILK_V3" in kf.download(silk).content[:12]


def test_of_a_picture_over_two_megabytes_only_a_text_comes(wechat: WeChat, kf: Api) -> None:
    wechat.customer("王桂兰").send_photo(b"\xff\xd8\xff" + bytes(2 * MEGABYTE))

    assert texts(read(kf)) == [TOO_LARGE]


def test_a_message_taken_back_is_told_by_an_event(wechat: WeChat, kf: Api) -> None:
    person = wechat.customer("王桂兰")
    person.send("手滑了")
    person.recall()

    page = read(kf)
    [event] = events(page)
    assert event == {
        "event_type": "user_recall_msg",
        "open_kfid": KFID,
        "external_userid": WANG,
        "recall_msgid": page["msg_list"][0]["msgid"],
    }
    assert page["msg_list"][1]["origin"] == 4
    assert "open_kfid" not in page["msg_list"][1]
    assert [bubble.kind for bubble in person.chat()] == ["notice"]


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


# --- sending


def test_five_messages_go_out_after_each_of_the_customers_messages(wechat: WeChat, kf: Api) -> None:
    person = wechat.customer("王桂兰")
    person.send("在吗")
    assert [say(kf) for _ in range(6)] == [0] * 5 + [95001]

    person.send("在吗？")
    assert say(kf) == 0


def test_after_48_hours_the_session_has_ended(wechat: WeChat, kf: Api) -> None:
    wechat.customer("王桂兰").send("在吗")
    wechat.clock.advance(hours=47, minutes=59)
    renew(wechat, kf)
    assert say(kf) == 0

    wechat.clock.advance(minutes=1)
    assert say(kf) == 95018
    assert state(kf) == (4, "")


def test_the_callers_own_msgid_is_given_back_and_taken_once(wechat: WeChat, kf: Api) -> None:
    wechat.customer("王桂兰").send("在吗")
    body = {"touser": WANG, "open_kfid": KFID, "msgid": "out-0123", "msgtype": "text", "text": {"content": "在"}}

    assert kf.post("kf/send_msg", body)["msgid"] == "out-0123"
    assert kf.post("kf/send_msg", body)["errcode"] == 95033
    assert [bubble.text for bubble in wechat.customer("王桂兰").chat()] == ["在吗", "在"]


def test_a_refused_message_does_not_use_up_its_msgid(wechat: WeChat, kf: Api) -> None:
    wechat.customer("王桂兰").enter()
    assert say(kf, msgid="out-1") == 95018

    wechat.customer("王桂兰").send("在吗")
    assert say(kf, msgid="out-1") == 0


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({"text": {"content": "长" * 682}}, 0),
        ({"text": {"content": "长" * 683}}, 45002),
        ({"text": {"content": ""}}, 44004),
        ({"msgid": "x" * 33}, 40058),
        ({"msgid": "有字"}, 40058),
        ({"touser": "wmNobody"}, 40096),
        ({"open_kfid": "wkSomebodyElse"}, 95004),
        ({"msgtype": "news"}, 40008),
        ({"msgtype": "image", "image": {"media_id": "nothing"}}, 40007),
        ({"msgtype": "msgmenu", "msgmenu": {"head_content": "长" * 342, "list": []}}, 95008),
        (menu(*"1234567890"), 0),
        (menu(*"1234567890", "11"), 95008),
        (menu("x" * 129), 95008),
        ({"msgtype": "msgmenu", "msgmenu": {"list": [{"type": "dance", "dance": {"content": "x"}}]}}, 95008),
    ],
)
def test_messages_must_be_within_the_documents_limits(
    wechat: WeChat, kf: Api, body: dict[str, Any], errcode: int
) -> None:
    wechat.customer("王桂兰").send("在吗")

    assert say(kf, **body) == errcode


def test_pictures_sounds_files_and_links_appear_on_the_phone(wechat: WeChat, kf: Api) -> None:
    person = wechat.customer("王桂兰")
    person.send("在吗")
    photo = samples.photo("bad-apple-1.jpg")
    media_id = kf.upload("image", photo)["media_id"]
    link = {"title": "长" * 60, "desc": "说明", "url": "https://example.com", "thumb_media_id": media_id}

    codes = [
        say(kf, msgtype="image", image={"media_id": media_id}),
        say(kf, msgtype="file", file={"media_id": kf.upload("file", b"some bytes")["media_id"]}),
        say(kf, msgtype="link", link=link),
    ]

    assert codes == [0, 0, 0]
    image, file, shown = person.chat()[1:]
    assert (image.media, file.media) == (photo, b"some bytes")
    assert shown.text == "长" * 42 + "\n说明\nhttps://example.com"  # 128 bytes of the title


def test_a_tapped_menu_line_comes_as_a_text_with_its_id(wechat: WeChat, kf: Api) -> None:
    person = wechat.customer("王桂兰")
    person.send("在吗")
    say(kf, **menu("satisfied", "not"))
    bubble = person.wait_for(lambda bubble: bubble.kind == "msgmenu")

    person.tap_in(bubble, "not")

    assert bubble.text == "请选\n第satisfied项\n第not项\n或者直接说"
    assert read(kf)["msg_list"][-1]["text"] == {"content": "第not项", "menu_id": "not"}
    with pytest.raises(NotSeen):
        person.tap_in(bubble, "missing")


def test_a_delivery_that_fails_later_is_told_by_an_event_and_never_shown(wechat: WeChat, bot: EchoBot, kf: Api) -> None:
    person = wechat.customer("王桂兰")
    person.send("在吗")
    wechat.kf.faults.fail_delivery(10)

    assert say(kf, "收不到", msgid="out-1") == 0

    wait_until(lambda: len(bot.heard) == 2, "the bot was told")
    [event] = events(read(kf))
    assert (event["event_type"], event["fail_msgid"], event["fail_type"]) == ("msg_send_fail", "out-1", 10)
    assert [bubble.text for bubble in person.chat()] == ["在吗"]


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


# --- the rest of the API


def test_customers_are_told_with_their_names_and_how_they_came_in(wechat: WeChat, kf: Api) -> None:
    wechat.customer("王桂兰").follow()
    body = {"external_userid_list": [WANG, "wmNobody"], "need_enter_session_context": 1}

    told = kf.post("kf/customer/batchget", body)

    [customer] = told["customer_list"]
    assert (customer["nickname"], customer["enter_session_context"]["scene_param"]) == ("王桂兰", "sunshine")
    assert told["invalid_external_userid"] == ["wmNobody"]
    assert kf.post("kf/customer/batchget", {"external_userid_list": ["wm"] * 101})["errcode"] == 40058


def test_the_account_is_listed(kf: Api) -> None:
    assert [each["open_kfid"] for each in kf.post("kf/account/list", {})["account_list"]] == [KFID]


def test_the_token_belongs_to_the_customer_services_own_secret(wechat: WeChat, kf: Api) -> None:
    assert kf.get("gettoken", corpid=CREDENTIALS.corp_id, corpsecret=CREDENTIALS.app_secret)["errcode"] == 40001
    assert kf.get("gettoken", corpid="ww0", corpsecret=CREDENTIALS.kf_secret)["errcode"] == 40013

    wechat.kf.expire_tokens()
    assert read(kf)["errcode"] == 42001


def test_a_file_can_be_fetched_in_parts_and_a_large_one_must_be(wechat: WeChat, kf: Api) -> None:
    content = samples.photo("bad-apple-1.jpg")
    media_id = kf.upload("image", content)["media_id"]
    wechat.kf.whole_up_to = len(content) - 1

    whole = kf.download(media_id)
    url = f"{kf.base}/cgi-bin/media/get"
    query = {"access_token": kf.token, "media_id": media_id}
    part = requests.get(url, params=query, headers={"Range": "bytes=0-99"}, timeout=5)

    assert whole.json()["errcode"] == 830002
    assert (part.status_code, part.content) == (206, content[:100])
    assert part.headers["Content-Range"] == f"bytes 0-99/{len(content)}"


def test_media_are_kept_for_three_days(wechat: WeChat, kf: Api) -> None:
    media_id = kf.upload("image", samples.photo("bad-apple-1.jpg"))["media_id"]
    wechat.clock.advance(days=3, minutes=1)
    renew(wechat, kf)

    assert kf.download(media_id).json()["errcode"] == 40007


# --- the books


def test_the_ledger_tells_what_was_sent_and_how_the_budget_was_kept(wechat: WeChat, kf: Api) -> None:
    person = wechat.customer("王桂兰")
    person.enter()
    answer_event(kf, events(read(kf))[0]["welcome_code"])
    person.send("在吗")
    for number in range(6):
        say(kf, str(number), msgid=f"out-{number}")
    say(kf, "0", msgid="out-0")
    wechat.kf.faults.answer(95001, to="kf/send_msg")
    say(kf)

    ledger = wechat.kf.ledger
    assert [each.text for each in ledger.to(WANG)] == ["您好，我是群答", "0", "1", "2", "3", "4"]
    assert [each.msgid for each in ledger.to(WANG) if not each.on_event] == [f"out-{number}" for number in range(5)]
    assert wechat.clock.now() - ledger.to(WANG)[-1].at < timedelta(minutes=1)
    assert (ledger.highest_use, ledger.broken, ledger.repeats) == (5, 1, 1)


def test_a_reset_forgets_everything_but_old_cursors_stay_behind_what_comes(wechat: WeChat, kf: Api) -> None:
    wechat.customer("王桂兰").send("旧")
    cursor = read(kf)["next_cursor"]
    wechat.reset()
    wechat.customer("王桂兰").send("新")

    assert texts(read(kf, cursor=cursor)) == ["新"]
    assert wechat.kf.ledger.sent == []
