"""The smart bot: what it hears of a group, how it answers, and what the platform holds it to."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from playground import samples
from playground.groups import Group
from playground.wechat import WeChat
from playground.world import Bubble
from tests.playground.conftest import CAST, CREDENTIALS, KEY_B
from tests.playground.smart_bot import Heard, SmartBot, stream

CHAT = "wrkSFfCgAAxxxxxx"
PHOTO = samples.photo("bad-apple-1.jpg")
CARD: dict[str, Any] = {
    "card_type": "button_interaction",
    "main_title": {"title": "工单 0123"},
    "button_list": [{"text": "接单", "key": "take:0123"}],
    "task_id": "ticket-0123",
}
TAKEN = {"button_list": [{"text": "已接单", "key": "taken:0123"}]}


@pytest.fixture
def wechat(smart: SmartBot) -> Iterator[WeChat]:
    cast = replace(CAST, groups={"阳光花园服务群": (CHAT, ("张团长", "李团长"))})
    wechat = WeChat(CREDENTIALS, cast, poll_every=0.01)
    wechat.open()
    wechat.connect(smart.server.url)
    yield wechat
    wechat.close()


@pytest.fixture
def group(wechat: WeChat) -> Group:
    return wechat.group("阳光花园服务群")


def settled(bubble: Bubble) -> bool:
    return bubble.state in ("delivered", "failed")


def respond(heard: Heard, body: dict[str, Any]) -> int:
    return int(requests.post(heard["response_url"], json=body, timeout=5).json()["errcode"])


def markdown(content: str) -> dict[str, Any]:
    return {"msgtype": "markdown", "markdown": {"content": content}}


def said(group: Group) -> list[str]:
    return [bubble.text for bubble in group.chat() if bubble.speaker == "bot"]


# --- what the bot hears


def test_the_address_is_verified_with_an_encrypted_echo(wechat: WeChat) -> None:
    assert wechat.aibot.verify()


def test_a_member_who_calls_the_bot_is_heard_and_answered_in_the_group(group: Group, smart: SmartBot) -> None:
    delivery = group.say("张团长", "今天几点到货")

    heard = smart.heard[0]
    assert delivery is not None
    assert delivery.accepted
    assert (heard["msgtype"], heard["text"]) == ("text", {"content": "@群答\u2005今天几点到货"})
    assert (heard["chattype"], heard["chatid"], heard["from"], heard["aibotid"]) == (
        "group",
        CHAT,
        {"userid": "ZhangLeader"},
        "aibTest",
    )
    answer = group.wait_for(lambda bubble: bubble.text == "好的")
    assert answer.quote == "张团长：@群答\u2005今天几点到货"


def test_what_members_say_among_themselves_is_not_heard(group: Group, smart: SmartBot) -> None:
    assert group.say("张团长", "大家早", at=False) is None

    assert smart.heard == []
    assert [(bubble.name, bubble.text, bubble.state) for bubble in group.chat()] == [("张团长", "大家早", "delivered")]


def test_somebody_who_is_not_in_the_group_cannot_speak_in_it(group: Group) -> None:
    with pytest.raises(KeyError):
        group.say("王桂兰", "我也在吗")


def test_what_is_answered_is_quoted_to_the_bot(group: Group, smart: SmartBot) -> None:
    group.say("李团长", "3 号楼还没到", at=False)
    group.say("张团长", "怎么回事", quote=group.chat()[0])

    assert smart.heard[0]["quote"] == {"msgtype": "text", "text": {"content": "3 号楼还没到"}}


def test_a_photo_with_a_call_is_mixed_and_its_file_is_encrypted(group: Group, smart: SmartBot) -> None:
    group.send_photo("张团长", PHOTO, "这箱坏了")

    words, image = smart.heard[0]["mixed"]["msg_item"]
    assert words == {"msgtype": "text", "text": {"content": "@群答\u2005这箱坏了"}}
    assert opened(requests.get(image["image"]["url"], timeout=5).content) == PHOTO


def test_a_photo_in_a_group_can_be_quoted(group: Group, smart: SmartBot) -> None:
    group.send_photo("李团长", PHOTO, at=False)
    group.say("张团长", "看看这个", quote=group.chat()[0])

    quote = smart.heard[0]["quote"]
    assert quote["msgtype"] == "image"
    assert opened(requests.get(quote["image"]["url"], timeout=5).content) == PHOTO


def test_a_file_is_there_for_five_minutes(wechat: WeChat, smart: SmartBot) -> None:
    wechat.beside_bot("张团长").send_photo(PHOTO)
    url = smart.heard[0]["image"]["url"]
    wechat.clock.advance(minutes=5)

    assert requests.get(url, timeout=5).status_code == 403


def opened(sealed: bytes) -> bytes:
    """As document 100719 says: AES-256-CBC, the key's first 16 bytes as IV, PKCS#7 to 32."""
    key = base64.b64decode(KEY_B + "=")
    decryptor = Cipher(AES(key), CBC(key[:16])).decryptor()
    plain = decryptor.update(sealed) + decryptor.finalize()
    assert len(sealed) % 32 == 0
    return plain[: -plain[-1]]


