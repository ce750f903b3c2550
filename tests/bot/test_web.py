from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest
from flask import Flask
from sqlalchemy import text
from wechatpy.crypto import WeChatCrypto, _get_signature

from bot.effects import Effects
from bot.metrics import make_registry
from bot.offers import OfferConfirmer
from bot.pulling import Pulling
from bot.web import Callbacks, make_blueprint
from tests.bot.conftest import CREDENTIALS, KEY
from tests.bot.rig import Rig

OA = WeChatCrypto(CREDENTIALS.oa_token, KEY, CREDENTIALS.oa_app_id)
APP = WeChatCrypto(CREDENTIALS.app_token, KEY, CREDENTIALS.corp_id)


class Door:
    """The HTTP side over a real store, with an echo behind it."""

    def __init__(self, store, clock, channels) -> None:
        self.rig = Rig(store, clock, lambda turn: Effects(replies=(f"回：{turn.message.text}",)))
        registry = make_registry(store)
        self.offers = OfferConfirmer(store, clock, self.rig.wakes.wake)
        callbacks = Callbacks(
            channels=channels,
            turns=self.rig.turns,
            pulling=Pulling(
                store=store, clock=clock, channels=channels, wake=self.rig.wakes.wake, wake_pull=lambda names: None
            ),
            offers=self.offers,
            clock=clock,
            registry=registry,
        )
        self.ready = True
        app = Flask("door")
        app.register_blueprint(make_blueprint(callbacks, {"database": self._check}, registry))
        self.client = app.test_client()

    def _check(self) -> None:
        if not self.ready:
            raise ConnectionError

    def post(self, xml: str, *, crypto=OA, channel: str = "oa", age: int = 0, signature: str | None = None):
        body, query = sealed(xml, crypto, age)
        if signature is not None:
            query["msg_signature"] = signature
        return self.send(body, query, channel)

    def send(self, body: bytes, query: dict, channel: str = "oa"):
        with self.client.post(f"/callback/{channel}?{urlencode(query)}", data=body) as response:
            response.get_data()
        return response

    def counted(self, seen: str) -> bool:
        return f'seen="{seen}"}} 1.0' in self.client.get("/metrics").get_data(as_text=True)


def sealed(xml: str, crypto=OA, age: int = 0) -> tuple[bytes, dict[str, str]]:
    timestamp = str(int(time.time()) - age)
    body = crypto.encrypt_message(xml, "77", timestamp)
    signature = body.split("<MsgSignature><![CDATA[")[1].split("]]>")[0]
    return body.encode(), {"msg_signature": signature, "timestamp": timestamp, "nonce": "77"}


def text_xml(text: str = "在吗", *, message_id: int = 1, sender: str = "oAlice") -> str:
    return (
        f"<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[{sender}]]></FromUserName>"
        f"<CreateTime>{int(time.time())}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content><![CDATA[{text}]]></Content><MsgId>{message_id}</MsgId></xml>"
    )


def event_xml(event: str, **fields: str) -> str:
    more = "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in fields.items())
    return (
        "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[oAlice]]></FromUserName>"
        f"<CreateTime>1700000000</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[{event}]]></Event>"
        f"{more}</xml>"
    )


def opened(response, crypto=OA) -> str:
    text = response.get_data(as_text=True)
    part = {name: text.split(f"<{name}>")[1].split(f"</{name}>")[0] for name in ("Encrypt", "MsgSignature")}
    encrypted, signature = (value.removeprefix("<![CDATA[").removesuffix("]]>") for value in part.values())
    timestamp = text.split("<TimeStamp>")[1].split("<")[0]
    nonce = text.split("<Nonce><![CDATA[")[1].split("]]>")[0]
    return crypto.decrypt_message({"Encrypt": encrypted}, signature, timestamp, nonce)


@pytest.fixture
def door(store, clock, channels):
    made = Door(store, clock, channels)
    yield made
    made.offers.close()


def test_a_message_is_answered_in_the_http_answer_sealed_and_addressed_back(door: Door) -> None:
    response = door.post(text_xml("在吗"))
    reply = opened(response)
    assert "<Content><![CDATA[回：在吗]]></Content>" in reply
    assert "<ToUserName><![CDATA[oAlice]]></ToUserName>" in reply
    assert "<FromUserName><![CDATA[gh_1]]></FromUserName>" in reply


def test_an_offer_is_confirmed_once_its_answer_is_written(door: Door) -> None:
    door.post(text_xml())
    door.offers.close()
    assert [row.status for row in door.rig.outbox()] == ["sent"]


def test_the_wecom_app_is_answered_the_same_way(door: Door) -> None:
    response = door.post(text_xml("工单", sender="LeaderZhang"), crypto=APP, channel="app")
    assert "回：工单" in opened(response, APP)


@pytest.mark.parametrize("times", [3])
def test_the_same_callback_three_times_one_after_another_has_one_outcome(door: Door, times: int) -> None:
    body, query = sealed(text_xml())
    replies = [opened(door.send(body, query)) for _ in range(times)]
    assert all("回：在吗" in reply for reply in replies)
    assert len(door.rig.inbox()) == 1
    assert len(door.rig.outbox()) == 1


def test_the_same_callback_three_times_at_once_has_one_outcome(door: Door) -> None:
    body, query = sealed(text_xml())
    with ThreadPoolExecutor(3) as pool:
        replies = list(pool.map(lambda _: opened(door.send(body, query)), range(3)))
    assert all("回：在吗" in reply for reply in replies)
    assert len(door.rig.inbox()) == 1
    assert len(door.rig.outbox()) == 1


