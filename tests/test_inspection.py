"""What the playground may see inside the bot, and when it may not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app import create_app
from bot.storage.migrate import upgrade
from bot.storage.store import Store
from bot.storage.tables import cursors
from compose import Bot, compose
from config.errors import ConfigError
from config.settings import Settings
from inspection import refuse_real_channels
from playground import demo_data
from playground.inspection import message_key
from playground.platform import xml
from playground.wechat import WeChat
from shop.directory import Community
from shop.kf_links import keep_link, link_to

TOKEN = "of-this-start"

Start = Callable[..., FlaskClient]


@pytest.fixture
def start(tmp_path: Path, valkey_url: str) -> Iterator[Start]:
    """The bot's web application over the demo, with or without a playground in its environment."""
    bots: list[Bot] = []

    def begin(**environment: str) -> FlaskClient:
        demo = demo_data.prepare(tmp_path, "http://127.0.0.1:8101")
        own = {"QUNDA_DATA_DIR": str(tmp_path), "QUNDA_REDIS_URL": valkey_url, "QUNDA_LOG_LEVEL": "CRITICAL"}
        settings = Settings.load({**demo, **own, **environment}, make_secret=True)
        upgrade(settings.database_url)
        bots.append(compose(settings))
        return create_app(bots[-1]).test_client()

    yield begin
    for bot in bots:
        bot.close()


WITH_PLAYGROUND = {"QUNDA_PLAYGROUND_URL": "http://127.0.0.1:8101", "QUNDA_INSPECTION_TOKEN": TOKEN}
SHOWN = {"Authorization": f"Bearer {TOKEN}"}


def test_without_the_playground_there_is_neither_page_nor_inspection(start: Start) -> None:
    client = start(QUNDA_INSPECTION_TOKEN=TOKEN)

    assert client.get("/playground/").status_code == 404
    assert client.get("/inspection/oa/message", headers=SHOWN).status_code == 404


def test_the_page_is_found_under_the_name_by_which_the_bot_was_reached(start: Start) -> None:
    client = start(**WITH_PLAYGROUND)

    answer = client.get("/playground/", headers={"Host": "192.168.1.7:8000"})

    assert (answer.status_code, answer.headers["Location"]) == (302, "http://192.168.1.7:8101/playground/")


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer "}, {"Authorization": "Bearer 猜"}])
def test_nobody_looks_inside_without_the_token_of_this_start(start: Start, headers: dict[str, str]) -> None:
    client = start(**WITH_PLAYGROUND)

    assert client.get("/inspection/oa/message", headers=headers).status_code == 404
    assert client.post("/inspection/forget", headers=headers).status_code == 404


def test_without_a_token_the_inspection_is_closed_to_everybody(start: Start) -> None:
    client = start(QUNDA_PLAYGROUND_URL="http://127.0.0.1:8101")

    assert client.get("/inspection/oa/message", headers={"Authorization": "Bearer "}).status_code == 404


def test_the_playground_is_refused_together_with_a_real_channel(start: Start) -> None:
    with pytest.raises(ConfigError, match="QUNDA_PLAYGROUND_URL is set, but the channel oa leads to"):
        start(**WITH_PLAYGROUND, PLAYGROUND_OA_URL="https://api.weixin.qq.com")


def test_a_message_is_shown_with_what_was_understood_and_written(start: Start, tmp_path: Path) -> None:
    client = start(**WITH_PLAYGROUND)
    key = deliver(client, tmp_path, "刘建国", "转人工")

    told = client.get("/inspection/oa/message", query_string={"key": key}, headers=SHOWN).json

    assert told is not None
    assert (told["message"]["handler"], told["message"]["text"]) == ("hand_over", "转人工")
    assert told["understanding"]["decision"] == "skill"
    assert [ticket["kind"] for ticket in told["records"]["tickets"]] == ["handoff"]
    assert [event["kind"] for event in told["records"]["ticket_events"]] == ["opened"]
    assert {row["voice"] for row in told["records"]["outbox"]} == {"bot", "notice"}


