from __future__ import annotations

from typing import Any

import requests

from playground import samples
from playground.wechat import WeChat
from tests.playground.conftest import CREDENTIALS, Api


def send(api: Api, text: str = "新工单", to: str = "ZhangLeader", **more: Any) -> dict[str, Any]:
    body = {"touser": to, "agentid": CREDENTIALS.agent_id, "msgtype": "text", "text": {"content": text}, **more}
    return api.post("message/send", body)


def texts(wechat: WeChat, name: str) -> list[str]:
    return [bubble.text for bubble in wechat.person(name).chat()]


def test_a_message_reaches_every_member_named(wechat: WeChat, wecom: Api) -> None:
    answer = send(wecom, to="ZhangLeader|LiLeader")

    assert (answer["errcode"], answer["invaliduser"]) == (0, "")
    assert texts(wechat, "张团长") == texts(wechat, "李团长") == ["新工单"]


def test_unknown_members_are_named_and_the_others_get_it(wechat: WeChat, wecom: Api) -> None:
    assert send(wecom, to="Nobody|ZhangLeader")["invaliduser"] == "Nobody"
    assert texts(wechat, "张团长") == ["新工单"]


def test_only_unknown_members_is_an_error(wecom: Api) -> None:
    assert send(wecom, to="Nobody|Noone")["errcode"] == 81013


def test_another_agent_is_refused(wecom: Api) -> None:
    assert send(wecom, agentid=7)["errcode"] == 40056


def test_the_same_content_is_shown_once_within_the_interval_asked_for(wechat: WeChat, wecom: Api) -> None:
    check: dict[str, Any] = {"enable_duplicate_check": 1, "duplicate_check_interval": 600}
    assert [send(wecom, **check)["errcode"] for _ in range(2)] == [0, 0]
    send(wecom, "别的事", **check)
    assert texts(wechat, "张团长") == ["新工单", "别的事"]

    wechat.clock.advance(minutes=11)
    send(wecom, **check)
    assert texts(wechat, "张团长") == ["新工单", "别的事", "新工单"]


def test_without_the_check_the_same_content_is_shown_again(wechat: WeChat, wecom: Api) -> None:
    send(wecom)
    send(wecom)

    assert texts(wechat, "张团长") == ["新工单", "新工单"]


def test_over_thirty_a_minute_are_accepted_and_never_shown(wechat: WeChat, wecom: Api) -> None:
    assert {send(wecom, str(number))["errcode"] for number in range(32)} == {0}

    assert len(texts(wechat, "张团长")) == 30
    assert wechat.wecom.dropped == 2
    wechat.clock.advance(minutes=1)
    send(wecom, "下一分钟")
    assert texts(wechat, "张团长")[-1] == "下一分钟"


def test_long_texts_are_cut_at_2048_bytes(wechat: WeChat, wecom: Api) -> None:
    send(wecom, "长" * 700)

    assert texts(wechat, "张团长") == ["长" * 682]


def test_markdown_pictures_and_voices_are_shown(wechat: WeChat, wecom: Api) -> None:
    photo, voice = samples.photo("bad-apple-1.jpg"), samples.voice("any")
    to = {"touser": "ZhangLeader", "agentid": CREDENTIALS.agent_id}
    wecom.post("message/send", {**to, "msgtype": "markdown", "markdown": {"content": "**工单**"}})
    for kind, content in (("image", photo), ("voice", voice)):
        media_id = wecom.upload(kind, content)["media_id"]
        wecom.post("message/send", {**to, "msgtype": kind, kind: {"media_id": media_id}})

    chat = wechat.person("张团长").chat()
    assert [(bubble.kind, bubble.media) for bubble in chat] == [("markdown", None), ("image", photo), ("voice", voice)]


def test_what_a_member_sends_can_be_downloaded(wechat: WeChat, wecom: Api, bot: Any) -> None:
    wechat.person("张团长").send_photo(samples.photo("bad-apple-2.jpg"))

    response = wecom.download(bot.heard[0]["MediaId"])

    assert response.content == samples.photo("bad-apple-2.jpg")
    assert response.headers["Content-Type"] == "image/jpeg"


def test_the_token_is_the_same_until_it_ends(wechat: WeChat, wecom: Api) -> None:
    query = {"corpid": CREDENTIALS.corp_id, "corpsecret": CREDENTIALS.app_secret}
    assert wecom.get("gettoken", **query)["access_token"] == wecom.token

    wechat.wecom.expire_tokens()
    assert send(wecom)["errcode"] == 42001
    assert wecom.get("gettoken", **query)["access_token"] != wecom.token


def test_wrong_credentials_get_no_token(wecom: Api) -> None:
    assert wecom.get("gettoken", corpid="ww0", corpsecret=CREDENTIALS.app_secret)["errcode"] == 40013
    assert wecom.get("gettoken", corpid=CREDENTIALS.corp_id, corpsecret="wrong")["errcode"] == 40001


def test_a_body_that_is_not_json_is_told(wecom: Api) -> None:
    url = f"{wecom.base}/cgi-bin/message/send"
    response = requests.post(url, params={"access_token": wecom.token}, data=b"{", timeout=5)

    assert response.json()["errcode"] == 47001
