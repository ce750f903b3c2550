"""Entries of the message list as the platform gives them, and what each means."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.channels.kf_message import message_of
from bot.events import DELIVERY_FAILED, ENTERED, PERSON_SPOKE, RECALLED, SESSION_CHANGED
from bot.message import Media, Message

FIXTURES = Path(__file__).parents[1] / "fixtures" / "wecom_kf"
ACCOUNT = "wmREDACTED0000000000000001"
BEGAN = 1763712000  # the recordings were made in the seconds after this
NOW = datetime.fromtimestamp(BEGAN + 3600, UTC)
MEDIA = "2iSLeVyqzk4eX0IB5kTi9Ljfa2rt9dwfq5WKRQ4Nvvg"
SAID_IN_GROUP = "群聊的聊天记录\n小李：苹果有几个坏的"


def recorded(second: int, key: str, kind: Any, **fields: Any) -> Message:
    sent_at = datetime.fromtimestamp(BEGAN + second, UTC)
    return Message("kf", ACCOUNT, f"4ZvHFBkCx1REDACTED{key}", kind, sent_at, **fields)


def event(second: int, msgid: str, name: str, /, *, reply_code: str = "", **extra: str) -> Message:
    return recorded(second, msgid, "event", event=name, reply_code=reply_code, extra=extra)


# None: it concerns no conversation, or nothing follows from it.
MEANINGS: dict[str, Message | None] = {
    "text": recorded(1, "text0000000001", "text", text="退款多久到账？"),
    "menu-tap": recorded(2, "tap00000000002", "text", text="我的订单到哪了", choice="ask:order"),
    "image": recorded(3, "image000000003", "image", media=Media("image", f"{MEDIA}w")),
    "voice": recorded(4, "voice000000004", "voice", media=Media("voice", f"{MEDIA}v", "amr")),
    "video": recorded(5, "video000000005", "video", media=Media("video", f"{MEDIA}d")),
    "file": recorded(6, "file0000000006", "file", media=Media("file", f"{MEDIA}f")),
    "location": recorded(7, "location000007", "location", text="阳光花园东门 海珠区一路 1 号"),
    "link": recorded(8, "link0000000008", "link", text="今天的团购"),
    "business-card": recorded(9, "card0000000009", "other"),
    "miniprogram": recorded(10, "mini0000000010", "other", text="我的订单"),
    "shop-order": recorded(11, "order000000011", "other", text="红富士苹果 5斤装 3700000000000000011"),
    "merged": recorded(12, "merged00000012", "other", text=SAID_IN_GROUP),
    "enter-session": event(
        13, "enter000000013", ENTERED, reply_code="REDACTED-welcome-code", scene="group", scene_param="sunshine"
    ),
    "send-fail": event(
        14, "fail0000000014", DELIVERY_FAILED, key="0123456789abcdef0123456789abcdef", code="person_refuses"
    ),
    "servicer-status": None,
    "session-taken": event(16, "taken000000016", SESSION_CHANGED, who="person", staff="LeaderRedacted"),
    "session-transferred": event(17, "trans000000017", SESSION_CHANGED, who="person", staff="AgentRedacted"),
    "session-ended": event(
        18, "ended000000018", SESSION_CHANGED, reply_code="REDACTED-end-code", who="ended", staff="AgentRedacted"
    ),
    "session-again": event(19, "again000000019", SESSION_CHANGED, who="person", staff="AgentRedacted"),
    "user-recall": event(20, "recall00000020", RECALLED, message="4ZvHFBkCx1REDACTEDtext0000000001"),
    "servicer-recall": event(21, "recall00000021", RECALLED, message="4ZvHFBkCx1REDACTEDsaid0000000022"),
    "servicer-text": event(
        22, "said0000000022", PERSON_SPOKE, staff="AgentRedacted", kind="text", text="您好，我来帮您看看"
    ),
    "reject-switch": None,
}


def test_every_recording_has_its_meaning_written_down() -> None:
    assert {file.stem for file in FIXTURES.glob("*.json")} == set(MEANINGS)


@pytest.mark.parametrize("name", MEANINGS)
def test_a_recorded_entry_means_what_it_says(name: str) -> None:
    entry = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    assert message_of("kf", entry, NOW) == MEANINGS[name]


@pytest.mark.parametrize(
    "entry",
    [
        None,
        [],
        {},
        {"origin": 3, "msgtype": "text", "text": {"content": "没有人"}},
        {"origin": 3, "external_userid": "w" * 200, "msgtype": "text", "text": {"content": "太长"}},
        {"origin": 4, "msgtype": "event", "event": "no object"},
        {"origin": 4, "msgtype": "event", "event": {"event_type": "brand_new", "external_userid": "wm1"}},
        {"origin": 9, "external_userid": "wm1", "msgtype": "text", "text": {"content": "谁说的"}},
    ],
)
def test_what_cannot_be_read_is_passed_over_and_stops_nothing(entry: object) -> None:
    assert message_of("kf", entry, NOW) is None


def test_an_entry_without_a_time_or_an_id_is_taken_all_the_same() -> None:
    entry = {"origin": 3, "external_userid": "wm1", "msgtype": "text", "text": {"content": "在吗"}}
    first, again = message_of("kf", entry, NOW), message_of("kf", dict(entry), NOW)
    assert first is not None
    assert (first.sent_at, first.text) == (NOW, "在吗")
    assert first == again


def test_a_type_nobody_has_heard_of_becomes_a_message_that_is_answered() -> None:
    entry = {"origin": 3, "msgid": "m1", "external_userid": "wm1", "send_time": BEGAN, "msgtype": "hologram"}
    message = message_of("kf", entry, NOW)
    assert message is not None
    assert message.kind == "other"
