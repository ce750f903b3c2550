"""The signed and encrypted envelope around every callback, checked before anything in it is believed.

The cipher and the reply format are wechatpy's; what it leaves open is closed here: the signature is compared in
constant time, the padding and the length are checked, the age is checked, and whatever bad bytes may do,
only :class:`ForgedCallback` and :class:`MalformedCallback` come out.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from xml.parsers.expat import ExpatError

import xmltodict
from wechatpy.crypto import WeChatCrypto, _get_signature

from bot.errors import ForgedCallback, MalformedCallback

MAX_BODY = 1024 * 1024
MAX_AGE_SECONDS = 300
_LONGEST_ECHO = 2048
_BLOCK = 32  # PKCS#7 to 32 bytes: developer.work.weixin.qq.com document 90968


@dataclass(frozen=True, slots=True)
class Signature:
    """The query of a callback: who signed what, and when."""

    signature: str
    timestamp: str
    nonce: str

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Signature:
        """Reads ``msg_signature``, ``timestamp`` and ``nonce`` from the query; absent ones are a forgery."""
        values = [query.get(name, "") for name in ("msg_signature", "timestamp", "nonce")]
        if not all(values) or any(len(value) > 128 for value in values):
            raise ForgedCallback("the callback is not signed")
        return cls(*values)


def check_age(timestamp: str, now: datetime) -> None:
    """Refuses a callback signed more than five minutes ago or ahead: it may be a recording."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise ForgedCallback("the callback has no valid timestamp")
    if abs(now.timestamp() - int(timestamp)) > MAX_AGE_SECONDS:
        raise ForgedCallback("the callback is too old", code="stale")


def same_signature(given: str, *parts: str) -> bool:
    """Compares a signature with that of the parts in constant time."""
    return hmac.compare_digest(signature_of(*parts).encode(), given.encode())


def signature_of(*parts: str) -> str:
    """The platforms' signature: sha1 over the sorted parts."""
    signature: str = _get_signature(*_four(parts))
    return signature


def _four(parts: tuple[str, ...]) -> tuple[str, str, str, str]:
    padded = (*parts, "", "", "")[:4]
    return padded[0], padded[1], padded[2], padded[3]


class Envelope:
    """Opens what the platform sent to one account, and seals what goes back in the HTTP answer.

    ``receiver`` is the id that must stand inside: the app id of an Official Account, the corp id of WeCom; for a smart
    bot it is empty.
    """

    def __init__(self, token: str, aes_key: str, receiver: str) -> None:
        self._token = token
        self._receiver = receiver
        self._crypto = WeChatCrypto(token, aes_key, receiver)
        self._key: bytes = self._crypto.key

    def open_body(self, body: bytes, signature: Signature) -> dict[str, Any]:
        """Returns the decrypted XML of a POST as a dictionary.

        Raises :class:`ForgedCallback` when it is not from the platform, :class:`MalformedCallback` when unreadable.
        """
        encrypted = _root(body).get("Encrypt")
        if not isinstance(encrypted, str) or not encrypted:
            raise ForgedCallback("the callback is not encrypted")
        return _root(self.open(encrypted, signature).encode())

    def open_json(self, body: bytes, signature: Signature) -> dict[str, Any]:
        """Returns the decrypted JSON of a POST (document 101033). Raises as ``open_body`` does."""
        encrypted = _object(body).get("encrypt")
        if not isinstance(encrypted, str) or not encrypted:
            raise ForgedCallback("the callback is not encrypted")
        return _object(self.open(encrypted, signature))

    def open(self, encrypted: str, signature: Signature) -> str:
        """Checks the signature of an encrypted text and decrypts it."""
        if not same_signature(signature.signature, self._token, signature.timestamp, signature.nonce, encrypted):
            raise ForgedCallback("the signature does not fit")
        try:
            return self._decrypt(encrypted)
        except (ValueError, binascii.Error, IndexError, UnicodeDecodeError) as error:
            raise MalformedCallback("the callback cannot be decrypted") from error

    def open_echo(self, query: Mapping[str, str], now: datetime) -> str:
        """Answers the GET of a verification: the plain text of its encrypted ``echostr`` (document 90968)."""
        signature, echo = Signature.of(query), query.get("echostr", "")
        if not echo or len(echo) > _LONGEST_ECHO:
            raise ForgedCallback("the verification has no echostr")
        check_age(signature.timestamp, now)
        return self.open(echo, signature)

    def sealed_echo(self, nonce: str, now: datetime) -> dict[str, str]:
        """The query of such a GET as the platform would send it; the nonce, of digits, is what must come back."""
        timestamp = str(int(now.timestamp()))
        encrypted, signature = self.sealed_text(nonce, nonce, timestamp)
        return {"msg_signature": signature, "timestamp": timestamp, "nonce": nonce, "echostr": encrypted}

    def seal(self, xml: str, nonce: str, timestamp: str) -> str:
        """Encrypts and signs a passive reply."""
        sealed: str = self._crypto.encrypt_message(xml, nonce, timestamp)
        return sealed

    def sealed_text(self, text: str, nonce: str, timestamp: str) -> tuple[str, str]:
        """A text encrypted as the platform encrypts it for us, and the signature to go with it."""
        sealed = _root(self.seal(text, nonce, timestamp).encode())
        return str(sealed["Encrypt"]).strip(), str(sealed["MsgSignature"]).strip()

    def _decrypt(self, encrypted: str) -> str:
        from wechatpy.crypto.cryptography import WeChatCipher

        plain: bytes = WeChatCipher(self._key).decrypt(base64.b64decode(encrypted, validate=True))
        padding = plain[-1]
        if not 1 <= padding <= _BLOCK or plain[-padding:] != bytes([padding]) * padding:
            raise ValueError("bad padding")
        content = plain[16:-padding]
        length = int.from_bytes(content[:4], "big")
        if len(content) < 4 + length:
            raise ValueError("bad length")
        if not hmac.compare_digest(content[4 + length :], self._receiver.encode()):
            raise ForgedCallback("the callback is meant for another account")
        return content[4 : 4 + length].decode("utf-8")


def _object(document: bytes | str) -> dict[str, Any]:
    try:
        found = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise MalformedCallback("the callback is not JSON") from error
    if not isinstance(found, dict):
        raise MalformedCallback("the callback has no content")
    return found


def _root(xml: bytes) -> dict[str, Any]:
    if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml:
        raise MalformedCallback("a document type is not allowed")
    try:
        # Outer white space belongs to what a person wrote; xmltodict would strip it.
        root = xmltodict.parse(xml, strip_whitespace=False).get("xml")
    except (ExpatError, ValueError, TypeError, AttributeError, UnicodeError) as error:
        raise MalformedCallback("the callback is not XML") from error
    if not isinstance(root, dict):
        raise MalformedCallback("the callback has no content")
    return root
