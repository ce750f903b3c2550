from __future__ import annotations

import threading

import pytest
from wechatpy.enterprise.crypto import WeChatCrypto as EnterpriseCrypto

from playground import samples
from playground.platform import xml
from playground.platform.callbacks import sign
from playground.platform.official_account import NOTICE
from playground.wechat import WeChat
from tests.playground.conftest import KEY_A, KEY_B, SHORT, EchoBot

# developer.work.weixin.qq.com/document/path/90968 and its sample code
VECTOR_A = {
    "token": "QDG6eK",
    "key": KEY_A,
    "receiver": "wx5823bf96d3bd56c7",
    "echo_signature": "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3",
    "echo_timestamp": "1409659589",
    "echo_nonce": "263014780",
    "echostr": "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==",
    "echo": "1616140317555161061",
    "signature": "477715d11cdb4164915debcba66cb864d751f3e6",
    "timestamp": "1409659813",
    "nonce": "1372623149",
    "encrypt": (
        "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvu"
        "JTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwG"
        "c2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9"
        "EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0"
        "lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q=="
    ),
    "content": "hello",
}
VECTOR_B = {
    "token": "hJqcu3uJ9Tn2gXPmxx2w9kkCkCE2EPYo",
    "key": KEY_B,
    "receiver": "ww1436e0e65a779aee",
    "echo_signature": "012bc692d0a58dd4b10f8dfe5c4ac00ae211ebeb",
    "echo_timestamp": "1476416373",
    "echo_nonce": "47744683",
    "echostr": "fsi1xnbH4yQh0+PJxcOdhhK6TDXkjMyhEPA7xB2TGz6b+g7xyAbEkRxN/3cNXW9qdqjnoVzEtpbhnFyq6SVHyA==",
    "echo": "1288432023552776189",
    "signature": "0c3914025cb4b4d68103f6bfc8db550f79dcf48e",
    "timestamp": "1476422779",
    "nonce": "1597212914",
    "encrypt": (
        "Kl7kjoSf6DMD1zh7rtrHjFaDapSCkaOnwu3bqLc5tAybhhMl9pFeK8NslNPVdMwmBQTNoW4mY7AIjeLvEl3NyeTkAgGzBhzTtRLNshw2AEew"
        "+kkYcD+Fq72Kt00fT0WnN87hGrW8SqGc+NcT3mu87Ha3dz1pSDi6GaUA6A0sqfde0VJPQbZ9U+3JWcoD4Z5jaU0y9GSh010wsHF8KZD24Yhm"
        "ZH4ch4Ka7ilEbjbfvhKkNL65HHL0J6EYJIZUC2pFrdkJ7MhmEbU2qARR4iQHE7wy24qy0cRX3Mfp6iELcDNfSsPGjUQVDGxQDCWjayJOpcwo"
        "cugux082f49HKYg84EpHSGXAyh+/oxwaWbvL6aSDPOYuPDGOCI8jmnKiypE+"
    ),
    "content": "你好",
}
VECTORS = pytest.mark.parametrize("vector", [VECTOR_A, VECTOR_B], ids=["A", "B"])


@VECTORS
def test_signatures_are_those_of_the_official_vectors(vector: dict[str, str]) -> None:
    echo = sign(vector["token"], vector["echo_timestamp"], vector["echo_nonce"], vector["echostr"])
    message = sign(vector["token"], vector["timestamp"], vector["nonce"], vector["encrypt"])

    assert (echo, message) == (vector["echo_signature"], vector["signature"])


@VECTORS
def test_the_official_vectors_decrypt_to_their_texts(vector: dict[str, str]) -> None:
    crypto = EnterpriseCrypto(vector["token"], vector["key"], vector["receiver"])

    echo = crypto.check_signature(
        vector["echo_signature"], vector["echo_timestamp"], vector["echo_nonce"], vector["echostr"]
    )
    message = crypto.decrypt_message(
        {"Encrypt": vector["encrypt"]}, vector["signature"], vector["timestamp"], vector["nonce"]
    )

    assert echo == vector["echo"]
    assert xml.read(message)["Content"] == vector["content"]


