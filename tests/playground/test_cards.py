"""Template cards in the staff's app: sent, tapped, and changed."""

from __future__ import annotations

from typing import Any

import pytest

from playground.platform.cards import Card
from playground.wechat import WeChat
from playground.world import Bubble
from tests.playground.conftest import CREDENTIALS, Api, EchoBot

TICKET: dict[str, Any] = {
    "card_type": "button_interaction",
    "source": {"desc": "群答"},
    "main_title": {"title": "工单 0123", "desc": "王桂兰 苹果坏了"},
    "horizontal_content_list": [{"keyname": "退款", "value": "11.40 元"}],
    "button_list": [{"text": "接单", "key": "take:0123"}, {"text": "同意", "style": 2, "key": "agree:0123"}],
    "task_id": "ticket-0123@1",
}
NOTICE: dict[str, Any] = {
    "card_type": "text_notice",
    "main_title": {"title": "工单 0123 已解决"},
    "sub_title_text": "吴主管已处理。",
    "card_action": {"type": 1, "url": "https://example.com/desk"},
}


def send(api: Api, card: Any, to: str = "ZhangLeader", **more: Any) -> dict[str, Any]:
    body = {"touser": to, "agentid": CREDENTIALS.agent_id, "msgtype": "template_card", "template_card": card, **more}
    return api.post("message/send", body)


def update(api: Api, code: str, **what: Any) -> dict[str, Any]:
    body = {"agentid": CREDENTIALS.agent_id, "response_code": code, "userids": ["ZhangLeader"], **what}
    return api.post("message/update_template_card", body)


def last(wechat: WeChat, name: str = "张团长") -> Bubble:
    return [bubble for bubble in wechat.person(name).chat() if bubble.speaker == "bot"][-1]


def card_of(wechat: WeChat, name: str = "张团长") -> Card:
    card = last(wechat, name).card
    assert card is not None
    return card


def done(name: str) -> dict[str, Any]:
    return {"button": {"replace_name": name}}


def test_a_card_shows_its_words_and_its_buttons(wechat: WeChat, wecom: Api) -> None:
    answer = send(wecom, TICKET)

    assert (answer["errcode"], bool(answer["response_code"])) == (0, True)
    assert (last(wechat).kind, last(wechat).text) == ("template_card", "工单 0123\n王桂兰 苹果坏了\n退款：11.40 元")
    assert [(button.key, button.text, button.style) for button in card_of(wechat).buttons] == [
        ("take:0123", "接单", 1),
        ("agree:0123", "同意", 2),
    ]


def test_a_notice_without_actions_gives_no_code(wechat: WeChat, wecom: Api) -> None:
    answer = send(wecom, NOTICE)

    assert (answer["errcode"], "response_code" in answer) == (0, False)
    assert card_of(wechat).url == "https://example.com/desk"


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        ({"task_id": ""}, 42014),
        ({"task_id": "工单"}, 42014),
        ({"task_id": "x" * 129}, 42014),
        ({"button_list": [{"text": "好", "key": str(number)} for number in range(7)]}, 40016),
        ({"button_list": []}, 40016),
        ({"button_list": [{"text": "好", "key": "x" * 1025}]}, 42018),
        ({"button_list": [{"text": "好", "key": "a"}, {"text": "坏", "key": "a"}]}, 42018),
        ({"button_list": [{"text": "好"}]}, 42019),
        ({"button_list": [{"key": "a"}]}, 42020),
        ({"main_title": {}}, 40035),
        ({"card_type": "cloud"}, 40035),
        ({"card_type": "text_notice"}, 40035),
        ({"horizontal_content_list": [{"keyname": "行"}] * 7}, 40035),
        ({"horizontal_content_list": [{"value": "无名"}]}, 40035),
    ],
)
def test_a_card_outside_the_documented_limits_is_refused(
    wechat: WeChat, wecom: Api, changes: dict[str, Any], errcode: int
) -> None:
    assert send(wecom, {**TICKET, **changes})["errcode"] == errcode
    assert wechat.person("张团长").chat() == []


