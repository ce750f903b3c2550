"""The playground's page in a real browser, with the whole bot behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    FilePayload,
    Locator,
    Page,
    ViewportSize,
    expect,
)

from playground import samples
from playground.page.routes import page_routes
from playground.stage import Stage
from tests.chromium import chromium_browser

AXE = Path(__file__).parents[1] / "vendor/axe.min.js"
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 375, "height": 812}
PATIENCE = 20_000  # milliseconds for one thing to appear
WATCH_SHIFTS = """
    window.shifted = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.shifted += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
"""

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A whole bot whose playground has a page."""
    stage = Stage(tmp_path_factory.mktemp("page"))
    stage.wechat.oa.app.register_blueprint(page_routes(stage.wechat))
    with stage:
        yield stage


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_browser() as browser:
        yield browser


@pytest.fixture
def context(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A window without memory, of the size that the test asks for by a mark."""
    size = getattr(request, "param", DESKTOP)
    opened = chromium.new_context(viewport=size, has_touch=size is PHONE, locale="zh-CN")
    opened.set_default_timeout(PATIENCE)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext, shown: Stage) -> Iterator[Page]:
    """The page, freshly emptied; whatever the browser complains of fails the test."""
    shown.wechat.inspection.forget()
    shown.wechat.reset()
    complaints: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.add_init_script(WATCH_SHIFTS)
    page.goto(f"{shown.bot_url}/playground/")
    expect(page.get_by_role("group", name="快捷回复").first).to_be_attached()
    yield page
    refusals = [words for words in complaints if "422" not in words]  # the browser notes each mistake of ours
    assert refusals == []


on_a_phone = pytest.mark.parametrize("context", [PHONE], indirect=True, ids=["375 pixels"])
on_both = pytest.mark.parametrize("context", [PHONE, DESKTOP], indirect=True, ids=["375 pixels", "1440 pixels"])


def phone(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=f"{name}的手机")


def turn_to(page: Page, name: str) -> Locator:
    page.get_by_role("navigation").get_by_role("button", name=name).click()
    return phone(page, name)


def say(whose: Locator, words: str) -> None:
    whose.get_by_label("写消息").fill(words)
    whose.get_by_label("写消息").press("Enter")


def tap(whose: Locator, words: str) -> None:
    whose.get_by_role("group", name="快捷回复").get_by_role("button", name=words).click()


def heard(whose: Locator, words: str) -> Locator:
    """The last thing that the bot said with these words in it."""
    said = whose.get_by_role("log").locator(".row:not(.own)").filter(has_text=words).last
    expect(said).to_be_visible()
    return said


def files(*names: str) -> list[FilePayload]:
    return [{"name": name, "mimeType": "image/jpeg", "buffer": samples.photo(name)} for name in names]


@on_a_phone
def test_a_claim_goes_from_its_first_word_to_the_leaders_decision_on_a_phone(page: Page) -> None:
    resident = turn_to(page, "王桂兰")
    say(resident, "刚拿回来的苹果烂了一半")
    heard(resident, "照片")
    resident.get_by_role("button", name="照片和更多").click()
    resident.locator(".album").set_input_files(files("bad-apple-1.jpg", "bad-apple-2.jpg"))
    expect(resident.get_by_role("log").get_by_role("img", name="已送达")).to_have_count(3)
    heard(resident, "照片收到了")
    tap(resident, "好了")
    heard(resident, "1. 退款")
    tap(resident, "1. 退款")
    heard(resident, "工单")

    leader = turn_to(page, "张团长")
    card = heard(leader, "【工单")
    expect(leader.get_by_role("log").get_by_role("img", name="照片")).to_have_count(2)
    card.get_by_role("button", name="同意").click()
    heard(leader, "已记下同意")

    heard(turn_to(page, "王桂兰"), "同意")
    page.get_by_role("navigation").get_by_role("button", name="机器人").click()
    panel = page.get_by_role("complementary")
    expect(panel).to_contain_text("staff:approve")
    expect(panel).to_contain_text("approved")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_a_hand_off_is_taken_answered_and_settled_on_a_desktop(page: Page) -> None:
    resident, leader = phone(page, "刘建国"), phone(page, "张团长")
    say(resident, "我要找人工")
    heard(resident, "工单")
    heard(leader, "【工单").get_by_role("button", name="接单").click()
    heard(leader, "归您了")
    tap(leader, "回复")
    expect(leader.get_by_label("写消息")).to_be_focused()
    leader.get_by_label("写消息").press_sequentially("东西给您放门口了")
    leader.get_by_label("写消息").press("Enter")
    heard(resident, "张团长：东西给您放门口了")
    tap(leader, "解决")
    heard(resident, "满意")
    tap(resident, "解决了")
    heard(resident, "办结")

    page.reload()
    heard(phone(page, "刘建国"), "办结")


def test_the_panel_shows_what_was_understood_received_and_written(page: Page, shown: Stage) -> None:
    say(phone(page, "刘建国"), "退款多久到账")

    panel = page.get_by_role("complementary")
    expect(panel).to_contain_text("refund-arrival")
    expect(panel).to_contain_text("直接回答")
    expect(panel).to_contain_text("<Content><![CDATA[退款多久到账]]></Content>")
    expect(panel).to_contain_text("faq:refund-arrival")
    panel.get_by_text("收到时的样子").click()
    expect(panel).to_contain_text("msg_signature=")
    tokens = json.loads((shown.data_dir / "playground/secrets.json").read_text())
    text = page.content()
    assert not [name for name, value in tokens.items() if name.endswith(("secret", "token", "key")) and value in text]


def test_a_scenario_is_played_before_the_eyes(page: Page) -> None:
    page.get_by_label("剧本").select_option("07-leader-decides")
    page.get_by_role("button", name="慢慢演").click()
    expect(phone(page, "谢婷")).to_be_visible()
    expect(phone(page, "李团长")).to_be_visible()
    page.get_by_role("button", name="停").click()
    expect(page.get_by_role("status")).to_have_text("停下了。")
    page.get_by_label("剧本").select_option("02-routine-questions")
    page.get_by_role("button", name="慢慢演").click()
    expect(page.get_by_role("status")).to_contain_text("演完了")


def test_the_reset_empties_phones_and_records_when_it_is_confirmed(page: Page) -> None:
    resident = phone(page, "刘建国")
    say(resident, "转人工")
    heard(resident, "工单")
    page.get_by_role("button", name="从头来").click()
    page.get_by_role("button", name="不了").click()
    heard(resident, "工单")
    page.get_by_role("button", name="从头来").click()
    page.get_by_role("button", name="清空，从头来").click()
    expect(page.get_by_role("status")).to_contain_text("都清空了")
    expect(resident.locator(".row")).to_have_count(0)
    say(resident, "我的工单")
    heard(resident, "还没有工单")


def test_what_is_wrong_is_told_in_words_where_it_happened(page: Page) -> None:
    whose = phone(page, "刘建国")
    trouble = whose.get_by_role("alert")
    say(whose, "  ")
    expect(trouble).to_contain_text("还没有写字")
    big: FilePayload = {"name": "大.jpg", "mimeType": "image/jpeg", "buffer": bytes(11 * 1024 * 1024)}
    note: FilePayload = {"name": "说明.txt", "mimeType": "text/plain", "buffer": b"hello world"}
    whose.locator(".album").set_input_files([big, note])
    expect(trouble).to_contain_text("“大.jpg”有 11.0 MB")
    expect(trouble).to_contain_text("“说明.txt”不是照片")
    fake: FilePayload = {"name": "假.jpg", "mimeType": "image/jpeg", "buffer": b"hello world"}
    whose.locator(".album").set_input_files([fake])
    expect(trouble).to_contain_text("“假.jpg”不是照片")
    whose.get_by_role("button", name="发语音", exact=True).click()
    whose.get_by_role("button", name="按住 说话").focus()
    page.keyboard.press("Enter")
    expect(trouble).to_contain_text("没有使用麦克风的权限")
    expect(whose.locator(".row")).to_have_count(0)


def test_a_bot_that_cannot_be_reached_shows_as_it_does_in_wechat(page: Page, shown: Stage) -> None:
    whose, wire = phone(page, "刘建国"), shown.wechat.oa.wire
    right, wire.url = wire.url, "http://127.0.0.1:1/callback/oa"
    try:
        say(whose, "在吗")
        expect(whose.get_by_role("img", name="没有送到")).to_be_visible()
        expect(whose.get_by_role("log")).to_contain_text("该公众号暂时无法提供服务")
    finally:
        wire.url = right


def test_holding_the_button_sends_what_was_recorded_with_its_words(page: Page, context: BrowserContext) -> None:
    context.grant_permissions(["microphone"])
    whose = phone(page, "刘建国")
    whose.get_by_role("button", name="发语音", exact=True).click()
    whose.get_by_label("带文字").fill("退款多久到账")
    button = whose.get_by_role("button", name="按住 说话")
    button.hover()
    page.mouse.down()
    expect(whose.locator(".hold")).to_have_text("松开 发送")
    page.wait_for_timeout(700)  # a message shorter than half a second is not sent
    page.mouse.up()
    heard(whose, "1–3 个工作日")
    expect(whose.locator(".heard")).to_have_text("退款多久到账")


def test_everything_can_be_done_from_the_keyboard(page: Page) -> None:
    focused = "document.activeElement.getAttribute('aria-label')"
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate(focused) == "写消息":
            break
    page.keyboard.type("退款多久到账")
    page.keyboard.press("Enter")
    heard(phone(page, "刘建国"), "1–3 个工作日")
    assert page.evaluate("document.activeElement.matches(':focus-visible')")


@on_both
def test_nothing_moves_while_messages_arrive(page: Page, shown: Stage) -> None:
    person = shown.wechat.person("刘建国")
    for words in ("你好", "退款多久到账", "刚拿回来的番茄烂了一半"):
        person.send(words)
    person.send_photo(samples.photo("rotten-tomato-1.jpg"))
    whose = phone(page, "刘建国")
    heard(whose, "照片收到了")
    expect(whose.get_by_role("log").get_by_role("img", name="照片")).to_be_visible()
    expect(whose.get_by_role("group", name="快捷回复")).to_contain_text("好了")
    distance = "(chat) => chat.scrollHeight - chat.scrollTop - chat.clientHeight"
    assert abs(whose.get_by_role("log").evaluate(distance)) <= 1
    assert page.evaluate("window.shifted") < 0.01


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["375 pixels", "1440 pixels"])
def test_axe_finds_no_serious_fault(chromium: Browser, shown: Stage, size: ViewportSize) -> None:
    shown.wechat.inspection.forget()
    shown.wechat.reset()
    person = shown.wechat.person("刘建国")
    for words in ("刚拿回来的番茄烂了一半", "没照片", "退款"):
        person.send(words)
    person.send_photo(samples.photo("rotten-tomato-1.jpg"))
    person.send_voice(samples.voice("any"), "番茄")
    # The page's own policy would keep axe out.
    with chromium.new_context(viewport=size, bypass_csp=True, reduced_motion="reduce") as open_to_axe:
        page = open_to_axe.new_page()
        page.goto(f"{shown.bot_url}/playground/")
        heard(phone(page, "刘建国"), "工单")
        page.evaluate(AXE.read_text(encoding="utf-8"))
        for button in ("照片和更多", "发语音"):
            phone(page, "刘建国").get_by_role("button", name=button, exact=True).click()
            assert serious(page) == []


def serious(page: Page) -> list[Any]:
    found = page.evaluate("async () => (await axe.run(document)).violations")
    return [
        (each["id"], [node["html"] for node in each["nodes"]])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


def test_the_page_asks_nobody_but_its_own_server(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    say(phone(page, "刘建国"), "你好")
    heard(phone(page, "刘建国"), "您好")

    assert {urlsplit(url).hostname for url in asked} == {"127.0.0.1"}