def test_in_a_single_chat_the_bot_gets_words_of_a_voice_and_pictures(wechat: WeChat, smart: SmartBot) -> None:
    person = wechat.beside_bot("张团长")
    person.send("在吗")
    person.send_voice(b"#!AMR some sound", "苹果坏了")
    person.send_video(b"a film of some bytes")

    assert [heard["chattype"] for heard in smart.heard] == ["single"] * 3
    assert all("chatid" not in heard for heard in smart.heard)
    assert smart.heard[1]["voice"] == {"content": "苹果坏了"}
    assert opened(requests.get(smart.heard[2]["video"]["url"], timeout=5).content) == b"a film of some bytes"


def test_a_repeated_callback_has_the_same_msgid_and_is_shown_once(group: Group, smart: SmartBot) -> None:
    group.say("张团长", "在吗")
    group.repeat()

    assert len({heard["msgid"] for heard in smart.heard}) == 1
    assert said(group) == ["好的"]


def test_a_bot_that_does_not_answer_is_tried_three_times(wechat: WeChat, group: Group, smart: SmartBot) -> None:
    smart.server.refuse()

    delivery = group.say("张团长", "在吗")

    assert delivery is not None
    assert (delivery.tries, delivery.accepted, group.chat()[0].state) == (3, False, "failed")


# --- how it answers


def test_a_stream_is_asked_for_until_it_ends_and_each_answer_replaces_the_last(group: Group, smart: SmartBot) -> None:
    parts = iter([stream("", finish=False), stream("正在查", finish=False), stream("已到货，4 点可取")])
    smart.answer = lambda heard: next(parts)

    group.say("张团长", "到了吗")

    bubble = group.wait_for(lambda bubble: bubble.text == "已到货，4 点可取")
    assert group.wait_for_change(bubble, settled).state == "delivered"
    assert [heard["stream"] for heard in smart.asked("stream")] == [{"id": "s1"}, {"id": "s1"}]
    assert said(group) == ["已到货，4 点可取"]
    assert len({heard["msgid"] for heard in smart.heard}) == 3


def test_a_stream_ends_six_minutes_after_the_message(wechat: WeChat, group: Group, smart: SmartBot) -> None:
    smart.answer = lambda heard: stream("还在查", finish=False)
    group.say("张团长", "到了吗")
    bubble = group.wait_for(lambda bubble: bubble.text == "还在查")

    wechat.clock.advance(minutes=6)

    assert group.wait_for_change(bubble, settled).state == "failed"


def test_a_poll_that_fails_is_asked_again(group: Group, smart: SmartBot) -> None:
    parts: Iterator[dict[str, Any] | None] = iter([stream("等", finish=False), None, {"msgtype": "text"}, stream("好")])
    smart.answer = lambda heard: next(parts)

    group.say("张团长", "到了吗")

    assert group.wait_for(lambda bubble: bubble.text == "好")


def test_a_member_has_three_messages_answered_at_once(wechat: WeChat, group: Group, smart: SmartBot) -> None:
    go_on = threading.Event()
    smart.answer = lambda heard: stream("好" if go_on.is_set() else "等", finish=go_on.is_set())
    for number in range(3):
        group.say("张团长", str(number))

    fourth = group.say("张团长", "还有")
    other = group.say("李团长", "我呢")

    assert fourth is not None
    assert other is not None
    assert (fourth.accepted, fourth.tries, other.accepted) == (False, 0, True)
    assert [bubble.kind for bubble in group.chat() if bubble.speaker == "platform"] == ["notice"]
    go_on.set()
    streams = [bubble for bubble in group.chat() if bubble.speaker == "bot"]
    for each in streams:
        group.wait_for_change(each, settled)
    fifth = group.say("张团长", "现在呢")
    assert fifth is not None
    assert fifth.accepted


def test_pictures_come_with_the_end_of_a_stream(group: Group, smart: SmartBot) -> None:
    image = {"base64": base64.b64encode(PHOTO).decode(), "md5": hashlib.md5(PHOTO).hexdigest()}
    smart.answer = lambda heard: stream("请看", msg_item=[{"msgtype": "image", "image": image}])

    group.say("张团长", "长什么样")

    assert [(bubble.kind, bubble.media) for bubble in group.chat()[1:]] == [("stream", None), ("image", PHOTO)]