def test_the_limits_themselves_are_allowed(wecom: Api) -> None:
    buttons = [{"text": "好", "key": f"{number}" + "x" * 1023} for number in range(6)]

    assert send(wecom, {**TICKET, "button_list": buttons, "task_id": "x" * 128})["errcode"] == 0


def test_a_task_id_is_used_once(wechat: WeChat, wecom: Api) -> None:
    send(wecom, TICKET)

    assert send(wecom, TICKET, to="LiLeader")["errcode"] == 42014
    assert send(wecom, {**TICKET, "task_id": "ticket-0123@2"}, to="LiLeader")["errcode"] == 0


def test_a_card_that_calls_back_needs_an_address_to_call(wechat: WeChat, wecom: Api) -> None:
    wechat.wecom.wire.url = ""

    assert send(wecom, TICKET)["errcode"] == 43012
    assert send(wecom, NOTICE)["errcode"] == 0


def test_a_tap_tells_the_bot_which_button_of_which_card(wechat: WeChat, wecom: Api, bot: EchoBot) -> None:
    bot.answer = lambda fields: ""
    send(wecom, TICKET)

    delivery = wechat.person("张团长").tap_button(last(wechat), "agree:0123")

    heard = bot.heard[0]
    assert (delivery.accepted, heard["Event"], heard["EventKey"]) == (True, "template_card_event", "agree:0123")
    assert (heard["TaskId"], heard["CardType"], heard["FromUserName"], heard["AgentID"]) == (
        "ticket-0123@1",
        "button_interaction",
        "ZhangLeader",
        str(CREDENTIALS.agent_id),
    )
    assert heard["ResponseCode"]
    assert card_of(wechat).replaced == ""


def test_an_action_in_the_corner_is_a_menu_event(wechat: WeChat, wecom: Api, bot: EchoBot) -> None:
    bot.answer = lambda fields: ""
    menu = {"desc": "更多", "action_list": [{"text": "不再提醒", "key": "mute"}]}
    send(wecom, {**NOTICE, "action_menu": menu, "task_id": "notice-1"})

    wechat.person("张团长").tap_button(last(wechat), "mute")

    assert (bot.heard[0]["Event"], bot.heard[0]["CardType"]) == ("template_card_menu_event", "text_notice")


def test_a_button_that_is_not_there_cannot_be_tapped(wechat: WeChat, wecom: Api, bot: EchoBot) -> None:
    send(wecom, TICKET)

    with pytest.raises(ValueError, match="nothing to tap"):
        wechat.person("张团长").tap_button(last(wechat), "refuse:0123")
    assert bot.heard == []


def test_the_answer_to_a_tap_greys_the_buttons_of_the_one_who_tapped(wechat: WeChat, wecom: Api, bot: EchoBot) -> None:
    bot.answer = lambda fields: {"MsgType": "update_button", "Button": {"ReplaceName": "您已接单"}}
    send(wecom, TICKET, to="ZhangLeader|LiLeader")

    wechat.person("张团长").tap_button(last(wechat), "take:0123")

    assert (card_of(wechat, "张团长").replaced, card_of(wechat, "李团长").replaced) == ("您已接单", "")
    with pytest.raises(ValueError, match="nothing to tap"):
        wechat.person("张团长").tap_button(last(wechat), "agree:0123")


def test_the_answer_to_a_tap_may_be_a_whole_card(wechat: WeChat, wecom: Api, bot: EchoBot) -> None:
    card: dict[str, Any] = {
        "CardType": "button_interaction",
        "MainTitle": {"Title": "工单 0123", "Desc": "张团长处理中"},
        "HorizontalContentList": [{"KeyName": "退款", "Value": "11.40 元"}],
        "ButtonList": [{"Text": "解决", "Key": "solve:0123"}, {"Text": "转给", "Key": "pass:0123"}],
    }
    bot.answer = lambda fields: {"MsgType": "update_template_card", "TemplateCard": card}
    send(wecom, TICKET)

    wechat.person("张团长").tap_button(last(wechat), "take:0123")

    assert last(wechat).text == "工单 0123\n张团长处理中\n退款：11.40 元"
    wechat.person("张团长").tap_button(last(wechat), "solve:0123")
    assert (bot.heard[1]["EventKey"], bot.heard[1]["TaskId"]) == ("solve:0123", "ticket-0123@1")


