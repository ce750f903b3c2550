"""Cards in the staff's app, and the staff's own group, against the playground's servers."""

from __future__ import annotations

from contextlib import suppress

import pytest

from bot.channels.channel import Outgoing
from bot.channels.client import Transport
from bot.channels.group_webhook import GroupWebhook
from bot.channels.wecom_app import WecomApp
from bot.errors import OverRate, PlatformError, PlatformUnreachable
from config.channels import GroupWebhookConfig
from tests.bot.conftest import CREDENTIALS, LEADER

CARD = {
    "title": "【工单 0001】P1 优先",
    "description": "阳光花园 王**",
    "text": "原因：苹果烂了",
    "buttons": [["同意 0001", "同意"], ["拒绝 0001", "拒绝"]],
    "task": "ticket-1-2-3",
}


def key(number: int) -> str:
    return f"{number:032d}"


def card(**changes) -> Outgoing:
    return Outgoing("card", text="【工单 0001】说成文字", data={"card": {**CARD, **changes}}, key=key(1))


@pytest.fixture
def app(channels) -> WecomApp:
    return channels["app"]


def screen(wechat, name: str = "zhang") -> list:
    return [bubble for bubble in wechat.person(name).chat() if bubble.speaker == "bot"]


def test_a_film_is_shown_to_staff(app: WecomApp, wechat) -> None:
    film = b"\x00\x00\x00\x18ftypmp42" + bytes(300)
    app.send(LEADER, Outgoing("video", content=film, content_type="video/mp4", key=key(1)))
    assert [(bubble.kind, bubble.media) for bubble in screen(wechat)] == [("video", film)]


def test_a_card_is_shown_with_its_buttons_and_can_be_changed_once(app: WecomApp, wechat) -> None:
    wechat.wecom.wire.url = "http://127.0.0.1:9/callback/app"
    receipt = app.send(LEADER, card())
    assert receipt
    (shown,) = screen(wechat)
    assert [button.text for button in shown.card.buttons] == ["同意", "拒绝"]
    change = Outgoing("card_update", data={"code": receipt["response_code"], "card": {**CARD, "replaced": "同意了"}})
    app.send(LEADER, change)
    assert screen(wechat)[0].card.replaced == "同意了"


def test_a_card_that_was_changed_already_stays_and_nobody_is_alarmed(app: WecomApp, wechat) -> None:
    wechat.wecom.wire.url = "http://127.0.0.1:9/callback/app"
    receipt = app.send(LEADER, card())
    assert receipt
    change = Outgoing("card_update", data={"code": receipt["response_code"], "card": {**CARD, "replaced": "同意了"}})
    app.send(LEADER, change)
    app.send(LEADER, change)
    assert screen(wechat)[0].card.replaced == "同意了"


def test_a_card_that_the_platform_refuses_goes_out_as_words(app: WecomApp, wechat) -> None:
    assert app.send(LEADER, card(buttons=[[f"{n}", "好"] for n in range(7)])) is None
    assert [bubble.text for bubble in screen(wechat)] == ["【工单 0001】说成文字"]


def test_a_card_whose_answer_was_lost_is_not_shown_twice(app: WecomApp, wechat) -> None:
    wechat.wecom.wire.url = "http://127.0.0.1:9/callback/app"
    app.send(LEADER, card())
    assert app.send(LEADER, card()) is None
    assert len(screen(wechat)) == 1


def test_nothing_is_dropped_when_a_member_gets_more_than_a_minute_allows(app: WecomApp, wechat, clock) -> None:
    for number in range(30):
        app.send(LEADER, Outgoing("text", text=f"第{number}条", key=key(number)))
    with pytest.raises(OverRate) as caught:
        app.send(LEADER, Outgoing("text", text="第30条", key=key(30)))
    assert 0 < caught.value.seconds <= 62
    clock.advance(seconds=caught.value.seconds + 1)
    app.send(LEADER, Outgoing("text", text="第30条", key=key(30)))
    assert (len(screen(wechat)), wechat.wecom.dropped) == (31, 0)


@pytest.fixture
def room(wechat, redis_connection, clock) -> GroupWebhook:
    return GroupWebhook(GroupWebhookConfig("staff-room", wechat.staff_room.url), redis_connection, clock)


def test_an_alert_mentions_who_is_to_look(room: GroupWebhook, wechat) -> None:
    room.send("room", Outgoing("text", text="工单 0001 P0 紧急", data={"mentions": [LEADER]}, key=key(1)))
    (shown,) = wechat.room.chat()
    assert "工单 0001 P0 紧急" in shown.text
    assert "@zhang" in shown.text


def test_the_group_takes_twenty_a_minute_and_the_rest_waits(room: GroupWebhook, wechat) -> None:
    for number in range(20):
        room.send("room", Outgoing("text", text=f"第{number}条", key=key(number)))
    with pytest.raises(OverRate):
        room.send("room", Outgoing("text", text="第20条", key=key(20)))
    assert len(wechat.room.chat()) == 20


def test_the_key_of_the_group_is_in_no_error(room: GroupWebhook, wechat) -> None:
    wechat.wecom.faults.answer(93000, to="webhook/send")
    with pytest.raises(PlatformError) as refused:
        room.send("room", Outgoing("text", text="在吗", key=key(1)))
    wechat.wecom.server.refuse()
    with pytest.raises(PlatformUnreachable) as unreachable:
        room.send("room", Outgoing("text", text="在吗", key=key(2)))
    said = f"{refused.value!r} {unreachable.value!r} {unreachable.value.__cause__!r}"
    assert CREDENTIALS.room_key not in said


def test_nothing_is_dropped_at_the_minutes_edge(app: WecomApp, wechat, clock, monkeypatch: pytest.MonkeyPatch) -> None:
    call = Transport.call

    def slow(*arguments, **named):
        clock.advance(seconds=0.5)
        return call(*arguments, **named)

    with monkeypatch.context() as first:
        first.setattr(Transport, "call", slow)  # it leaves now and arrives a little later
        app.send(LEADER, Outgoing("text", text="第0条", key=key(0)))
    for number in range(1, 30):
        app.send(LEADER, Outgoing("text", text=f"第{number}条", key=key(number)))
    clock.advance(seconds=59.2)
    with suppress(OverRate):
        app.send(LEADER, Outgoing("text", text="第30条", key=key(30)))
    assert wechat.wecom.dropped == 0