def test_a_message_that_was_never_taken_is_told_as_such(start: Start) -> None:
    client = start(**WITH_PLAYGROUND)

    for key in ("", "nobody:1:1"):
        assert client.get(f"/inspection/oa/message?key={key}", headers=SHOWN).json == {"message": None}


def test_forgetting_empties_the_records_and_leaves_people_and_orders_of_the_first_day(
    start: Start, tmp_path: Path
) -> None:
    client = start(**WITH_PLAYGROUND)
    key = deliver(client, tmp_path, "刘建国", "转人工")

    assert client.post("/inspection/forget", headers=SHOWN).status_code == 200

    assert client.get(f"/inspection/oa/message?key={key}", headers=SHOWN).json == {"message": None}
    later = deliver(client, tmp_path, "刘建国", "我的订单到哪了")
    told = client.get(f"/inspection/oa/message?key={later}", headers=SHOWN).json
    assert told is not None
    assert "番茄" in told["records"]["outbox"][0]["payload"]["text"]


def test_forgetting_keeps_what_was_read_of_the_customer_service_and_the_communities_links(
    start: Start, tmp_path: Path
) -> None:
    client = start(**WITH_PLAYGROUND)
    store = Store(Settings.load({"QUNDA_DATA_DIR": str(tmp_path)}, make_secret=True).database_url)
    sunshine = Community("sunshine", "阳光花园", kf_scene="sunshine")
    with store.write() as connection:
        connection.execute(update(cursors).values(cursor="as-far-as-here"))
        keep_link(connection, "kf", sunshine, "https://work.weixin.qq.com/kf/one", datetime.now(UTC))

    assert client.post("/inspection/forget", headers=SHOWN).status_code == 200

    with store.read() as connection:
        assert connection.execute(select(cursors.c.channel, cursors.c.cursor)).all() == [("kf", "as-far-as-here")]
        assert link_to(connection, sunshine) is not None
    store.close()


def test_a_webhook_that_leads_elsewhere_is_refused_without_telling_its_key(tmp_path: Path) -> None:
    demo = demo_data.prepare(tmp_path, "http://127.0.0.1:8101")
    channels = Path(demo["QUNDA_CONFIG_DIR"]) / "channels.yaml"
    elsewhere = channels.read_text().replace("${PLAYGROUND_WECOM_URL}/cgi-bin", "https://qyapi.weixin.qq.com/cgi-bin")
    channels.write_text(elsewhere)
    settings = Settings.load({**demo, "QUNDA_DATA_DIR": str(tmp_path)}, make_secret=True)

    with pytest.raises(ConfigError, match=r"staff-room leads to qyapi\.weixin\.qq\.com") as refusal:
        refuse_real_channels(settings, "http://127.0.0.1:8101")

    assert demo["PLAYGROUND_ROOM_KEY"] not in str(refusal.value)


def test_what_is_no_demo_is_never_emptied(start: Start, tmp_path: Path) -> None:
    client = start(**WITH_PLAYGROUND)
    (tmp_path / "playground/config/orders.csv").unlink()
    key = deliver(client, tmp_path, "刘建国", "转人工")

    assert client.post("/inspection/forget", headers=SHOWN).status_code == 409
    assert client.get(f"/inspection/oa/message?key={key}", headers=SHOWN).json != {"message": None}


def deliver(client: FlaskClient, data_dir: Path, name: str, text: str) -> str:
    """Posts what the platform would; returns the key by which the inspection finds it."""
    wechat = WeChat(demo_data.credentials(data_dir), demo_data.cast())
    documents: list[str] = []

    def post(query: dict[str, str], document: str) -> None:
        documents.append(wechat.oa.open_callback(query, document))
        assert client.post("/callback/oa", query_string=query, data=document.encode()).status_code == 200

    wechat.oa.wire.post = post  # type: ignore[method-assign, assignment]
    wechat.person(name).send(text)
    return message_key(xml.read(documents[0]))