def test_an_answer_that_is_no_card_changes_nothing_and_is_not_accepted(
    wechat: WeChat, wecom: Api, bot: EchoBot
) -> None:
    bot.answer = lambda fields: {"MsgType": "update_template_card", "TemplateCard": {"CardType": "cloud"}}
    send(wecom, TICKET)

    delivery = wechat.person("张团长").tap_button(last(wechat), "take:0123")

    assert delivery.accepted is False
    assert card_of(wechat).title == "工单 0123"


def test_two_taps_in_one_second_are_two_events(wechat: WeChat, wecom: Api, bot: EchoBot) -> None:
    bot.answer = lambda fields: "收到"
    send(wecom, TICKET)
    card = last(wechat)
    for _ in range(2):
        wechat.person("张团长").tap_button(card, "take:0123")

    codes = {heard["ResponseCode"] for heard in bot.heard}
    assert len(codes) == 2
    said = [bubble.text for bubble in wechat.person("张团长").chat()[1:]]
    assert said == ["点了按钮：接单", "收到", "点了按钮：接单", "收到"]


def test_the_code_of_the_sending_changes_the_card_once(wechat: WeChat, wecom: Api) -> None:
    code = send(wecom, TICKET)["response_code"]

    assert update(wecom, code, **done("已接单"))["errcode"] == 0
    assert update(wecom, code, **done("又来"))["errcode"] == 42022
    assert card_of(wechat).replaced == "已接单"


def test_the_code_of_a_tap_changes_everybodys_card(wechat: WeChat, wecom: Api, bot: EchoBot) -> None:
    bot.answer = lambda fields: ""
    send(wecom, TICKET, to="ZhangLeader|LiLeader")
    wechat.person("李团长").tap_button(last(wechat, "李团长"), "take:0123")

    answer = update(wecom, bot.heard[0]["ResponseCode"], userids=[], atall=1, **done("李团长已接单"))

    assert answer == {"errcode": 0, "errmsg": "ok", "invaliduser": []}
    assert {card_of(wechat, name).replaced for name in ("张团长", "李团长")} == {"李团长已接单"}


def test_a_code_lives_for_72_hours(wechat: WeChat, wecom: Api) -> None:
    code = send(wecom, TICKET)["response_code"]
    wechat.clock.advance(hours=72)
    wecom.token = wecom.get("gettoken", corpid=CREDENTIALS.corp_id, corpsecret=CREDENTIALS.app_secret)["access_token"]

    assert update(wecom, code, **done("太晚"))["errcode"] == 40035
    assert update(wecom, "made-up", **done("哪来的"))["errcode"] == 40035


def test_a_card_can_be_replaced_by_another_kind(wechat: WeChat, wecom: Api) -> None:
    code = send(wecom, TICKET)["response_code"]

    answer = update(wecom, code, template_card=NOTICE, userids=["ZhangLeader", "Nobody"])

    assert answer["invaliduser"] == ["Nobody"]
    assert (last(wechat).text, card_of(wechat).kind) == ("工单 0123 已解决\n吴主管已处理。", "text_notice")


def test_a_refused_update_does_not_cost_the_code(wechat: WeChat, wecom: Api) -> None:
    code = send(wecom, TICKET)["response_code"]

    assert update(wecom, code, button={})["errcode"] == 42020
    assert update(wecom, code, agentid=7, **done("别的应用"))["errcode"] == 40056
    assert update(wecom, code, userids=[], **done("没有人"))["errcode"] == 40035
    assert update(wecom, code, **done("好了"))["errcode"] == 0


def test_a_card_beyond_thirty_messages_a_minute_is_never_seen(wechat: WeChat, wecom: Api) -> None:
    for number in range(30):
        text = {"touser": "ZhangLeader", "agentid": CREDENTIALS.agent_id, "msgtype": "text"}
        wecom.post("message/send", {**text, "text": {"content": str(number)}})

    answer = send(wecom, TICKET, to="ZhangLeader|LiLeader")

    assert update(wecom, answer["response_code"], userids=[], atall=1, **done("好了"))["errcode"] == 0
    assert (last(wechat).text, card_of(wechat, "李团长").replaced) == ("29", "好了")
