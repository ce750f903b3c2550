from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.crypto import WeChatCrypto

from bot.channels.envelope import Envelope, Signature, check_age
from bot.errors import ForgedCallback, MalformedCallback

# The official samples of developer.work.weixin.qq.com document 90968.
VECTOR_A: dict = {
    "token": "QDG6eK",
    "aes_key": "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C",
    "corp": "wx5823bf96d3bd56c7",
    "url": ("5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3", "1409659589", "263014780"),
    "echo": "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==",
    "echo_plain": "1616140317555161061",
    "post": ("477715d11cdb4164915debcba66cb864d751f3e6", "1409659813", "1372623149"),
    "encrypted": (
        "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3"
        "TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gs"
        "ijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUa"
        "x5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIG"
        "HBZZIs2pDBS8R07+qN+E7Q=="
    ),
    "content": "hello",
}
VECTOR_B: dict = {
    "token": "hJqcu3uJ9Tn2gXPmxx2w9kkCkCE2EPYo",
    "aes_key": "6qkdMrq68nTKduznJYO1A37W2oEgpkMUvkttRToqhUt",
    "corp": "ww1436e0e65a779aee",
    "url": ("012bc692d0a58dd4b10f8dfe5c4ac00ae211ebeb", "1476416373", "47744683"),
    "echo": "fsi1xnbH4yQh0+PJxcOdhhK6TDXkjMyhEPA7xB2TGz6b+g7xyAbEkRxN/3cNXW9qdqjnoVzEtpbhnFyq6SVHyA==",
    "echo_plain": "1288432023552776189",
    "post": ("0c3914025cb4b4d68103f6bfc8db550f79dcf48e", "1476422779", "1597212914"),
    "encrypted": (
        "Kl7kjoSf6DMD1zh7rtrHjFaDapSCkaOnwu3bqLc5tAybhhMl9pFeK8NslNPVdMwmBQTNoW4mY7AIjeLvEl3NyeTkAgGzBhzTtRLNshw2AEew+kkY"
        "cD+Fq72Kt00fT0WnN87hGrW8SqGc+NcT3mu87Ha3dz1pSDi6GaUA6A0sqfde0VJPQbZ9U+3JWcoD4Z5jaU0y9GSh010wsHF8KZD24YhmZH4ch4Ka"
        "7ilEbjbfvhKkNL65HHL0J6EYJIZUC2pFrdkJ7MhmEbU2qARR4iQHE7wy24qy0cRX3Mfp6iELcDNfSsPGjUQVDGxQDCWjayJOpcwocugux082f49H"
        "KYg84EpHSGXAyh+/oxwaWbvL6aSDPOYuPDGOCI8jmnKiypE+"
    ),
    "content": "你好",
}
VECTORS = pytest.mark.parametrize("vector", [VECTOR_A, VECTOR_B], ids=["A", "B"])


def envelope_of(vector: dict) -> Envelope:
    return Envelope(vector["token"], vector["aes_key"], vector["corp"])


@VECTORS
def test_official_verification_sample_is_opened(vector: dict) -> None:
    assert envelope_of(vector).open(vector["echo"], Signature(*vector["url"])) == vector["echo_plain"]


@VECTORS
def test_official_message_sample_is_opened(vector: dict) -> None:
    body = f"<xml><ToUserName>{vector['corp']}</ToUserName><Encrypt>{vector['encrypted']}</Encrypt></xml>"
    fields = envelope_of(vector).open_body(body.encode(), Signature(*vector["post"]))
    assert fields["Content"] == vector["content"]


def sealed(xml: str, *, receiver: str = VECTOR_A["corp"]) -> tuple[bytes, Signature]:
    crypto = WeChatCrypto(VECTOR_A["token"], VECTOR_A["aes_key"], receiver)
    body = crypto.encrypt_message(xml, "7", "1409659813")
    signature = body.split("<MsgSignature><![CDATA[")[1].split("]]>")[0]
    return body.encode(), Signature(signature, "1409659813", "7")


def test_a_wrong_signature_is_a_forgery() -> None:
    body, signature = sealed("<xml><Content>hi</Content></xml>")
    wrong = Signature("0" * 40, signature.timestamp, signature.nonce)
    with pytest.raises(ForgedCallback):
        envelope_of(VECTOR_A).open_body(body, wrong)


def test_a_callback_for_another_account_is_a_forgery() -> None:
    body, signature = sealed("<xml><Content>hi</Content></xml>", receiver="wxSomebodyElse0000")
    with pytest.raises(ForgedCallback, match="another account"):
        envelope_of(VECTOR_A).open_body(body, signature)


def test_an_unencrypted_body_is_a_forgery() -> None:
    with pytest.raises(ForgedCallback, match="not encrypted"):
        envelope_of(VECTOR_A).open_body(b"<xml><Content>hi</Content></xml>", Signature("a", "1", "b"))


def test_an_absent_signature_is_a_forgery() -> None:
    with pytest.raises(ForgedCallback):
        Signature.of({"timestamp": "1", "nonce": "2"})


def test_a_document_type_is_refused_before_parsing() -> None:
    body = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><xml><Encrypt>&a;</Encrypt></xml>'
    with pytest.raises(MalformedCallback):
        envelope_of(VECTOR_A).open_body(body, Signature("a", "1", "b"))


@pytest.mark.parametrize("seconds", [301, -301])
def test_a_callback_older_or_newer_than_five_minutes_is_stale(seconds: int) -> None:
    now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    with pytest.raises(ForgedCallback) as caught:
        check_age(str(int(now.timestamp()) - seconds), now)
    assert caught.value.code == "stale"


def test_outer_white_space_of_what_a_person_wrote_is_kept() -> None:
    body, signature = sealed("<xml><Content><![CDATA[  第一行\n ]]></Content></xml>")
    assert envelope_of(VECTOR_A).open_body(body, signature)["Content"] == "  第一行\n "


@given(st.binary(max_size=300))
def test_any_bytes_end_in_one_of_two_errors(body: bytes) -> None:
    with pytest.raises((ForgedCallback, MalformedCallback)):
        envelope_of(VECTOR_A).open_body(body, Signature("a" * 40, "1", "b"))


@given(st.binary(max_size=200))
def test_signed_garbage_ends_in_one_of_two_errors(plain: bytes) -> None:
    from wechatpy.crypto import _get_signature

    encrypted = base64.b64encode(plain).decode()
    signature = Signature(_get_signature(VECTOR_A["token"], "1", "n", encrypted), "1", "n")
    with pytest.raises((ForgedCallback, MalformedCallback)):
        envelope_of(VECTOR_A).open(encrypted, signature)
