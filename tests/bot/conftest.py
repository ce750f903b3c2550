"""Real channels against the playground's platforms."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.channels.channel import Channel
from bot.channels.official_account import OfficialAccount
from bot.channels.wecom_app import WecomApp
from bot.redis_connection import connect
from config.channels import OfficialAccountConfig, WecomAppConfig
from playground.wechat import Cast, Credentials, WeChat

KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
CREDENTIALS = Credentials(
    oa_app_id="wx0000000000000001",
    corp_id="ww0000000000000001",
    agent_id=1000002,
    oa_secret="oa-secret-0123456789",
    oa_token="oa-token",
    oa_aes_key=KEY,
    app_secret="app-secret-0123456789",
    app_token="app-token",
    app_aes_key=KEY,
)
ALICE = "oAlice"
LEADER = "LeaderZhang"


@pytest.fixture
def wechat(clock) -> Iterator[WeChat]:
    """Both platforms on loopback, with one resident and one leader."""
    platforms = WeChat(CREDENTIALS, Cast({"alice": ALICE}, {"zhang": ("leader", LEADER)}), time_source=clock.now)
    platforms.open()
    yield platforms
    platforms.close()


@pytest.fixture
def redis_connection(valkey_url):
    connection = connect(valkey_url)
    connection.flushall()
    yield connection
    connection.close()


@pytest.fixture
def channels(wechat: WeChat, redis_connection, clock) -> dict[str, Channel]:
    oa = OfficialAccountConfig(
        name="oa",
        app_id=CREDENTIALS.oa_app_id,
        secret=CREDENTIALS.oa_secret,
        token=CREDENTIALS.oa_token,
        aes_key=KEY,
        api_base=wechat.oa.server.url,
    )
    app = WecomAppConfig(
        name="app",
        corp_id=CREDENTIALS.corp_id,
        agent_id=CREDENTIALS.agent_id,
        secret=CREDENTIALS.app_secret,
        token=CREDENTIALS.app_token,
        aes_key=KEY,
        api_base=wechat.wecom.server.url,
    )
    return {
        "oa": OfficialAccount(oa, redis_connection, clock),
        "app": WecomApp(app, redis_connection, clock),
    }
