"""What the page asks of the playground: who may ask, what is refused in words, and what is told back."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
import requests

from playground import samples
from playground.page.performance import Performance
from playground.page.routes import STATIC
from playground.wechat import WeChat
from tests.playground.conftest import CREDENTIALS, Browser, EchoBot, settled


def test_the_page_lets_nothing_foreign_in(browser: Browser) -> None:
    headers = browser.get("").headers

    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")


@pytest.mark.parametrize("file", sorted(STATIC.iterdir()), ids=lambda file: file.name)
def test_the_pages_files_are_served_and_name_no_other_address(browser: Browser, file: Path) -> None:
    answer = browser.get(f"static/{file.name}")

    assert answer.content == file.read_bytes()
    assert "//" not in answer.text.replace("http://www.w3.org/2000/svg", "").replace("// ", "").replace("https 或", "")


@pytest.mark.parametrize(
    ("name", "status"),
    [("127.0.0.1:8", 200), ("localhost", 200), ("[::1]:8", 200), ("192.168.1.7", 421), ("evil.example", 421)],
)
def test_a_name_that_only_leads_here_is_refused(browser: Browser, name: str, status: int) -> None:
    assert browser.get("", Host=name).status_code == status


def test_a_page_that_listens_everywhere_answers_under_any_bare_address_but_under_no_foreign_name(
    wechat: WeChat, browser: Browser
) -> None:
    wechat.oa.server.host = "0.0.0.0"

    assert browser.get("", Host="192.168.1.7:8").status_code == 200
    assert browser.get("", Host="evil.example").status_code == 421


def test_a_page_of_another_site_cannot_send(wechat: WeChat, browser: Browser, bot: EchoBot) -> None:
    body = {"person": "王桂兰", "kind": "text", "text": "在吗"}
    from_elsewhere = browser.post("send", body, Origin="http://evil.example")
    as_form = requests.post(
        f"{browser.base}/api/send", data=json.dumps(body), headers={"Content-Type": "text/plain"}, timeout=5
    )

    assert (from_elsewhere.status_code, as_form.status_code) == (403, 415)
    assert bot.heard == []


def test_words_go_through_the_callback_and_their_state_comes_back(wechat: WeChat, browser: Browser) -> None:
    events = browser.events()
    began, first = next(events)
    assert browser.send(person="王桂兰", kind="text", text="在吗").status_code == 202
    settled(wechat, "王桂兰")

    _, told = next(browser.events(began))

    assert first["bubbles"] == []
    seen = [(each["person"], each["speaker"], each["text"], each["state"]) for each in told["bubbles"]]
    assert seen == [("王桂兰", "person", "在吗", "delivered"), ("王桂兰", "bot", "在吗", "")]
    assert told["fresh"] is False


def test_a_page_that_was_away_over_a_reset_begins_anew(wechat: WeChat, browser: Browser) -> None:
    browser.send(person="王桂兰", kind="text", text="在吗")
    settled(wechat, "王桂兰")
    seen, _ = next(browser.events())
    wechat.reset()

    _, told = next(browser.events(seen))

    assert (told["fresh"], told["bubbles"]) == (True, [])


def test_a_bot_that_does_not_answer_leaves_the_message_failed(wechat: WeChat, browser: Browser, bot: EchoBot) -> None:
    bot.server.refuse()
    browser.send(person="王桂兰", kind="text", text="在吗")
    settled(wechat, "王桂兰")

    _, told = next(browser.events())

    assert [(each["kind"], each["state"]) for each in told["bubbles"]] == [("text", "failed"), ("notice", "")]


def test_a_photo_is_shown_with_the_room_it_needs(wechat: WeChat, browser: Browser) -> None:
    photo = samples.photo("bad-apple-1.jpg")
    browser.send(person="王桂兰", kind="photo", name="苹果.jpg", content=base64.b64encode(photo).decode())
    number = settled(wechat, "王桂兰")

    _, told = next(browser.events())
    answer = browser.get(f"media/{number}")

    assert told["bubbles"][0]["media"] == {"type": "image/jpeg", "width": 960, "height": 720}
    assert (answer.content, answer.headers["Content-Type"]) == (photo, "image/jpeg")


def test_a_recorded_voice_message_reaches_the_bot_with_its_words(
    wechat: WeChat, browser: Browser, bot: EchoBot
) -> None:
    sound = b"\x1aE\xdf\xa3 as a browser records it"
    browser.send(person="王桂兰", kind="voice", text="苹果坏了", content=base64.b64encode(sound).decode())
    number = settled(wechat, "王桂兰")

    assert bot.heard[0]["Recognition"] == "苹果坏了"
    assert browser.get(f"media/{number}").headers["Content-Type"] == "audio/webm"


def test_a_tapped_menu_is_an_event_and_two_taps_in_one_second_are_both_answered(
    wechat: WeChat, browser: Browser, bot: EchoBot
) -> None:
    bot.answer = lambda fields: f"菜单 {fields['EventKey']}"
    for key in ("我的订单", "人工"):
        browser.send(person="王桂兰", kind="tap", text=key)
        settled(wechat, "王桂兰")

    answers = [bubble.text for bubble in wechat.person("王桂兰").chat() if bubble.speaker == "bot"]
    assert answers == ["菜单 我的订单", "菜单 人工"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"person": "谁", "kind": "text", "text": "在吗"}, "没有这个人"),
        ({"person": "王桂兰", "kind": "smell"}, "不知道要发什么"),
        ({"person": "王桂兰", "kind": "text", "text": " \n"}, "还没有写字"),
        ({"person": "王桂兰", "kind": "text", "text": 7}, "应该是文字"),
        ({"person": "王桂兰", "kind": "photo", "name": "a.txt", "content": "aGVsbG8gd29ybGQ="}, "“a.txt”不是照片"),
        ({"person": "王桂兰", "kind": "photo", "name": "a.jpg", "content": "%"}, "没有传完整"),
        ({"person": "王桂兰", "kind": "photo", "name": "a.jpg", "content": ""}, "是空的"),
        ({"person": "王桂兰", "kind": "sample", "name": "../secrets.json"}, "没有这张样本照片"),
        (["王桂兰"], "能看懂的请求"),
    ],
)
def test_a_mistake_is_told_in_words_and_nothing_is_sent(
    browser: Browser, bot: EchoBot, body: object, words: str
) -> None:
    answer = browser.post("send", body)

    assert answer.status_code == 422
    assert words in answer.json()["problem"]
    assert bot.heard == []


def test_a_photo_over_ten_megabytes_is_refused_with_its_size(browser: Browser) -> None:
    content = base64.b64encode(b"\xff\xd8\xff" + bytes(11 * 1024 * 1024)).decode()

    answer = browser.send(person="王桂兰", kind="photo", name="大.jpg", content=content)

    assert "“大.jpg”有 11.0 MB" in answer.json()["problem"]


def test_a_text_longer_than_the_platform_lets_the_bot_write_is_sent_all_the_same(
    wechat: WeChat, browser: Browser, bot: EchoBot
) -> None:
    bot.answer = lambda fields: ""
    browser.send(person="王桂兰", kind="text", text="长" * 2000)
    settled(wechat, "王桂兰")

    assert bot.heard[0]["Content"] == "长" * 2000


def test_inside_shows_the_callback_sealed_and_opened_and_no_secret(wechat: WeChat, browser: Browser) -> None:
    base = wechat.oa.server.url
    body = {"grant_type": "client_credential", "appid": CREDENTIALS.oa_app_id, "secret": CREDENTIALS.oa_secret}
    browser.send(person="王桂兰", kind="text", text="在吗")
    number = settled(wechat, "王桂兰")
    token = requests.post(f"{base}/cgi-bin/stable_token", json=body, timeout=5).json()["access_token"]
    sent = {"touser": "oWang", "msgtype": "text", "text": {"content": "您好"}}
    requests.post(f"{base}/cgi-bin/message/custom/send", params={"access_token": token}, json=sent, timeout=5)

    answer = browser.get(f"api/inside/{number}")
    told = answer.json()

    assert "<Content><![CDATA[在吗]]></Content>" in told["document"]
    [attempt] = told["tries"]
    assert (attempt["status"], "在吗" in attempt["opened"], "在吗" in attempt["body"]) == (200, True, False)
    assert attempt["query"]["encrypt_type"] == "aes"
    assert [call["path"] for call in told["calls"]] == ["stable_token", "message/custom/send"]
    assert told["calls"][1]["sent"]["text"] == {"content": "您好"}
    assert told["bot"] is None
    assert "内部查看" in told["problem"]
    for secret in (CREDENTIALS.oa_secret, CREDENTIALS.oa_token, CREDENTIALS.oa_aes_key, token):
        assert secret not in answer.text


def test_inside_shows_the_calls_up_to_the_same_persons_next_message_only(wechat: WeChat, browser: Browser) -> None:
    browser.send(person="王桂兰", kind="text", text="一")
    first = settled(wechat, "王桂兰")
    wechat.person("王桂兰").send("二")
    requests.get(f"{wechat.wecom.server.url}/cgi-bin/gettoken", params={"corpid": "unknown"}, timeout=5)

    assert browser.get(f"api/inside/{first}").json()["calls"] == []


def test_a_reset_that_the_bot_does_not_follow_leaves_the_phones_as_they_are(wechat: WeChat, browser: Browser) -> None:
    wechat.person("王桂兰").send("在吗")

    answer = browser.post("reset", {})

    assert answer.status_code == 422
    assert wechat.person("王桂兰").chat() != []


def test_a_scenario_is_played_to_its_end_and_tells_where_it_is(wechat: WeChat, bot: EchoBot) -> None:
    bot.answer = lambda fields: "您好"
    performance = Performance(wechat)
    performance.start("01-greeting", pause=0)

    assert wechat.world.wait_until(lambda: (performance.status or {}).get("state") == "ended")
    assert (performance.status or {})["label"] == "生人打招呼"


def test_a_scenario_that_goes_otherwise_tells_its_line(wechat: WeChat, bot: EchoBot) -> None:
    bot.instead = [("", 500)] * 3
    performance = Performance(wechat)
    performance.start("01-greeting", pause=0)

    assert wechat.world.wait_until(lambda: (performance.status or {}).get("state") == "otherwise")
    assert "第 3 行" in (performance.status or {})["expected"]


def test_a_scenario_that_waits_for_an_answer_can_be_stopped(wechat: WeChat, bot: EchoBot) -> None:
    bot.answer = lambda fields: ""
    performance = Performance(wechat)
    performance.start("02-routine-questions", pause=0)
    assert wechat.world.wait_until(lambda: (performance.status or {}).get("step") == 2)

    performance.stop()

    assert (performance.status or {})["state"] == "stopped"


def test_only_one_scenario_is_played_at_a_time_and_it_can_be_stopped(wechat: WeChat, browser: Browser) -> None:
    browser.post("play", {"scenario": "01-greeting"})

    again = browser.post("play", {"scenario": "01-greeting"})
    browser.post("stop", {})

    assert "正在演另一个剧本" in again.json()["problem"]
    _, told = next(browser.events())
    assert told["playing"]["state"] == "stopped"
