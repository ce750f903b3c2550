"""What customers and the bot write: the callbacks, the message list, and sending."""

from __future__ import annotations

from typing import Any

import pytest

from playground import samples
from playground.phones import NotSeen
from playground.platform.kf_content import TOO_LARGE
from playground.platform.kf_messages import UNTOKENED_PER_MINUTE
from playground.platform.media import MEGABYTE
from playground.wechat import WeChat
from tests.end_to_end.crowd import wait_until
from tests.playground.conftest import Api, EchoBot
from tests.playground.kf_api import KFID, LIU, WANG, ZHANG, events, menu, read, renew, say, state, texts

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
    codes = [read(kf)["errcode"] for _ in range(UNTOKENED_PER_MINUTE + 1)]
    assert codes == [0] * UNTOKENED_PER_MINUTE + [45009]

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
