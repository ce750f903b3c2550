"""Residents' chats with the customer service on the page."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from playground.page.performance import Performance
from playground.wechat import WeChat
from tests.playground.conftest import CREDENTIALS, Api, Browser, EchoBot, customer_service, settled

WANG = "王桂兰·客服"
MENU = {
    "head_content": "这次服务您满意吗？",
    "list": [
        {"type": "click", "click": {"id": "rate-5", "content": "满意"}},
        {"type": "click", "click": {"id": "rate-1", "content": "不满意"}},
        {"type": "view", "view": {"url": "https://example.com", "content": "看看说明"}},
    ],
    "tail_content": "谢谢您",
}


def offer_menu(kf: Api, account: str = "wmWang") -> None:
    body = {"touser": account, "open_kfid": CREDENTIALS.open_kfid, "msgtype": "msgmenu", "msgmenu": MENU}
    assert kf.post("kf/send_msg", body)["errcode"] == 0


def test_a_resident_has_a_second_phone_for_the_customer_service(browser: Browser) -> None:
    people = {each["name"]: each["door"] for each in browser.get("api/scene").json()["people"]}

    assert (people["王桂兰"], people[WANG], people["张团长"]) == ("oa", "kf", "app")


def test_she_comes_in_by_her_communitys_link(wechat: WeChat, browser: Browser) -> None:
    assert browser.send(person=WANG, kind="enter").status_code == 202
    settled(wechat, WANG)

    event = wechat.kf.entries[0].message["event"]
    assert (event["event_type"], event["scene_param"]) == ("enter_session", "sunshine")


def test_a_line_of_a_menu_is_tapped_and_a_missing_one_refused(wechat: WeChat, browser: Browser, kf: Api) -> None:
    wechat.customer("王桂兰").send("在吗")
    offer_menu(kf)
    bubble = wechat.customer("王桂兰").chat()[-1]

    missing = browser.post("send", {"person": WANG, "kind": "menu", "bubble": bubble.id, "key": "rate-9"})
    tapped = browser.post("send", {"person": WANG, "kind": "menu", "bubble": bubble.id, "key": "rate-1"})
    settled(wechat, WANG)

    assert (missing.status_code, tapped.status_code) == (422, 202)
    assert wechat.kf.entries[-1].message["text"] == {"content": "不满意", "menu_id": "rate-1"}


def test_inside_shows_the_callback_and_the_message_that_it_led_to(wechat: WeChat, browser: Browser) -> None:
    browser.send(person=WANG, kind="text", text="在吗")
    number = settled(wechat, WANG)

    told = browser.get(f"api/inside/{number}").json()

    assert "kf_msg_or_event" in told["document"]
    assert '"content": "在吗"' in told["document"]
    assert CREDENTIALS.kf_secret not in str(told)


def test_a_scenario_can_be_played_with_the_resident_at_the_customer_service(wechat: WeChat, bot: EchoBot) -> None:
    performance = Performance(wechat)
    performance.start("01-greeting", pause=0, door="kf")

    assert wechat.world.wait_until(lambda: bool(wechat.kf.entries))
    performance.stop()
    assert (performance.status or {})["cast"][0].endswith("·客服")


def test_menus_and_words_written_by_hand_are_on_the_phone(demo: WeChat, page: Page) -> None:
    person, kf = demo.customer("王桂兰"), customer_service(demo)
    page.get_by_label("这部手机是谁的").first.select_option(WANG)
    phone = page.get_by_role("region", name=f"{WANG}的手机")
    phone.get_by_role("button", name="从群里的链接进来").click()
    expect(phone.get_by_text("从社区群里的链接进来了")).to_be_visible()
    person.send("在吗")
    offer_menu(kf, person.account)

    menu = phone.get_by_role("group", name="这次服务您满意吗？")
    expect(menu.get_by_text("谢谢您")).to_be_visible()
    menu.get_by_role("button", name="不满意").press("Enter")
    expect(phone.locator(".row.own").filter(has_text="不满意")).to_be_visible()
    body = {"open_kfid": CREDENTIALS.open_kfid, "external_userid": person.account, "service_state": 3}
    kf.post("kf/service_state/trans", {**body, "servicer_userid": "ZhangLeader"})
    demo.kf.servicer("ZhangLeader").say(person.account, "我是张团长")

    expect(phone.get_by_text("我是张团长")).to_be_visible()
    assert demo.kf.entries[-2].message["text"]["menu_id"] == "rate-1"
    expect(page.get_by_label("居民用")).to_be_visible()
