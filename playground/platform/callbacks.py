"""From the platform to the bot: signed, encrypted, timed and tried again as the platforms do."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import requests
from requests.adapters import HTTPAdapter

from playground.clock import PlatformClock
from playground.platform import xml
from playground.platform.cards import Card


class Crypto(Protocol):
    """What both of wechatpy's ``WeChatCrypto`` classes can do."""

    token: str

    def encrypt_message(self, msg: str, nonce: str, timestamp: str | None = None) -> str: ...

    def decrypt_message(self, msg: Mapping[str, str], signature: str, timestamp: str, nonce: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted text with what its receiver needs to check it."""

    encrypt: str
    signature: str
    timestamp: str
    nonce: str


@dataclass(frozen=True, slots=True)
class Callback:
    """One message or event on its way to the bot; ``key`` is the same for every try and copy of it."""

    key: str
    account: str
    body: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """A callback as it goes over the wire: the address's query, and the document."""

    query: Mapping[str, str]
    document: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What the bot said inside its HTTP answer; ``media`` is a picture or sound, ``card`` takes another's place."""

    kind: str
    text: str = ""
    media: bytes | None = None
    card: Card | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """How one callback went: the number of tries, the last HTTP status (None: no answer), and the passive reply.

    ``accepted`` says that the platform was content with the answer.
    """

    callback: Callback
    tries: int
    status: int | None
    accepted: bool
    reply: Reply | None = None


def sign(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def new_aes_key() -> str:
    """An EncodingAESKey: 32 bytes in base64 without the last "="; letters and digits only, as the platforms make it."""
    while True:
        key = base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")
        if key.isalnum():
            return key


class Wire:
    """The platform's HTTP client. ``timeout`` and ``verify_timeout`` are in seconds (5 and 1 on the real platforms)."""

    content_type = "text/xml"

    def __init__(self, crypto: Crypto, clock: PlatformClock, *, timeout: float = 5.0, verify_timeout: float = 1.0):
        self.crypto = crypto
        self.url = ""
        self.timeout = timeout
        self.verify_timeout = verify_timeout
        self._clock = clock
        self._session = requests.Session()
        self._session.trust_env = False  # the bot is on this machine: no proxy
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=128))

    def seal(self, text: str) -> Sealed:
        timestamp, nonce = str(int(self._clock.wire().timestamp())), str(secrets.randbelow(10**10))
        fields = xml.read(self.crypto.encrypt_message(text, nonce, timestamp))
        return Sealed(fields["Encrypt"], fields["MsgSignature"], timestamp, nonce)

    def open(self, document: str) -> str:
        """An encrypted passive reply as plain XML; ``ValueError`` when it is not one for us."""
        outer = xml.read(document)
        try:
            return self.crypto.decrypt_message(outer, outer["MsgSignature"], outer["TimeStamp"], outer["Nonce"])
        except Exception as error:  # wechatpy lets any kind of error out for what it cannot decrypt
            raise ValueError("not encrypted for this account") from error

    def verify_sealed(self) -> bool:
        """Sends WeCom's encrypted verification: whether the bot gave its plain text back."""
        echo = str(secrets.randbelow(10**18))
        sealed = self.seal(echo)
        query = {"msg_signature": sealed.signature, "timestamp": sealed.timestamp, "nonce": sealed.nonce}
        return self.get({**query, "echostr": sealed.encrypt}) == echo

    def get(self, query: Mapping[str, str]) -> str | None:
        """What a verification is answered with, None when the answer is late or not 200."""
        try:
            response = self._session.get(self.url, params=query, timeout=self.verify_timeout)
        except requests.RequestException:
            return None
        return response.text if response.status_code == 200 else None

    def post(self, query: Mapping[str, str], document: str) -> requests.Response | None:
        """One try; None when the bot cannot be reached or is too slow."""
        try:
            return self._session.post(
                self.url,
                params=query,
                data=document.encode(),
                timeout=self.timeout,
                headers={"Content-Type": self.content_type},
                allow_redirects=False,
            )
        except requests.RequestException:
            return None
