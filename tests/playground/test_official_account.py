from __future__ import annotations

from typing import Any

import pytest
import requests

from playground import samples
from playground.wechat import TICKET_TEMPLATE, WeChat
from tests.playground.conftest import CAST, CREDENTIALS, Api, EchoBot


def say(api: Api, text: str = "您好", to: str = "oWang") -> int:
    body = {"touser": to, "msgtype": "text", "text": {"content": text}}
    return int(api.post("message/custom/send", body)["errcode"])


def test_a_customer_message_reaches_the_phone_within_the_window(wechat: WeChat, oa: Api) -> None:
    person = wechat.person("王桂兰")
    person.send("在吗")
    person.look()

    assert say(oa, "在的") == 0
    assert person.wait_for(lambda bubble: bubble.text == "在的").speaker == "bot"


def test_five_messages_go_out_after_each_message_of_the_resident(wechat: WeChat, oa: Api) -> None:
    wechat.person("王桂兰").send("在吗")
    assert [say(oa) for _ in range(6)] == [0] * 5 + [45047]

    wechat.person("王桂兰").send("在吗？")
    assert say(oa) == 0


def test_the_window_closes_after_48_hours(wechat: WeChat, oa: Api) -> None:
    wechat.person("王桂兰").send("在吗")
    wechat.clock.advance(hours=47, minutes=59)
    oa.token = _stable(oa)["access_token"]
    assert say(oa) == 0

    wechat.clock.advance(minutes=2)
    assert say(oa) == 45015


def test_following_allows_three_messages_within_a_minute(wechat: WeChat, oa: Api) -> None:
    wechat.person("刘建国").follow()
    assert [say(oa, to="oLiu") for _ in range(4)] == [0, 0, 0, 45047]

    wechat.clock.advance(minutes=2)
    assert say(oa, to="oLiu") == 45015


def test_nothing_can_be_sent_to_someone_who_has_left_or_never_wrote(wechat: WeChat, oa: Api) -> None:
    wechat.person("王桂兰").send("在吗")
    wechat.person("王桂兰").unfollow()

    assert say(oa) == 45015
    assert say(oa, to="oNobody") == 40003


def test_a_text_of_more_than_2048_bytes_is_refused_and_costs_nothing(wechat: WeChat, oa: Api) -> None:
    wechat.person("王桂兰").send("在吗")

    assert say(oa, "长" * 683) == 45002
    assert [say(oa, "长" * 682) for _ in range(5)] == [0] * 5


def test_pictures_are_uploaded_and_shown(wechat: WeChat, oa: Api) -> None:
    wechat.person("王桂兰").send("在吗")
    photo = samples.photo("bad-apple-1.jpg")
    media_id = oa.upload("image", photo)["media_id"]

    answer = oa.post("message/custom/send", {"touser": "oWang", "msgtype": "image", "image": {"media_id": media_id}})

    assert answer["errcode"] == 0
    assert wechat.person("王桂兰").chat()[-1].media == photo


def test_an_unknown_media_id_is_told_as_json_with_status_200(oa: Api) -> None:
    response = oa.download("nothing")

    assert (response.status_code, response.json()["errcode"]) == (200, 40007)


def test_media_are_kept_for_three_days(wechat: WeChat, oa: Api) -> None:
    photo = samples.photo("bad-apple-1.jpg")
    media_id = oa.upload("image", photo)["media_id"]
    assert oa.download(media_id).content == photo

    wechat.clock.advance(days=3, minutes=1)
    oa.token = _stable(oa)["access_token"]
    assert oa.download(media_id).json()["errcode"] == 40007


def test_a_film_is_given_as_an_address(wechat: WeChat, oa: Api) -> None:
    wechat.person("王桂兰").send_video(b"a film of some bytes")
    media_id = wechat.oa.media.add("video", b"a film of some bytes").id

    address = oa.download(media_id).json()["video_url"]

    assert requests.get(address, timeout=5).content == b"a film of some bytes"