def test_two_people_with_the_same_message_id_are_both_heard(door: Door) -> None:
    door.post(text_xml(message_id=7, sender="oAlice"))
    door.post(text_xml(message_id=7, sender="oBob"))
    assert len(door.rig.inbox()) == 2


def test_two_events_in_the_same_second_are_both_heard(door: Door) -> None:
    door.post(event_xml("CLICK", EventKey="orders"))
    door.post(event_xml("CLICK", EventKey="refunds"))
    assert [row.text for row in door.rig.inbox()] == ["orders", "refunds"]


@pytest.mark.parametrize(
    ("how", "status", "seen"),
    [
        ({"signature": "0" * 40}, 403, "forged"),
        ({"signature": ""}, 403, "forged"),
        ({"age": 301}, 403, "stale"),
        ({"age": -301}, 403, "stale"),
        ({"crypto": APP}, 403, "forged"),
    ],
    ids=["wrong signature", "no signature", "old", "from the future", "another account's key"],
)
def test_a_forged_or_stale_callback_is_403_counted_and_leaves_nothing(door: Door, how, status, seen) -> None:
    assert door.post(text_xml(), **how).status_code == status
    assert door.counted(seen)
    assert door.rig.inbox() == []


def test_a_plain_callback_without_encryption_is_403(door: Door) -> None:
    _, query = sealed(text_xml())
    assert door.send(text_xml().encode(), query).status_code == 403


@pytest.mark.parametrize(
    "body", [b"", b"\x00\xff\xfe", b"<xml>", b"<a/>", b"{}", b"<!DOCTYPE x><xml/>", b"<xml><xml>", "<x>\ud7ff".encode()]
)
def test_garbage_is_400_or_403_and_leaves_nothing(door: Door, body: bytes) -> None:
    _, query = sealed(text_xml())
    assert door.send(body, query).status_code in (400, 403)
    assert door.rig.inbox() == []


def test_a_signed_envelope_around_garbage_is_400(door: Door) -> None:
    assert door.post("this is not xml").status_code == 400
    assert door.post("<xml><MsgType>text</MsgType></xml>").status_code == 400
    assert door.counted("malformed") or "malformed" in door.client.get("/metrics").get_data(as_text=True)


def test_a_body_over_one_megabyte_is_413(door: Door) -> None:
    _, query = sealed(text_xml())
    assert door.send(b"<" + b"x" * (1024 * 1024), query).status_code == 413
    assert door.counted("too_large")


def test_unknown_event_types_are_acknowledged_and_counted(door: Door) -> None:
    response = door.post(event_xml("something_new_in_2027"))
    assert (response.status_code, response.get_data()) == (200, b"success")
    assert door.counted("event:other")
    assert door.rig.inbox() == []


def test_an_unknown_channel_is_404(door: Door) -> None:
    assert door.post(text_xml(), channel="nowhere").status_code == 404


@pytest.mark.parametrize("timestamp", ["9" * 5000, "", "²³", "-5"])
def test_a_verification_with_an_impossible_time_is_403(door: Door, timestamp: str) -> None:
    query = {"signature": "0" * 40, "timestamp": timestamp, "nonce": "9", "echostr": "1"}
    assert door.client.get(f"/callback/oa?{urlencode(query)}").status_code == 403


def test_what_a_scan_brings_is_not_read_as_words(door: Door) -> None:
    door.post(event_xml("SCAN", EventKey="12345678"))
    assert [row.text for row in door.rig.inbox()] == [""]


def test_official_account_verification_answers_the_echo_as_plain_text(door: Door) -> None:
    timestamp = str(int(time.time()))
    query = {
        "signature": _get_signature(CREDENTIALS.oa_token, timestamp, "9", ""),
        "timestamp": timestamp,
        "nonce": "9",
        "echostr": "5837409261",
    }
    response = door.client.get(f"/callback/oa?{urlencode(query)}")
    assert (response.get_data(), response.content_type) == (b"5837409261", "text/plain; charset=utf-8")
    query["signature"] = "0" * 40
    assert door.client.get(f"/callback/oa?{urlencode(query)}").status_code == 403


def test_wecom_verification_answers_the_decrypted_echo_as_plain_text(door: Door) -> None:
    body, query = sealed("1616140317555161061", APP)
    query["echostr"] = body.decode().split("<Encrypt><![CDATA[")[1].split("]]>")[0]
    response = door.client.get(f"/callback/app?{urlencode(query)}")
    assert (response.get_data(), response.content_type) == (b"1616140317555161061", "text/plain; charset=utf-8")


def test_readiness_names_what_fails(door: Door) -> None:
    assert door.client.get("/readyz").status_code == 200
    door.ready = False
    response = door.client.get("/readyz")
    assert (response.status_code, response.get_data(as_text=True)) == (503, "not ready: database")


@pytest.mark.parametrize("text", ["🍎" * 50, "啊" * 10_000, "]]>", "第一行\n第二行", " "])
def test_odd_texts_go_through_the_door_and_back(door: Door, text: str) -> None:
    response = door.post(text_xml(text.replace("]]>", "]]]]><![CDATA[>")))
    assert response.status_code == 200
    assert door.rig.inbox()[0].text == text
    assert "回：" in opened(response)


def test_when_the_database_fails_the_platform_may_try_again(door: Door, store) -> None:
    with store.write() as connection:
        connection.execute(text("ALTER TABLE inbox RENAME TO inbox_away"))
    body, query = sealed(text_xml())
    assert door.send(body, query).status_code == 500
    with store.write() as connection:
        connection.execute(text("ALTER TABLE inbox_away RENAME TO inbox"))
    assert "回：" in opened(door.send(body, query))
