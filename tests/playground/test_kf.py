from __future__ import annotations

from datetime import timedelta

import requests

from playground import samples
from playground.wechat import WeChat
from tests.playground.conftest import CREDENTIALS, Api
from tests.playground.kf_api import KFID, WANG, answer_event, events, read, renew, say, texts

# --- the rest of the API


def test_customers_are_told_with_their_names_and_how_they_came_in(wechat: WeChat, kf: Api) -> None:
    wechat.customer("王桂兰").follow()
    body = {"external_userid_list": [WANG, "wmNobody"], "need_enter_session_context": 1}

    told = kf.post("kf/customer/batchget", body)

    [customer] = told["customer_list"]
    assert (customer["nickname"], customer["enter_session_context"]["scene_param"]) == ("王桂兰", "sunshine")
    assert told["invalid_external_userid"] == ["wmNobody"]
    assert kf.post("kf/customer/batchget", {"external_userid_list": ["wm"] * 101})["errcode"] == 40058


def test_the_account_is_listed(kf: Api) -> None:
    assert [each["open_kfid"] for each in kf.post("kf/account/list", {})["account_list"]] == [KFID]


def test_the_token_belongs_to_the_customer_services_own_secret(wechat: WeChat, kf: Api) -> None:
    assert kf.get("gettoken", corpid=CREDENTIALS.corp_id, corpsecret=CREDENTIALS.app_secret)["errcode"] == 40001
    assert kf.get("gettoken", corpid="ww0", corpsecret=CREDENTIALS.kf_secret)["errcode"] == 40013

    wechat.kf.expire_tokens()
    assert read(kf)["errcode"] == 42001


def test_a_file_can_be_fetched_in_parts_and_a_large_one_must_be(wechat: WeChat, kf: Api) -> None:
    content = samples.photo("bad-apple-1.jpg")
    media_id = kf.upload("image", content)["media_id"]
    wechat.kf.whole_up_to = len(content) - 1

    whole = kf.download(media_id)
    url = f"{kf.base}/cgi-bin/media/get"
    query = {"access_token": kf.token, "media_id": media_id}
    part = requests.get(url, params=query, headers={"Range": "bytes=0-99"}, timeout=5)

    assert whole.json()["errcode"] == 830002
    assert (part.status_code, part.content) == (206, content[:100])
    assert part.headers["Content-Range"] == f"bytes 0-99/{len(content)}"


def test_media_are_kept_for_three_days(wechat: WeChat, kf: Api) -> None:
    media_id = kf.upload("image", samples.photo("bad-apple-1.jpg"))["media_id"]
    wechat.clock.advance(days=3, minutes=1)
    renew(wechat, kf)

    assert kf.download(media_id).json()["errcode"] == 40007


# --- the books


def test_the_ledger_tells_what_was_sent_and_how_the_budget_was_kept(wechat: WeChat, kf: Api) -> None:
    person = wechat.customer("王桂兰")
    person.enter()
    answer_event(kf, events(read(kf))[0]["welcome_code"])
    person.send("在吗")
    for number in range(6):
        say(kf, str(number), msgid=f"out-{number}")
    say(kf, "0", msgid="out-0")
    wechat.kf.faults.answer(95001, to="kf/send_msg")
    say(kf)

    ledger = wechat.kf.ledger
    assert [each.text for each in ledger.to(WANG)] == ["您好，我是群答", "0", "1", "2", "3", "4"]
    assert [each.msgid for each in ledger.to(WANG) if not each.on_event] == [f"out-{number}" for number in range(5)]
    assert wechat.clock.now() - ledger.to(WANG)[-1].at < timedelta(minutes=1)
    assert (ledger.highest_use, ledger.broken, ledger.repeats) == (5, 1, 1)


def test_a_reset_forgets_everything_but_old_cursors_stay_behind_what_comes(wechat: WeChat, kf: Api) -> None:
    wechat.customer("王桂兰").send("旧")
    cursor = read(kf)["next_cursor"]
    wechat.reset()
    wechat.customer("王桂兰").send("新")

    assert texts(read(kf, cursor=cursor)) == ["新"]
    assert wechat.kf.ledger.sent == []
