"""A small WeChat with a tiny bot behind it: the bot says back what it hears, unless a test makes it otherwise."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import playwright.sync_api as playwright
import pytest
import requests
from flask import Flask, Response, request
from wechatpy.crypto import WeChatCrypto

from playground import demo_data
from playground.page.routes import page_routes
from playground.platform import xml
from playground.platform.server import Server
from playground.wechat import Cast, Credentials, WeChat
from playground.world import Bubble
from tests.chromium import chromium_browser
from tests.playground.smart_bot import SmartBot

KEY_A = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
KEY_B = "6qkdMrq68nTKduznJYO1A37W2oEgpkMUvkttRToqhUt"
CREDENTIALS = Credentials(
    oa_app_id="wx5823bf96d3bd56c7",
    oa_secret="oa-secret",
    oa_token="QDG6eK",
    oa_aes_key=KEY_A,
    corp_id="ww1436e0e65a779aee",
    agent_id=1000002,
    app_secret="app-secret",
    app_token="hJqcu3uJ9Tn2gXPmxx2w9kkCkCE2EPYo",
    app_aes_key=KEY_B,
    bot_id="aibTest",
    bot_token="bot-token",
    bot_aes_key=KEY_B,
)
CAST = Cast(
    residents={"王桂兰": "oWang", "刘建国": "oLiu"},
    staff={"张团长": ("leader", "ZhangLeader"), "李团长": ("leader", "LiLeader")},
    customers={"王桂兰": "wmWang", "刘建国": "wmLiu"},
    communities={"王桂兰": "sunshine"},
)
SHORT = 0.15  # seconds; for tests in which the bot is too slow, where the platforms' own five would take long


class EchoBot:
    """Answers on ``/callback/oa`` and ``/callback/app`` with a passive reply, and takes those of ``/callback/kf``.

    ``answer`` makes the reply from the message's fields: its text, or fields of its own; "" answers nothing.
    ``instead`` replaces the whole HTTP answer of the next calls, one each; a ``threading.Event`` there holds the
    answer back until it is set.
    """

    def __init__(self) -> None:
        self.heard: list[dict[str, str]] = []
        self.queries: list[dict[str, str]] = []
        self.bodies: list[str] = []
        self.answer: Callable[[dict[str, str]], str | xml.Fields] = lambda fields: fields.get("Content", "")
        self.instead: list[tuple[str, int] | threading.Event] = []
        self._lock = threading.Lock()
        self._cryptos = {
            "oa": WeChatCrypto(CREDENTIALS.oa_token, CREDENTIALS.oa_aes_key, CREDENTIALS.oa_app_id),
            "app": WeChatCrypto(CREDENTIALS.app_token, CREDENTIALS.app_aes_key, CREDENTIALS.corp_id),
            "kf": WeChatCrypto(CREDENTIALS.kf_token, CREDENTIALS.kf_aes_key, CREDENTIALS.corp_id),
        }
        app = Flask("echo")
        app.add_url_rule("/callback/<channel>", view_func=self._receive, methods=["POST"])
        app.add_url_rule("/callback/<channel>", endpoint="verify", view_func=self._verify)
        self.server = Server(app)

    def _verify(self, channel: str) -> Any:
        if channel == "oa":
            return request.args["echostr"]
        query = request.args
        sealed = {"Encrypt": query["echostr"]}
        return self._cryptos[channel].decrypt_message(
            sealed, query["msg_signature"], query["timestamp"], query["nonce"]
        )

    def _receive(self, channel: str) -> Any:
        crypto, query, body = self._cryptos[channel], request.args, request.get_data(as_text=True)
        text = crypto.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])
        fields = xml.read(text)
        with self._lock:
            self.heard.append(fields)
            self.queries.append(query.to_dict())
            self.bodies.append(text)
            instead = self.instead.pop(0) if self.instead else None
        if isinstance(instead, tuple):
            return Response(*instead)
        if instead is not None:
            instead.wait(10)
        words = self.answer(fields) if "FromUserName" in fields else ""  # the customer service only pokes
        if not words:
            return ""
        said: xml.Fields = {"MsgType": "text", "Content": words} if isinstance(words, str) else words
        reply: xml.Fields = {
            "ToUserName": fields["FromUserName"],
            "FromUserName": fields["ToUserName"],
            "CreateTime": 1,
            **said,
        }
        return crypto.encrypt_message(xml.write(reply), query["nonce"], query["timestamp"])


class Api:
    """What a bot does to call a platform's API."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.token = ""

    def get(self, path: str, **query: str) -> dict[str, Any]:
        answer: dict[str, Any] = requests.get(self._url(path), params=query, timeout=5).json()
        return answer

    def post(self, path: str, body: dict[str, Any], timeout: float = 5) -> dict[str, Any]:
        answer: dict[str, Any] = requests.post(
            self._url(path), params={"access_token": self.token}, json=body, timeout=timeout
        ).json()
        return answer

    def upload(self, kind: str, content: bytes) -> dict[str, Any]:
        answer: dict[str, Any] = requests.post(
            self._url("media/upload"),
            params={"access_token": self.token, "type": kind},
            files={"media": ("file.bin", content)},
            timeout=5,
        ).json()
        return answer

    def download(self, media_id: str) -> requests.Response:
        query = {"access_token": self.token, "media_id": media_id}
        return requests.get(self._url("media/get"), params=query, timeout=5)

    def _url(self, path: str) -> str:
        return f"{self.base}/cgi-bin/{path}"


