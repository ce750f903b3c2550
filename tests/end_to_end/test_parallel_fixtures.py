"""Callbacks as the platforms send them: what each means, and that repeats of it change nothing."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from sqlalchemy import Table, select
from wechatpy.crypto import WeChatCrypto
from wechatpy.enterprise.crypto import WeChatCrypto as WecomCrypto

from app import create_app
from bot.message import Media, Message
from bot.storage.migrate import upgrade
from bot.storage.tables import attachments, conversations, inbox, outbox
from compose import Bot, compose
from config.settings import Settings
from playground import demo_data
from playground.platform import xml

FIXTURES = Path(__file__).parent.parent / "fixtures"
RESIDENT, LEADER = "oREDACTED0000000000000000001", "LeaderRedacted"
BEGAN = 1763712000  # the recordings were made in the seconds after this
COPIES = 3

_numbers = itertools.count(1)


def media(kind: Any, name: str, form: str = "") -> Media:
    return Media(kind, f"REDACTED-{name}-media-id-Ks8vQfZ2mX1pL0cN7bT4yR6wA3", form)


def recorded(channel: str, account: str, second: int, kind: Any, **fields: Any) -> Message:
    return Message(channel, account, "", kind, datetime.fromtimestamp(BEGAN + second, UTC), **fields)


of_resident = partial(recorded, "oa", RESIDENT)
of_leader = partial(recorded, "app", LEADER)

# None: the platform is told that it came, and nothing follows.
MEANINGS: dict[str, Message | None] = {
    "official_account/text": of_resident(1, "text", text="退款多久到账？"),
    "official_account/image": of_resident(2, "image", media=media("image", "image")),
    "official_account/voice-with-recognition": of_resident(
        3, "voice", text="我的订单到哪了。", media=media("voice", "voice16k", "amr")
    ),
    "official_account/voice-without-recognition": of_resident(4, "voice", media=media("voice", "voice", "amr")),
    "official_account/video": of_resident(5, "video"),
    "official_account/shortvideo": of_resident(6, "video"),
    "official_account/location": of_resident(7, "location", text="阳光花园东门"),
    "official_account/link": of_resident(8, "link", text="今天的团购"),
    "official_account/subscribe": of_resident(9, "event", event="subscribe"),
    "official_account/unsubscribe": None,
    "official_account/scan": of_resident(11, "event", event="scan", extra={"scene": "sunshine"}),
    "official_account/click": of_resident(12, "event", event="click", text="help"),
    "official_account/view": None,
    "official_account/unknown-event": None,
    "wecom_app/text": of_leader(15, "text", text="工单"),
    "wecom_app/image": of_leader(16, "image", media=media("image", "image")),
    "wecom_app/voice": of_leader(17, "voice", media=media("voice", "voice", "amr")),
    "wecom_app/location": of_leader(18, "location", text="东门自提点"),
    "wecom_app/enter-agent": of_leader(19, "event", event="enter_agent"),
    "wecom_app/unknown-event": None,
}


@dataclass(frozen=True)
class Whole:
    """A bot with all its rooms behind its HTTP side, and the platforms' keys to it."""

    bot: Bot
    app: Flask
    cryptos: dict[str, Any]

    def post(self, callback: tuple[str, bytes]) -> str:
        """Delivers a sealed callback; the text in the answer, or the platform's word for none."""
        address, body = callback
        with self.app.test_client().post(address, data=body) as response:
            assert response.status_code == 200
            answer = response.get_data(as_text=True)
        if answer in ("", "success"):
            return answer
        outer = xml.read(answer)
        crypto = self.cryptos[address.split("/")[2].split("?")[0]]
        inner = crypto.decrypt_message(outer, outer["MsgSignature"], outer["TimeStamp"], outer["Nonce"])
        return xml.read(inner)["Content"]

    def seal(self, channel: str, document: str) -> tuple[str, bytes]:
        now = str(int(time.time()))
        body = self.cryptos[channel].encrypt_message(document, "nonce", now)
        query = {"msg_signature": xml.read(body)["MsgSignature"], "timestamp": now, "nonce": "nonce"}
        return f"/callback/{channel}?{urlencode(query)}", body.encode()

    def rows(self, table: Table, account: str) -> list:
        query = select(table).join(conversations, conversations.c.id == table.c.conversation_id)
        with self.bot.store.read() as connection:
            return list(connection.execute(query.where(conversations.c.account == account)))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, valkey_url: str) -> Iterator[Whole]:
    folder = tmp_path_factory.mktemp("whole")
    url = f"sqlite:///{folder / 'qunda.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("empty_postgres")()
    upgrade(url)
    nowhere = "http://127.0.0.1:1"
    environment = {"QUNDA_DATA_DIR": str(folder), "QUNDA_DATABASE_URL": url, "QUNDA_REDIS_URL": valkey_url}
    settings = Settings.load({**demo_data.prepare(folder, nowhere, nowhere), **environment}, make_secret=True)
    bot = compose(settings)
    app = create_app(bot)
    keys = demo_data.credentials(folder)
    oa = WeChatCrypto(keys.oa_token, keys.oa_aes_key, keys.oa_app_id)
    yield Whole(bot, app, {"oa": oa, "app": WecomCrypto(keys.app_token, keys.app_aes_key, keys.corp_id)})
    app.extensions["offers"].close()
    bot.close()


