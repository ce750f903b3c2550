"""What a smart bot is told, from recorded callbacks."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.channels.aibot_message import inbound, without_mentions
from bot.channels.channel import Inbound
from bot.errors import MalformedCallback
from bot.message import Message

FIXTURES = Path(__file__).parents[1] / "fixtures" / "wecom_aibot"
NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
GROUP = "wrkSFfCgAAXXXXXXXXXXXXXXXXXXXXXX"


def recorded(name: str, **changes: Any) -> Inbound:
    fields = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return inbound("group-bot", {**fields, **changes}, nonce="77", now=NOW, bot_name="群答")


def message(name: str) -> Message:
    found = recorded(name).message
    assert found is not None
    return found


def test_a_text_in_a_group_is_the_members_in_that_group_without_the_call() -> None:
    told = message("text-in-group")
    assert (told.account, told.chat, told.kind, told.text) == ("WangAyi", GROUP, "text", "几点能取货")
    assert told.reply_address.startswith("https://qyapi.weixin.qq.com/cgi-bin/aibot/response?")
    assert "reply_address" not in told.details()


def test_a_text_in_the_single_chat_belongs_to_no_group() -> None:
    told = message("text")
    assert (told.chat, told.text, told.sent_at) == ("", "我的订单到哪了", NOW)


def test_a_call_without_words_asks_what_it_quotes() -> None:
    assert message("quote-in-group").text == "退款多久到账"


def test_words_around_a_picture_are_joined_and_the_picture_is_taken_along() -> None:
    told = message("mixed-in-group")
    assert (told.kind, told.text) == ("image", "昨天的苹果\n烂了一半")
    assert told.media is not None
    assert told.media.platform_id.startswith("https://ww-aibot-img-")


@pytest.mark.parametrize("kind", ["image", "file", "video"])
def test_a_file_is_known_by_its_address(kind: str) -> None:
    told = message(kind)
    assert (told.kind, told.media.kind if told.media else "") == (kind, kind)


def test_a_voice_message_comes_as_words() -> None:
    told = message("voice")
    assert (told.kind, told.text, told.media) == ("voice", "我的菜到了没有", None)


def test_the_platform_asks_again_by_the_key_of_the_message() -> None:
    again = recorded("stream")
    assert again.message is None
    assert again.asks_again == message("text-in-group").dedupe_key


def test_somebody_who_comes_in_can_be_welcomed_in_the_answer() -> None:
    entered = recorded("enter-chat")
    assert (message("enter-chat").event, entered.seen, entered.answers_in_words) == (
        "enter_chat",
        "event:enter_chat",
        True,
    )


def test_a_tapped_card_tells_the_button_and_what_may_be_said_later() -> None:
    tapped = message("template-card")
    assert (tapped.event, tapped.choice, tapped.extra["task"]) == ("card", "接单 0123", "ticket-123-7-1700000000000")
    assert tapped.reply_address
    assert not recorded("template-card").answers_in_words


def test_a_tapped_choice_of_a_menu_is_as_if_its_words_had_been_written() -> None:
    told = tapped("faq:refund-arrival#退款多久到账？", task="menu-0123", account="WangAyi")
    assert (told.kind, told.text, told.choice, told.event) == ("text", "退款多久到账？", "faq:refund-arrival", "")
    assert told.dedupe_key == "menu-0123:WangAyi:faq:refund-arrival"
    assert tapped("faq:refund-arrival#退款多久到账？", task="menu-0123", account="Li").dedupe_key != told.dedupe_key
    assert len(tapped("长" * 60 + "#好", task="menu-0123", account="x" * 128).dedupe_key) <= 200


@pytest.mark.parametrize(
    ("task", "key"),
    [("ticket-1", "faq:a#甲"), ("menu-1", "接单 0123"), ("menu-1", "faq:a#"), ("", ""), ("menu-1", "#")],
)
def test_a_tap_on_any_other_card_is_an_event(task: str, key: str) -> None:
    assert tapped(key, task=task, account="WangAyi").event == "card"


def tapped(key: str, *, task: str, account: str) -> Message:
    event = {"eventtype": "template_card_event", "template_card_event": {"event_key": key, "task_id": task}}
    found = recorded("template-card", event=event, **{"from": {"userid": account}})
    assert found.message is not None
    assert (found.seen, found.answers_in_words) == ("event:card", False)
    return found.message


def test_a_judgement_names_the_message_whose_answer_it_judges() -> None:
    bad, good = message("feedback-bad"), message("feedback-good")
    answered = message("text-in-group").dedupe_key
    assert bad.extra == {"answer": answered, "kind": "bad", "remark": "说得不清楚", "reasons": [2, 4]}
    assert good.extra == {"answer": answered, "kind": "good"}
    assert recorded("feedback-bad").seen == "event:feedback_bad"


def test_what_is_not_known_is_counted_or_politely_answered() -> None:
    event = recorded("unknown-event")
    assert (event.message, event.seen) == (None, "event:other")
    assert message("unknown-kind").kind == "other"


@pytest.mark.parametrize(
    "changes",
    [{"from": None}, {"from": {"userid": ""}}, {"msgtype": 3}, {"msgid": ""}, {"chatid": ""}, {"chatid": "x" * 129}],
)
def test_a_callback_without_what_every_one_has_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedCallback):
        recorded("text-in-group", **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"text": None},
        {"text": ["?"]},
        {"msgtype": "mixed", "mixed": {"msg_item": [3, {"msgtype": "image"}]}},
        {"msgtype": "mixed", "mixed": "{}"},
        {"msgtype": "image", "image": {"url": "x" * 3000}},
        {"msgtype": "voice", "voice": {"content": 7}},
        {"response_url": {"a": 1}, "text": {"content": "@群答"}, "quote": "?"},
    ],
)
def test_parts_that_cannot_be_read_are_as_if_they_were_not_there(changes: dict[str, Any]) -> None:
    told = recorded("text-in-group", **changes).message
    assert told is not None
    assert (told.text, told.media) == ("", None)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("@群答\u2005几点能取货", "几点能取货"),
        ("@群答 几点能取货", "几点能取货"),
        ("@群答几点能取货", "几点能取货"),
        ("  @群答\u2005 @张团长\u2005几点能取货", "几点能取货"),
        ("几点能取货 @群答", "几点能取货"),
        ("几点能取货@群答\u2005谢谢", "几点能取货 谢谢"),
        ("几点\n@群答\u2005能取货", "几点 能取货"),
        ("@群答\u2005", ""),
        ("@群答", ""),
        ("@群答\u2005写信到 a@b.cn", "写信到 a@b.cn"),
    ],
)
def test_calls_are_taken_out_of_the_words(said: str, words: str) -> None:
    assert without_mentions(said, "群答") == words


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("@Shop Bot\u2005几点能取货", "几点能取货"),
        ("@群答 几点能取货 @群答", "几点能取货"),
        ("@群答几点能取货", ""),
        ("几点能取货", "几点能取货"),
    ],
)
def test_without_a_known_name_the_first_one_called_is_the_bots(said: str, words: str) -> None:
    assert without_mentions(said, "") == words