@pytest.mark.parametrize(
    ("kind", "size", "errcode"), [("image", 5, 40006), ("voice", 2**21 + 1, 40006), ("x", 9, 40004)]
)
def test_uploads_outside_the_limits_are_refused(oa: Api, kind: str, size: int, errcode: int) -> None:
    assert oa.upload(kind, b"x" * size)["errcode"] == errcode


def test_calls_need_a_token_of_this_account_that_is_still_valid(wechat: WeChat, oa: Api) -> None:
    wechat.person("王桂兰").send("在吗")
    good = oa.token
    oa.token = ""
    assert say(oa) == 41001
    oa.token = "foreign"
    assert say(oa) == 40014
    oa.token = good
    wechat.clock.advance(hours=2)
    assert say(oa) == 42001


def test_the_platform_may_end_tokens_early(wechat: WeChat, oa: Api) -> None:
    wechat.person("王桂兰").send("在吗")
    wechat.oa.expire_tokens()
    assert say(oa) == 42001

    oa.token = _stable(oa)["access_token"]
    assert say(oa) == 0


def test_the_stable_token_stays_until_its_last_five_minutes(wechat: WeChat, oa: Api) -> None:
    assert _stable(oa)["access_token"] == oa.token

    wechat.clock.advance(minutes=116)
    assert _stable(oa)["access_token"] != oa.token
    wechat.person("王桂兰").send("在吗")
    assert say(oa) == 0  # the old one lives on to its end


def test_a_forced_renewal_ends_the_old_token_at_once(wechat: WeChat, oa: Api) -> None:
    wechat.person("王桂兰").send("在吗")

    assert _stable(oa, force_refresh=True)["access_token"] != oa.token
    assert say(oa) == 40001


def test_the_plain_token_is_another_one_and_works_beside_it(wechat: WeChat, oa: Api) -> None:
    wechat.person("王桂兰").send("在吗")
    stable = oa.token
    query = {"grant_type": "client_credential", "appid": CREDENTIALS.oa_app_id, "secret": CREDENTIALS.oa_secret}
    oa.token = oa.get("token", **query)["access_token"]

    assert oa.token != stable
    assert say(oa) == 0


def test_wrong_credentials_get_no_token(oa: Api) -> None:
    assert _stable(oa, secret="wrong")["errcode"] == 40001
    assert _stable(oa, appid="wx0")["errcode"] == 40013


def test_typing_shows_for_fifteen_seconds_and_needs_a_recent_message(wechat: WeChat, oa: Api) -> None:
    def typing(command: str = "Typing") -> int:
        return int(oa.post("message/custom/typing", {"touser": "oWang", "command": command})["errcode"])

    wechat.person("王桂兰").send("在吗")
    assert [typing(), typing(), typing("Dancing"), typing("CancelTyping"), typing()] == [0, 45081, 45072, 0, 0]
    wechat.clock.advance(seconds=31)
    assert typing() == 45080


def test_a_test_can_ask_for_error_codes_and_count_the_calls(wechat: WeChat, oa: Api) -> None:
    wechat.person("王桂兰").send("在吗")
    wechat.oa.faults.answer(45009, to="message/custom/send", times=2)

    assert [say(oa) for _ in range(3)] == [45009, 45009, 0]
    assert wechat.oa.calls("message/custom/send") == 3


def test_a_fault_until_reset_lasts_until_reset(wechat: WeChat, oa: Api) -> None:
    wechat.oa.faults.answer(-1, times=None)
    assert [say(oa) for _ in range(4)] == [-1] * 4

    wechat.oa.faults.clear()
    wechat.person("王桂兰").send("在吗")
    assert say(oa) == 0


def test_a_hanging_call_does_nothing(wechat: WeChat, oa: Api) -> None:
    wechat.person("王桂兰").send("在吗")
    wechat.oa.faults.hang(to="message/custom/send")
    body = {"touser": "oWang", "msgtype": "text", "text": {"content": "没送到"}}

    with pytest.raises(requests.Timeout):
        oa.post("message/custom/send", body, timeout=0.1)
    wechat.oa.faults.clear()

    assert say(oa, "送到了") == 0
    assert "没送到" not in [bubble.text for bubble in wechat.person("王桂兰").chat()]


