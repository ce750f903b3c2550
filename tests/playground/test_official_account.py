from __future__ import annotations

import pytest
import requests

from playground import samples
from playground.wechat import WeChat
from tests.playground.conftest import CREDENTIALS, Api


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


def _stable(api: Api, **changes: object) -> dict[str, str]:
    body = {"grant_type": "client_credential", "appid": CREDENTIALS.oa_app_id, "secret": CREDENTIALS.oa_secret}
    return api.post("stable_token", {**body, **changes})