def channel_of(name: str) -> str:
    return "oa" if name.startswith("official_account/") else "app"


def document(name: str) -> str:
    return (FIXTURES / f"{name}.xml").read_text(encoding="utf-8")


def test_every_recording_is_in_the_table() -> None:
    assert {
        f"{file.parent.name}/{file.stem}" for file in FIXTURES.glob("*/*.xml") if file.parent.name != "wecom_kf"
    } == set(MEANINGS)


@pytest.mark.parametrize("kind", ["official_account", "wecom_app"])
def test_each_recorded_callback_is_translated_to_what_it_means(whole: Whole, kind: str) -> None:
    keys = []
    for name in (name for name in MEANINGS if name.startswith(kind)):
        address, body = whole.seal(channel_of(name), document(name))
        query = dict(part.split("=") for part in address.partition("?")[2].split("&"))
        message = whole.bot.channels[channel_of(name)].receive(query, body, datetime.now(UTC)).message
        assert (message and replace(message, dedupe_key="")) == MEANINGS[name], name
        if message is not None:
            keys.append(message.dedupe_key)
    assert len(set(keys)) == len(keys)


def in_a_row(deliver: Callable[[], str]) -> list[str]:
    return [deliver() for _ in range(COPIES)]


def at_once(deliver: Callable[[], str]) -> list[str]:
    start = Barrier(COPIES)

    def together(_: int) -> str:
        start.wait()
        return deliver()

    with ThreadPoolExecutor(COPIES) as threads:
        return list(threads.map(together, range(COPIES)))


@pytest.mark.parametrize("repeat", [in_a_row, at_once], ids=["in a row", "at once"])
@pytest.mark.parametrize("name", MEANINGS)
def test_a_callback_that_comes_three_times_has_one_outcome(
    whole: Whole, name: str, repeat: Callable[[Callable[[], str]], list[str]]
) -> None:
    account = f"o{next(_numbers):027d}"
    callback = whole.seal(channel_of(name), document(name).replace(RESIDENT, account).replace(LEADER, account))
    answers = repeat(lambda: whole.post(callback))
    message = MEANINGS[name]
    assert len(whole.rows(inbox, account)) == (message is not None)
    assert len(whole.rows(attachments, account)) == (message is not None and message.media is not None)
    said = [row.payload["text"] for row in whole.rows(outbox, account)]
    assert len(said) <= 1
    assert set(answers) == (set(said) or {whole.bot.channels[channel_of(name)].acknowledgement})