def test_a_call_that_times_out_after_accepting_has_had_its_effect(wechat: WeChat, oa: Api) -> None:
    wechat.person("王桂兰").send("在吗")
    wechat.oa.faults.hang_after_accepting(to="message/custom/send")
    body = {"touser": "oWang", "msgtype": "text", "text": {"content": "其实送到了"}}

    with pytest.raises(requests.Timeout):
        oa.post("message/custom/send", body, timeout=0.1)

    assert wechat.person("王桂兰").wait_for(lambda bubble: bubble.text == "其实送到了")


def test_refused_connections_come_back_on_the_same_port(wechat: WeChat, oa: Api) -> None:
    wechat.person("王桂兰").send("在吗")
    wechat.oa.server.refuse()
    with pytest.raises(requests.ConnectionError):
        say(oa)

    wechat.oa.server.accept()
    assert say(oa) == 0


def test_a_connection_kept_alive_is_refused_too(wechat: WeChat, oa: Api) -> None:
    with requests.Session() as session:
        session.get(f"{oa.base}/healthz", timeout=5)
        wechat.oa.server.refuse()
        with pytest.raises(requests.ConnectionError):
            session.get(f"{oa.base}/healthz", timeout=5)


def test_a_scanned_code_brings_a_stranger_in_with_its_scene_and_a_follower_back(
    wechat: WeChat, oa: Api, bot: EchoBot
) -> None:
    bot.answer = lambda fields: ""
    for _ in range(2):
        wechat.oa.scan("oLiu", "sunshine")

    assert [(heard["Event"], heard["EventKey"]) for heard in bot.heard] == [
        ("subscribe", "qrscene_sunshine"),
        ("SCAN", "sunshine"),
    ]
    assert all(heard["Ticket"] for heard in bot.heard)
    assert [say(oa, to="oLiu") for _ in range(7)] == [0] * 6 + [45047]


def test_a_tap_on_the_menu_allows_three_messages_within_a_minute(wechat: WeChat, oa: Api) -> None:
    wechat.person("王桂兰").tap("我的订单")

    assert [say(oa) for _ in range(4)] == [0, 0, 0, 45047]


def test_the_books_tell_what_was_sent_and_what_was_too_much(wechat: WeChat, oa: Api) -> None:
    wechat.person("王桂兰").send("在吗")
    for _ in range(7):
        say(oa)

    ledger = wechat.oa.ledger
    assert (len(ledger.to("oWang")), ledger.highest_use, ledger.broken) == (5, 5, 2)


def test_an_account_that_is_not_verified_can_only_answer_in_the_callback(bot: EchoBot) -> None:
    wechat = WeChat(CREDENTIALS, CAST, verified=False)
    wechat.open()
    wechat.connect(bot.server.url)
    api = Api(wechat.oa.server.url)
    api.token = _stable(api)["access_token"]
    wechat.person("王桂兰").send("在吗")
    menu = {"touser": "oWang", "msgtype": "msgmenu", "msgmenu": SATISFIED}
    typing = {"touser": "oWang", "command": "Typing"}

    assert wechat.person("王桂兰").chat()[-1].text == "在吗"
    assert say(api) == 48001
    assert api.post("message/custom/send", menu)["errcode"] == 40200
    assert api.post("message/custom/typing", typing)["errcode"] == 48001
    assert api.post("message/subscribe/bizsend", notice())["errcode"] == 48001
    wechat.close()


SATISFIED = {
    "head_content": "您对这次处理满意吗？",
    "list": [{"id": "yes", "content": "满意"}, {"id": "no", "content": "不满意"}],
    "tail_content": "点一下就行",
}


def test_a_menu_message_is_tapped_and_its_id_comes_back(wechat: WeChat, oa: Api, bot: EchoBot) -> None:
    wechat.person("王桂兰").send("在吗")
    menu = {"touser": "oWang", "msgtype": "msgmenu", "msgmenu": SATISFIED}
    assert oa.post("message/custom/send", menu)["errcode"] == 0
    bubble = wechat.person("王桂兰").chat()[-1]

    wechat.person("王桂兰").tap_in(bubble, "no")

    assert bubble.text == "您对这次处理满意吗？\n满意\n不满意\n点一下就行"
    assert (bot.heard[1]["Content"], bot.heard[1]["bizmsgmenuid"]) == ("不满意", "no")


