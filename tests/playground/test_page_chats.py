"""What the page's chats offer and tell."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from playground.wechat import WeChat
from tests.playground.conftest import EchoBot


def test_a_ticket_that_the_bot_does_not_know_is_not_offered_again(demo: WeChat, page: Page, bot: EchoBot) -> None:
    leader = page.get_by_role("region", name="张团长的手机")
    quick = leader.get_by_role("group", name="快捷回复")
    bot.answer = lambda fields: "工单 0123 归您了。"
    demo.person("张团长").send("接单 0123")
    expect(quick.get_by_role("button", name="看 0123")).to_be_visible()

    bot.answer = lambda fields: "没有找到工单 9999。发“工单”看您手上的。"
    demo.person("张团长").send("看 9999")

    expect(leader.get_by_text("没有找到工单 9999")).to_be_visible()
    expect(quick.get_by_role("button", name="看 0123")).to_be_visible()
    expect(quick.get_by_role("button", name="看 9999")).to_have_count(0)


def test_whoever_watches_is_told_why_the_chats_are_empty_after_a_new_start(demo: WeChat, page: Page) -> None:
    phone = page.get_by_role("region", name="王桂兰的手机")
    demo.person("王桂兰").send("在吗")
    expect(phone.get_by_text("在吗")).to_have_count(2)

    demo.oa.server.refuse()
    expect(page.get_by_text("正在重连")).to_be_visible()
    demo.world.clear()
    demo.oa.server.accept()

    expect(page.get_by_text("演示程序重新启动了")).to_be_visible(timeout=15_000)
    expect(phone.get_by_text("在吗")).to_have_count(0)