@pytest.mark.parametrize(
    "answer",
    [
        {"msgtype": "text", "text": {"content": "只能当欢迎语"}},
        {"msgtype": "markdown", "markdown": {"content": "只能主动发"}},
        {"msgtype": "stream", "stream": {"content": "没有 id", "finish": True}},
        stream("长" * 6827),
        stream("图", finish=False, msg_item=[{"msgtype": "image"}]),
        stream("好", feedback={"id": "x" * 257}),
        {"msgtype": "template_card", "template_card": {**CARD, "task_id": "工单"}},
        {"response_type": "update_template_card", "template_card": CARD},
    ],
)
def test_an_answer_that_the_platform_does_not_take_is_not_shown(
    group: Group, smart: SmartBot, answer: dict[str, Any]
) -> None:
    smart.answer = lambda heard: answer

    delivery = group.say("张团长", "在吗")

    assert delivery is not None
    assert delivery.accepted is False
    assert said(group) == []


def test_the_answer_must_bear_the_requests_nonce(group: Group, smart: SmartBot) -> None:
    smart.nonce = "another"
    group.say("张团长", "在吗")

    assert said(group) == []


def test_an_empty_answer_says_nothing_and_is_accepted(group: Group, smart: SmartBot) -> None:
    smart.answer = lambda heard: None
    delivery = group.say("张团长", "在吗")

    assert delivery is not None
    assert (delivery.accepted, said(group)) == (True, [])


# --- the response_url


def test_the_response_url_takes_one_answer_which_quotes_the_trigger(group: Group, smart: SmartBot) -> None:
    smart.answer = lambda heard: None
    group.say("张团长", "在吗")

    assert [respond(smart.heard[0], markdown("**在**")) for _ in range(2)] == [0, 42022]
    assert (group.chat()[-1].text, group.chat()[-1].quote) == ("**在**", "张团长：@群答\u2005在吗")


def test_the_response_url_is_good_for_an_hour(wechat: WeChat, group: Group, smart: SmartBot) -> None:
    group.say("张团长", "在吗")
    wechat.clock.advance(hours=1)

    assert respond(smart.heard[0], markdown("太晚了")) == 40035


def test_a_refused_answer_does_not_use_the_response_url_up(group: Group, smart: SmartBot) -> None:
    group.say("张团长", "在吗")
    heard = smart.heard[0]

    assert respond(heard, markdown("长" * 6827)) == 45002
    assert respond(heard, markdown("")) == 44004
    assert respond(heard, {"msgtype": "text", "text": {"content": "在"}}) == 40008
    assert respond(heard, markdown("长" * 6826)) == 0


def test_a_card_through_the_response_url_is_for_single_chats(wechat: WeChat, group: Group, smart: SmartBot) -> None:
    card = {"msgtype": "template_card", "template_card": CARD}
    smart.answer = lambda heard: None
    group.say("张团长", "有工单吗")
    wechat.beside_bot("张团长").send("有工单吗")

    assert [respond(heard, card) for heard in smart.heard] == [40008, 0]


# --- cards, welcome, feedback


def test_a_card_in_a_group_is_tapped_and_replaced_for_everybody(group: Group, smart: SmartBot) -> None:
    def answer(heard: Heard) -> dict[str, Any]:
        if heard["msgtype"] == "event":
            card = {**CARD, "main_title": {"title": "张团长已接单"}, **TAKEN}
            return {"response_type": "update_template_card", "template_card": card}
        return {"msgtype": "template_card", "template_card": CARD}

    smart.answer = answer
    group.say("李团长", "有工单吗")

    delivery = group.tap_button("张团长", group.chat()[-1], "take:0123")

    event = smart.heard[1]
    assert delivery.accepted
    assert event["event"] == {
        "eventtype": "template_card_event",
        "template_card_event": {"card_type": "button_interaction", "event_key": "take:0123", "task_id": "ticket-0123"},
    }
    assert (event["from"], event["chatid"], "response_url" in event) == ({"userid": "ZhangLeader"}, CHAT, True)
    assert said(group) == ["张团长已接单"]
    with pytest.raises(ValueError, match="nothing to tap"):
        group.tap_button("李团长", group.chat()[1], "take:0123")


def test_a_card_can_be_replaced_for_one_member_only(group: Group, smart: SmartBot) -> None:
    def answer(heard: Heard) -> dict[str, Any]:
        if heard["msgtype"] == "event":
            own = {**CARD, **TAKEN}
            return {"response_type": "update_template_card", "userids": ["ZhangLeader"], "template_card": own}
        return {"msgtype": "template_card", "template_card": CARD}

    smart.answer = answer
    group.say("李团长", "有工单吗")
    card = group.chat()[-1]
    group.tap_button("张团长", card, "take:0123")

    with pytest.raises(ValueError, match="nothing to tap"):
        group.tap_button("张团长", card, "take:0123")
    assert group.tap_button("李团长", card, "take:0123").accepted