def test_the_accounts_menu_is_kept_and_given_back(oa: Api) -> None:
    assert oa.get("menu/get", access_token=oa.token)["errcode"] == 46003
    buttons = [
        {"type": "click", "name": "我的订单", "key": "order"},
        {"name": "更多", "sub_button": [{"type": "view", "name": "帮助", "url": "https://example.com/"}]},
    ]

    assert oa.post("menu/create", {"button": buttons})["errcode"] == 0
    assert oa.get("menu/get", access_token=oa.token) == {"menu": {"button": buttons}}


CLICK = {"type": "click", "name": "我的订单", "key": "order"}


@pytest.mark.parametrize(
    ("buttons", "errcode"),
    [
        ([], 40016),
        ([CLICK] * 4, 40016),
        ([{**CLICK, "name": "长" * 6}], 40018),
        ([{**CLICK, "key": "x" * 129}], 40019),
        ([{"type": "click", "name": "无"}], 40019),
        ([{**CLICK, "type": "dance"}], 40017),
        ([{"type": "view", "name": "网页"}], 40020),
        ([{"name": "更多", "sub_button": [CLICK] * 6}], 40023),
        ([{"name": "更多", "sub_button": [{**CLICK, "name": "长" * 21}]}], 40025),
    ],
)
def test_a_menu_outside_the_limits_is_refused(oa: Api, buttons: list[dict[str, Any]], errcode: int) -> None:
    assert oa.post("menu/create", {"button": buttons})["errcode"] == errcode


def notice(template: str = TICKET_TEMPLATE, **values: str) -> dict[str, Any]:
    filled = {"character_string1": "0123", "phrase2": "处理中", "thing3": "小陈在处理", **values}
    data = {name: {"value": value} for name, value in filled.items()}
    return {"touser": "oWang", "template_id": template, "data": data}


def test_a_notice_needs_the_residents_consent_each_time(wechat: WeChat, oa: Api, bot: EchoBot) -> None:
    wechat.person("王桂兰").send("在吗")
    assert oa.post("message/subscribe/bizsend", notice())["errcode"] == 43101

    wechat.oa.grant("oWang", TICKET_TEMPLATE)
    wechat.clock.advance(hours=49)
    oa.token = _stable(oa)["access_token"]

    assert [oa.post("message/subscribe/bizsend", notice())["errcode"] for _ in range(2)] == [0, 43101]
    shown = wechat.person("王桂兰").chat()[-1]
    assert (shown.kind, shown.text) == (
        "subscription",
        "工单进度提醒\n工单号：0123\n进度：处理中\n说明：小陈在处理",
    )
    assert bot.heard[1]["Event"] == "subscribe_msg_popup_event"
    assert "<SubscribeStatusString><![CDATA[accept]]></SubscribeStatusString>" in bot.bodies[1]


def test_consent_opens_no_window_for_customer_messages(wechat: WeChat, oa: Api) -> None:
    wechat.oa.grant("oWang", TICKET_TEMPLATE)

    assert say(oa) == 45015


def test_a_notice_that_does_not_fit_its_template_costs_no_consent(wechat: WeChat, oa: Api) -> None:
    wechat.oa.grant("oWang", TICKET_TEMPLATE)

    assert oa.post("message/subscribe/bizsend", notice("unknown"))["errcode"] == 40037
    assert oa.post("message/subscribe/bizsend", notice(phrase2="正在处理之中"))["errcode"] == 47003
    assert oa.post("message/subscribe/bizsend", notice(thing3=""))["errcode"] == 47003
    assert oa.post("message/subscribe/bizsend", notice())["errcode"] == 0


def _stable(api: Api, **changes: object) -> dict[str, str]:
    body = {"grant_type": "client_credential", "appid": CREDENTIALS.oa_app_id, "secret": CREDENTIALS.oa_secret}
    return api.post("stable_token", {**body, **changes})