def test_what_the_platform_seals_opens_with_the_vectors_own_crypto(wechat: WeChat) -> None:
    for platform, vector in ((wechat.oa, VECTOR_A), (wechat.wecom, VECTOR_B)):
        sealed = platform.wire.seal("<xml><Content>烂了一半</Content></xml>")
        crypto = EnterpriseCrypto(vector["token"], vector["key"], vector["receiver"])

        opened = crypto.decrypt_message({"Encrypt": sealed.encrypt}, sealed.signature, sealed.timestamp, sealed.nonce)

        assert opened == "<xml><Content>烂了一半</Content></xml>"


def test_both_platforms_verify_a_bot_that_knows_the_token(wechat: WeChat) -> None:
    assert wechat.oa.verify()
    assert wechat.wecom.verify()


def test_a_bot_that_echoes_something_else_is_not_verified(wechat: WeChat, bot: EchoBot) -> None:
    wechat.wecom.wire.url = f"{bot.server.url}/callback/oa"  # answers without decrypting

    assert not wechat.wecom.verify()


def test_a_bot_that_is_not_there_is_not_verified(wechat: WeChat, bot: EchoBot) -> None:
    bot.server.close()

    assert not wechat.oa.verify()


@pytest.mark.parametrize("name", ["王桂兰", "张团长"])
def test_a_passive_reply_appears_in_the_chat(wechat: WeChat, name: str) -> None:
    person = wechat.person(name)

    delivery = person.send("你好 ]]> <b>")

    assert delivery.accepted
    assert [(bubble.speaker, bubble.text) for bubble in person.chat()] == [
        ("person", "你好 ]]> <b>"),
        ("bot", "你好 ]]> <b>"),
    ]


def test_the_official_account_signs_the_query_and_names_the_openid(wechat: WeChat, bot: EchoBot) -> None:
    wechat.person("王桂兰").send("你好")

    query = bot.queries[0]
    assert query["openid"] == "oWang"
    assert query["encrypt_type"] == "aes"
    assert query["signature"] == sign("QDG6eK", query["timestamp"], query["nonce"])


def test_wecom_names_the_agent_and_leaves_out_what_only_the_official_account_has(wechat: WeChat, bot: EchoBot) -> None:
    wechat.person("张团长").send_voice(samples.voice("any"), "说了什么")

    assert bot.heard[0]["AgentID"] == "1000002"
    assert "Recognition" not in bot.heard[0]
    assert set(bot.queries[0]) == {"msg_signature", "timestamp", "nonce"}


def test_a_voice_message_carries_both_media_ids_and_the_transcript(wechat: WeChat, bot: EchoBot) -> None:
    wechat.person("王桂兰").send_voice(samples.voice("any"), "苹果坏了")

    fields = bot.heard[0]
    assert fields["Recognition"] == "苹果坏了"
    assert fields["Format"] == "amr"
    assert fields["MediaId"] != fields["MediaId16K"]


def test_every_kind_of_message_has_the_platforms_own_fields(wechat: WeChat, bot: EchoBot) -> None:
    person = wechat.person("王桂兰")
    person.send_photo(samples.photo("bad-apple-1.jpg"))
    person.send_video(b"a film of some bytes")
    person.send_location(31.23, 121.47, "东门")
    person.send_link("标题", "说明", "https://example.com")
    person.follow()
    person.tap("help")
    person.event("VIEW", "https://example.com", MenuId="1")

    names = [set(fields) - {"ToUserName", "FromUserName", "CreateTime", "MsgType", "MsgId"} for fields in bot.heard]
    assert names == [
        {"PicUrl", "MediaId"},
        {"MediaId", "ThumbMediaId"},
        {"Location_X", "Location_Y", "Scale", "Label"},
        {"Title", "Description", "Url"},
        {"Event", "EventKey"},
        {"Event", "EventKey"},
        {"Event", "EventKey", "MenuId"},
    ]
    assert ["MsgId" in fields for fields in bot.heard] == [True] * 4 + [False] * 3


def test_message_ids_never_repeat_and_fit_64_bits(wechat: WeChat, bot: EchoBot) -> None:
    for _ in range(20):
        wechat.person("王桂兰").send("在吗")

    ids = {int(fields["MsgId"]) for fields in bot.heard}
    assert len(ids) == 20
    assert all(2**31 < number < 2**63 for number in ids)


