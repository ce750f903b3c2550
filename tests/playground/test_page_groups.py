"""Groups, the staff's room and cards on the page: what a click asks for, and what the page is told."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from playground import samples
from playground.wechat import WeChat
from tests.playground.conftest import CAST, CREDENTIALS, Api, Browser, EchoBot, app_api, customer_service, opened
from tests.playground.smart_bot import SmartBot, stream
from tests.playground.test_aibot import CARD, CHAT
from tests.playground.test_cards import TICKET
from tests.playground.test_cards import send as send_card

GROUP = "阳光花园服务群"
PHOTO = samples.photo("bad-apple-1.jpg")


@pytest.fixture
def wechat(smart: SmartBot, bot: EchoBot) -> Iterator[WeChat]:
    cast = replace(CAST, groups={GROUP: (CHAT, ("张团长", "李团长"))})
    with opened(WeChat(CREDENTIALS, cast, poll_every=0.01), bot, smart) as wechat:
        yield wechat


def said(browser: Browser, **more: Any) -> requests.Response:
    body = {"person": GROUP, "member": "张团长", "at": True, "kind": "text", "text": "在吗", **more}
    return browser.post("send", body)


def told(browser: Browser, name: str) -> list[dict[str, Any]]:
    _, event = next(browser.events())
    return [bubble for bubble in event["bubbles"] if bubble["person"] == name]


def test_groups_and_the_room_are_among_the_phones(browser: Browser) -> None:
    people = {each["name"]: each for each in browser.get("api/scene").json()["people"]}

    assert (people[GROUP]["role"], people[GROUP]["members"]) == ("group", ["张团长", "李团长"])
    assert people["客服值班群"]["role"] == "room"
    assert people["王桂兰"]["members"] == []


def test_a_member_calls_the_bot_and_the_page_is_told_who_spoke(wechat: WeChat, browser: Browser) -> None:
    assert said(browser).status_code == 202
    wechat.group(GROUP).wait_for(lambda bubble: bubble.text == "好的")

    own, answer = told(browser, GROUP)
    assert (own["name"], own["text"]) == ("张团长", "@群答\u2005在吗")
    assert (answer["speaker"], answer["text"], answer["quote"]) == ("bot", "好的", "张团长：@群答\u2005在吗")


def test_what_does_not_call_the_bot_is_only_shown(browser: Browser, smart: SmartBot) -> None:
    said(browser, at=False, text="大家早")

    [bubble] = told(browser, GROUP)
    inside = browser.get(f"api/inside/{bubble['id']}")
    assert (bubble["text"], smart.heard) == ("大家早", [])
    assert "没有叫机器人" in inside.json()["problem"]


def test_inside_shows_what_the_bot_got_as_json(wechat: WeChat, browser: Browser) -> None:
    said(browser)
    wechat.group(GROUP).wait_for_change(wechat.group(GROUP).chat()[0], lambda bubble: bubble.state == "delivered")

    inside = browser.get(f"api/inside/{wechat.group(GROUP).chat()[0].id}").json()

    assert '"chatid": "wrkSFfCgAAxxxxxx"' in inside["document"]
    assert json.loads(inside["tries"][0]["opened"])["stream"]["content"] == "好的"


def test_a_photo_goes_to_the_group(wechat: WeChat, browser: Browser, smart: SmartBot) -> None:
    said(browser, kind="photo", content=base64.b64encode(PHOTO).decode(), name="苹果.jpg")
    wechat.group(GROUP).wait_for(lambda bubble: bubble.text == "好的")

    assert smart.heard[0]["msgtype"] == "mixed"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"member": "王桂兰"}, "先选一个群成员"),
        ({"kind": "location"}, "机器人收不到"),
        ({"text": " "}, "还没有写字"),
        ({"person": "客服值班群"}, "没有这个人"),
        ({"kind": "button", "bubble": 7, "key": "a"}, "卡片已经不在了"),
    ],
)
def test_a_mistake_in_a_group_is_told_in_words(
    browser: Browser, smart: SmartBot, body: dict[str, Any], words: str
) -> None:
    answer = said(browser, **body)

    assert answer.status_code == 422
    assert words in answer.json()["problem"]
    assert smart.heard == []


def test_a_card_in_a_group_is_tapped_by_the_member_chosen(wechat: WeChat, browser: Browser, smart: SmartBot) -> None:
    smart.answer = lambda heard: (
        {"msgtype": "template_card", "template_card": CARD}
        if heard["msgtype"] == "text"
        else {"response_type": "update_template_card", "userids": ["LiLeader"], "template_card": {**CARD, **DONE}}
    )
    said(browser)
    card = wechat.group(GROUP).wait_for(lambda bubble: bubble.card is not None)

    said(browser, kind="button", bubble=card.id, key="take:0123", member="李团长")
    wechat.group(GROUP).wait_for_change(card, lambda bubble: bool(bubble.own_cards))

    shown = next(bubble for bubble in told(browser, GROUP) if bubble["card"])
    assert [card["buttons"][0]["text"] for card in (shown["card"], shown["cards"]["李团长"])] == ["接单", "已接单"]
    again = said(browser, kind="button", bubble=card.id, key="take:0123", member="李团长")
    assert "不能点了" in again.json()["problem"]


DONE = {"button_list": [{"text": "已接单", "key": "taken:0123"}]}


def test_a_card_in_the_app_is_tapped_and_the_page_sees_it_change(
    wechat: WeChat, browser: Browser, bot: EchoBot, wecom: Api
) -> None:
    bot.answer = lambda fields: {"MsgType": "update_button", "Button": {"ReplaceName": "您已接单"}}
    send_card(wecom, TICKET)
    [card] = wechat.person("张团长").chat()

    answer = browser.post("send", {"person": "张团长", "kind": "button", "bubble": card.id, "key": "take:0123"})
    wechat.person("张团长").wait_for_change(card, lambda bubble: bubble.card is not None and bool(bubble.card.replaced))

    assert answer.status_code == 202
    shown, tapped = told(browser, "张团长")
    assert (shown["card"]["replaced"], tapped["text"]) == ("您已接单", "点了按钮：接单")


def test_what_the_webhook_sends_stands_in_the_room(wechat: WeChat, browser: Browser) -> None:
    requests.post(wechat.staff_room.url, json={"msgtype": "text", "text": {"content": "工单 0123 超时"}}, timeout=5)

    assert [bubble["text"] for bubble in told(browser, "客服值班群")] == ["工单 0123 超时"]


def test_a_stream_that_goes_on_is_told_as_it_grows(wechat: WeChat, browser: Browser, smart: SmartBot) -> None:
    parts = iter([stream("查", finish=False), stream("查到了")])
    smart.answer = lambda heard: next(parts)
    said(browser)
    wechat.group(GROUP).wait_for(lambda bubble: bubble.text == "查到了" and bubble.state == "delivered")

    assert [bubble["text"] for bubble in told(browser, GROUP) if bubble["speaker"] == "bot"] == ["查到了"]


def give(page: Page, number: int, name: str) -> Locator:
    page.get_by_label("这部手机是谁的").nth(number).select_option(name)
    return page.get_by_role("region", name=f"{name}的手机")


def test_members_take_turns_in_a_group_and_call_the_bot_or_not(demo: WeChat, page: Page, smart: SmartBot) -> None:
    phone = give(page, 0, GROUP)
    phone.get_by_label("写消息").fill("几点到货")
    phone.get_by_label("写消息").press("Enter")
    expect(phone.get_by_text("好的", exact=True)).to_be_visible()

    phone.get_by_label("群里谁在说话").select_option("小陈")
    phone.get_by_role("button", name="叫机器人").click()
    phone.get_by_label("写消息").fill("大家辛苦")
    phone.get_by_label("写消息").press("Enter")

    expect(phone.locator(".row.own").get_by_text("大家辛苦")).to_be_visible()
    expect(phone.locator(".said-by")).to_have_text("赵敏")
    assert [heard["from"]["userid"] for heard in smart.heard] == ["ZhaoMin"]


def test_the_link_into_private_opens_the_phone_of_whoever_taps_it(demo: WeChat, page: Page, smart: SmartBot) -> None:
    made = customer_service(demo).post("kf/add_contact_way", {"open_kfid": CREDENTIALS.open_kfid, "scene": "group"})
    smart.answer = lambda heard: stream(f"私下说：{made['url']}&scene_param=sunshine")
    group = page.get_by_role("region", name=f"{GROUP}的手机")
    group.get_by_label("写消息").fill("我的订单到哪了")
    group.get_by_label("写消息").press("Enter")

    group.get_by_role("button", name=made["url"]).click()

    expect(page.get_by_role("region", name="赵敏·客服的手机").get_by_text("从链接进来了")).to_be_visible()
    assert demo.kf.entries[-1].message["event"]["scene_param"] == "sunshine"


def test_staff_have_no_private_chat_to_be_led_into(demo: WeChat, smart: SmartBot) -> None:
    browser = Browser(demo.oa.server.url)
    said(browser, member="张团长")
    bubble = demo.group(GROUP).wait_for(lambda bubble: bubble.text == "好的")

    for member, why in (("张团长", "进不了微信客服"), ("赵敏", "链接已经不在了")):
        refused = browser.post("send", {"person": GROUP, "member": member, "kind": "open", "bubble": bubble.id})
        assert refused.status_code == 422
        assert why in refused.json()["problem"]


def test_a_card_is_tapped_from_the_keyboard_which_stays_on_it(demo: WeChat, page: Page, bot: EchoBot) -> None:
    bot.answer = lambda fields: {"MsgType": "update_button", "Button": {"ReplaceName": "您已接单"}}
    send_card(app_api(demo), TICKET)
    card = page.get_by_role("region", name="张团长的手机").get_by_role("group", name="卡片：工单 0123")

    card.get_by_role("button", name="接单").press("Enter")

    expect(card.get_by_text("您已接单")).to_be_visible()
    expect(card.get_by_role("button")).to_have_count(0)
    expect(card).to_be_focused()


def test_nobody_writes_into_the_room_of_alerts(demo: WeChat, page: Page) -> None:
    phone = give(page, 1, "客服值班群")
    requests.post(demo.staff_room.url, json={"msgtype": "text", "text": {"content": "工单 0123 超时"}}, timeout=5)

    expect(phone.get_by_text("工单 0123 超时")).to_be_visible()
    expect(phone.get_by_label("写消息")).to_be_hidden()
