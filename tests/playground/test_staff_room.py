"""The webhook of the staff's group."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
import requests

from playground import samples
from playground.wechat import WeChat

PHOTO = samples.photo("bad-apple-1.jpg")
NOTICE: dict[str, Any] = {
    "card_type": "text_notice",
    "main_title": {"title": "工单 0123"},
    "card_action": {"type": 1, "url": "https://example.com/desk"},
}


def post(wechat: WeChat, body: dict[str, Any], url: str = "") -> dict[str, Any]:
    answer: dict[str, Any] = requests.post(url or wechat.staff_room.url, json=body, timeout=5).json()
    return answer


def say(wechat: WeChat, content: str = "新工单", kind: str = "text", **more: Any) -> int:
    return int(post(wechat, {"msgtype": kind, kind: {"content": content, **more}})["errcode"])


def image(content: bytes = PHOTO, **changes: str) -> dict[str, Any]:
    whole = {"base64": base64.b64encode(content).decode(), "md5": hashlib.md5(content).hexdigest()}
    return {"msgtype": "image", "image": {**whole, **changes}}


def test_what_is_posted_stands_in_the_group(wechat: WeChat) -> None:
    assert say(wechat) == 0
    assert say(wechat, "**新工单**", "markdown") == 0

    assert [(bubble.kind, bubble.text) for bubble in wechat.room.chat()] == [
        ("text", "新工单"),
        ("markdown", "**新工单**"),
    ]


def test_members_are_called_by_name(wechat: WeChat) -> None:
    say(wechat, "请看", mentioned_list=["ZhangLeader", "@all", "Nobody"], mentioned_mobile_list=["@all"])
    say(wechat, "<@LiLeader> 请看 <@Nobody>", "markdown")

    assert [bubble.text for bubble in wechat.room.chat()] == ["请看 @所有人 @张团长", "@李团长 请看 <@Nobody>"]


def test_a_wrong_key_opens_nothing(wechat: WeChat) -> None:
    url = wechat.staff_room.url.partition("?")[0]

    assert post(wechat, {"msgtype": "text", "text": {"content": "在吗"}}, f"{url}?key=guess")["errcode"] == 93000
    assert post(wechat, {"msgtype": "text", "text": {"content": "在吗"}}, url)["errcode"] == 93000
    assert wechat.room.chat() == []


def test_twenty_a_minute_go_through(wechat: WeChat) -> None:
    assert [say(wechat, str(number)) for number in range(21)] == [0] * 20 + [45009]

    wechat.clock.advance(minutes=1)
    assert say(wechat, "下一分钟") == 0


@pytest.mark.parametrize(
    ("kind", "most"), [("text", 2048), ("markdown", 4096), ("markdown_v2", 4096)], ids=["text", "markdown", "v2"]
)
def test_words_may_have_so_many_bytes(wechat: WeChat, kind: str, most: int) -> None:
    assert [say(wechat, "x" * most, kind), say(wechat, "x" * (most + 1), kind)] == [0, 40058]
    assert say(wechat, "", kind) == 44004


def test_a_picture_must_be_whole_and_a_picture(wechat: WeChat) -> None:
    assert post(wechat, image())["errcode"] == 0
    assert wechat.room.chat()[0].media == PHOTO

    assert post(wechat, image(md5="0" * 32))["errcode"] == 301019
    assert post(wechat, image(base64="%"))["errcode"] == 40035
    assert post(wechat, image(b"GIF89a a picture that moves"))["errcode"] == 40004
    assert post(wechat, image(b"\xff\xd8\xff" + bytes(2 * 1024 * 1024)))["errcode"] == 40009


def test_a_card_that_only_tells_is_shown_and_one_that_asks_is_refused(wechat: WeChat) -> None:
    asking = {**NOTICE, "card_type": "button_interaction", "button_list": [{"text": "好", "key": "a"}], "task_id": "t"}

    assert post(wechat, {"msgtype": "template_card", "template_card": NOTICE})["errcode"] == 0
    assert post(wechat, {"msgtype": "template_card", "template_card": asking})["errcode"] == 40035
    assert [bubble.text for bubble in wechat.room.chat()] == ["工单 0123"]


def test_an_uploaded_voice_can_be_sent(wechat: WeChat) -> None:
    url = wechat.staff_room.url.replace("/send", "/upload_media")
    sound = samples.voice("any")
    upload = {"files": {"media": ("a.amr", sound)}, "timeout": 5}
    answer = requests.post(f"{url}&type=voice", **upload).json()  # type: ignore[arg-type]

    assert post(wechat, {"msgtype": "voice", "voice": {"media_id": answer["media_id"]}})["errcode"] == 0
    assert wechat.room.chat()[0].media == sound
    assert requests.post(f"{url}&type=image", **upload).json()["errcode"] == 40004  # type: ignore[arg-type]
    assert post(wechat, {"msgtype": "voice", "voice": {"media_id": "unknown"}})["errcode"] == 40007


def test_what_is_no_message_is_refused(wechat: WeChat) -> None:
    assert post(wechat, {"msgtype": "video", "video": {}})["errcode"] == 40008


def test_the_key_is_kept_out_of_what_the_page_shows(wechat: WeChat) -> None:
    say(wechat)

    assert wechat.staff_room.url.rpartition("=")[2] not in repr(wechat.world.traffic.__dict__)