def test_a_tap_is_one_request_and_a_card_of_another_task_is_not_taken(group: Group, smart: SmartBot) -> None:
    smart.answer = lambda heard: (
        {"response_type": "update_template_card", "template_card": {**CARD, "task_id": "another"}}
        if heard["msgtype"] == "event"
        else {"msgtype": "template_card", "template_card": CARD}
    )
    group.say("李团长", "有工单吗")
    card = group.chat()[-1]
    assert group.tap_button("张团长", card, "take:0123").accepted is False

    smart.server.refuse()
    assert group.tap_button("张团长", card, "take:0123").tries == 1


def test_the_buttons_of_a_card_cannot_be_replaced_by_words(group: Group, smart: SmartBot) -> None:
    without_buttons = {"replace_text": "已接单", "button_list": []}
    changes: Iterator[dict[str, Any]] = iter([{"replace_text": "已接单"}, without_buttons])
    smart.answer = lambda heard: (
        {"response_type": "update_template_card", "template_card": {**CARD, **next(changes)}}
        if heard["msgtype"] == "event"
        else {"msgtype": "template_card", "template_card": CARD}
    )
    group.say("李团长", "有工单吗")
    card = group.chat()[-1]

    assert [group.tap_button("张团长", card, "take:0123").accepted for _ in range(2)] == [True, False]


def test_an_answer_to_a_repeat_brings_the_same_card_which_is_shown_once(group: Group, smart: SmartBot) -> None:
    smart.answer = lambda heard: {"msgtype": "template_card", "template_card": CARD}
    group.say("张团长", "有工单吗")

    assert group.repeat().accepted
    assert said(group) == ["工单 0123"]
    delivery = group.say("张团长", "还有吗")
    assert delivery is not None
    assert delivery.accepted is False  # another message's card needs an id of its own


def test_a_stream_may_bring_one_card(group: Group, smart: SmartBot) -> None:
    with_card = {"msgtype": "stream_with_template_card", "template_card": CARD}
    parts = iter(
        [
            {**with_card, "stream": {"id": "s1", "finish": False, "content": "查到了"}},
            {**with_card, "template_card": {**CARD, "task_id": "b"}, "stream": {"finish": True, "content": "请看"}},
        ]
    )
    smart.answer = lambda heard: next(parts)
    group.say("张团长", "有工单吗")

    group.wait_for(lambda bubble: bubble.text == "请看")
    assert said(group) == ["请看", "工单 0123"]


def test_the_first_entry_of_a_day_is_welcomed(wechat: WeChat, smart: SmartBot) -> None:
    smart.answer = lambda heard: {"msgtype": "text", "text": {"content": "您好，我是群答"}}

    assert wechat.aibot.enter("ZhangLeader") is not None
    assert wechat.aibot.enter("ZhangLeader") is None

    assert smart.heard[0]["event"] == {"eventtype": "enter_chat"}
    assert [bubble.text for bubble in wechat.beside_bot("张团长").chat()] == ["您好，我是群答"]
    wechat.clock.advance(days=1)
    assert wechat.aibot.enter("ZhangLeader") is not None


def test_an_answer_with_a_feedback_id_can_be_judged(group: Group, smart: SmartBot) -> None:
    smart.answer = lambda heard: stream("好的", feedback={"id": "f1"}) if heard["msgtype"] == "text" else None
    group.say("张团长", "在吗")

    delivery = group.judge("李团长", group.chat()[-1], 2, "能再详细一些么", [2, 4])

    told = smart.heard[1]["event"]["feedback_event"]
    assert delivery.accepted
    assert told == {"id": "f1", "type": 2, "content": "能再详细一些么", "inaccurate_reason_list": [2, 4]}


def test_an_answer_without_a_feedback_id_cannot(group: Group) -> None:
    group.say("张团长", "在吗")

    with pytest.raises(ValueError, match=r"feedback\.id"):
        group.judge("李团长", group.chat()[-1], 1)


def test_after_a_reset_nothing_of_before_goes_on(wechat: WeChat, group: Group, smart: SmartBot) -> None:
    smart.answer = lambda heard: stream("等", finish=False)
    group.say("张团长", "在吗")
    smart.answer = lambda heard: stream("好")
    wechat.reset()

    group.say("张团长", "在吗")

    assert respond(smart.heard[0], markdown("迟到")) == 40035
    assert said(group) == ["好"]