def test_a_slow_bot_is_tried_three_times_with_the_same_id_and_then_the_resident_reads_a_notice(
    wechat: WeChat, bot: EchoBot
) -> None:
    never = threading.Event()
    bot.instead = [never, never, never]
    wechat.oa.wire.timeout = SHORT

    delivery = wechat.person("王桂兰").send("在吗")
    never.set()

    assert (delivery.tries, delivery.accepted) == (3, False)
    assert len({fields["MsgId"] for fields in bot.heard}) == 1
    assert wechat.person("王桂兰").chat()[-1].text == NOTICE


def test_a_bot_that_is_in_time_at_the_second_try_is_heard(wechat: WeChat, bot: EchoBot) -> None:
    late = threading.Event()
    bot.instead = [late]
    wechat.oa.wire.timeout = SHORT

    delivery = wechat.person("王桂兰").send("在吗")
    late.set()

    assert (delivery.tries, delivery.accepted) == (2, True)
    assert [bubble.text for bubble in wechat.person("王桂兰").chat()] == ["在吗", "在吗"]


def test_a_bot_that_is_away_is_tried_three_times_by_wecom_without_a_notice(wechat: WeChat, bot: EchoBot) -> None:
    bot.server.close()

    delivery = wechat.person("张团长").send("工单")

    assert (delivery.tries, delivery.status) == (3, None)
    assert [bubble.speaker for bubble in wechat.person("张团长").chat()] == ["person"]


def test_wecom_does_not_repeat_after_an_error_status(wechat: WeChat, bot: EchoBot) -> None:
    bot.instead = [("", 500)]

    delivery = wechat.person("张团长").send("工单")

    assert (delivery.tries, delivery.accepted) == (1, False)


@pytest.mark.parametrize("answer", [("oops", 200), ("<xml><Content>open text</Content></xml>", 200), ("", 500)])
def test_an_answer_that_is_no_reply_makes_the_official_account_unavailable(
    wechat: WeChat, bot: EchoBot, answer: tuple[str, int]
) -> None:
    bot.instead = [answer] * 3

    wechat.person("王桂兰").send("在吗")

    assert [bubble.text for bubble in wechat.person("王桂兰").chat()] == ["在吗", NOTICE]


@pytest.mark.parametrize("answer", ["", "success"])
def test_an_empty_answer_ends_the_callback_quietly(wechat: WeChat, bot: EchoBot, answer: str) -> None:
    bot.instead = [(answer, 200)]

    delivery = wechat.person("王桂兰").send("在吗")

    assert (delivery.tries, delivery.accepted, delivery.reply) == (1, True, None)
    assert len(wechat.person("王桂兰").chat()) == 1


def test_a_passive_reply_over_2048_bytes_is_not_taken(wechat: WeChat, bot: EchoBot) -> None:
    bot.answer = lambda fields: "长" * 683

    wechat.person("王桂兰").send("在吗")

    assert wechat.person("王桂兰").chat()[-1].text == NOTICE


def test_a_repeated_callback_has_the_same_id_and_shows_its_reply_once(wechat: WeChat, bot: EchoBot) -> None:
    person = wechat.person("王桂兰")
    person.send("在吗")
    person.repeat()

    assert len({fields["MsgId"] for fields in bot.heard}) == 1
    assert len(bot.heard) == 2
    assert len(person.chat()) == 2


@pytest.mark.parametrize("parallel", [False, True])
def test_a_test_can_ask_for_duplicates_of_the_next_callback_only(wechat: WeChat, bot: EchoBot, parallel: bool) -> None:
    wechat.oa.faults.duplicate(3, parallel=parallel)
    wechat.person("王桂兰").send("在吗")
    wechat.person("王桂兰").send("在吗？")

    assert [fields["Content"] for fields in bot.heard] == ["在吗"] * 3 + ["在吗？"]


def test_parallel_duplicates_are_under_way_at_the_same_time(wechat: WeChat, bot: EchoBot) -> None:
    together = threading.Barrier(3)

    def answer(fields: dict[str, str]) -> str:
        together.wait(5)
        return "好"

    bot.answer = answer
    wechat.oa.faults.duplicate(3, parallel=True)

    assert wechat.person("王桂兰").send("在吗").accepted