class Browser:
    """The page's side of the wire."""

    def __init__(self, base: str) -> None:
        self.base = f"{base}/playground"

    def post(self, path: str, body: object, **headers: str) -> requests.Response:
        return requests.post(f"{self.base}/api/{path}", json=body, headers=headers, timeout=5)

    def send(self, **body: str) -> requests.Response:
        return self.post("send", body)

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(f"{self.base}/{path}", headers=headers, timeout=5)

    def events(self, last_seen: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
        """(id, content) of each event."""
        with requests.get(
            f"{self.base}/api/events", headers={"Last-Event-ID": last_seen}, stream=True, timeout=5
        ) as stream:
            name = ""
            for line in stream.iter_lines():
                if line.startswith(b"id: "):
                    name = line[4:].decode()
                elif line.startswith(b"data: "):
                    yield name, json.loads(line[6:])


def settled(wechat: WeChat, name: str) -> int:
    """The id of what was sent last from the phone of this name, once the bot has answered it."""

    def sent() -> list[Bubble]:
        return [bubble for bubble in wechat.phones[name].chat() if bubble.speaker == "person"]

    assert wechat.world.wait_until(lambda: bool(sent()) and sent()[-1].state in ("delivered", "failed"))
    return sent()[-1].id


@contextmanager
def opened(wechat: WeChat, bot: EchoBot, smart: SmartBot | None = None) -> Iterator[WeChat]:
    """Serves the platforms with the page, as their bots know them."""
    wechat.oa.app.register_blueprint(page_routes(wechat))
    wechat.open()
    wechat.connect(bot.server.url)
    if smart is not None:
        wechat.aibot.wire.url = f"{smart.server.url}/callback/group-bot"
    yield wechat
    wechat.close()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def bot() -> Iterator[EchoBot]:
    bot = EchoBot()
    yield bot
    for waiting in bot.instead:
        if isinstance(waiting, threading.Event):
            waiting.set()
    bot.server.close()


@pytest.fixture
def smart() -> Iterator[SmartBot]:
    smart = SmartBot(CREDENTIALS.bot_token, CREDENTIALS.bot_aes_key)
    yield smart
    smart.server.close()


@pytest.fixture
def wechat(bot: EchoBot) -> Iterator[WeChat]:
    with opened(WeChat(CREDENTIALS, CAST), bot) as wechat:
        yield wechat


@pytest.fixture
def browser(wechat: WeChat) -> Browser:
    return Browser(wechat.oa.server.url)


@pytest.fixture
def demo(bot: EchoBot, smart: SmartBot) -> Iterator[WeChat]:
    """Everybody of the demo, as the page expects them."""
    cast = demo_data.cast(with_kf=True, with_groups=True)
    with opened(WeChat(CREDENTIALS, cast, poll_every=0.01), bot, smart) as wechat:
        yield wechat


@pytest.fixture(scope="module")
def chromium() -> Iterator[playwright.Browser]:
    with chromium_browser() as browser:
        yield browser


@pytest.fixture
def page(demo: WeChat, chromium: playwright.Browser) -> Iterator[playwright.Page]:
    """The page in a real browser; whatever that complains of fails the test."""
    page = chromium.new_page(viewport={"width": 1440, "height": 900}, locale="zh-CN")
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{demo.oa.server.url}/playground/")
    yield page
    page.close()
    assert complaints == []


@pytest.fixture
def oa(wechat: WeChat) -> Api:
    """The Official Account's API, with a token."""
    api = Api(wechat.oa.server.url)
    body = {"grant_type": "client_credential", "appid": CREDENTIALS.oa_app_id, "secret": CREDENTIALS.oa_secret}
    api.token = api.post("stable_token", body)["access_token"]
    return api


def app_api(wechat: WeChat) -> Api:
    """WeCom's API for the app, with a token."""
    api = Api(wechat.wecom.server.url)
    api.token = api.get("gettoken", corpid=CREDENTIALS.corp_id, corpsecret=CREDENTIALS.app_secret)["access_token"]
    return api


@pytest.fixture
def wecom(wechat: WeChat) -> Api:
    return app_api(wechat)


def customer_service(wechat: WeChat) -> Api:
    """The customer service's API, with a token."""
    api = Api(wechat.kf.server.url)
    api.token = api.get("gettoken", corpid=CREDENTIALS.corp_id, corpsecret=CREDENTIALS.kf_secret)["access_token"]
    return api


@pytest.fixture
def kf(wechat: WeChat) -> Api:
    return customer_service(wechat)
