"""Every scripted conversation, played on the real processes: at each door, and with both kinds of database.

The doors differ in the platform, the databases in storage: three of the four ways show whatever differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from playground.play import play
from playground.scenario import Script, scripts_at
from playground.stage import Stage


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One bot for all conversations, as in the demo."""
    with Stage(tmp_path_factory.mktemp("sqlite")) as running:
        yield running


@pytest.fixture(scope="module")
def at_the_other_door(on_sqlite: Stage) -> Stage:
    """The same bot, as on its first day."""
    on_sqlite.begin_anew()
    return on_sqlite


@pytest.fixture(scope="module")
def on_postgresql(tmp_path_factory: pytest.TempPathFactory, empty_postgres: Callable[[], str]) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("postgresql"), {"QUNDA_DATABASE_URL": empty_postgres()}) as running:
        yield running


def plays_at(door: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("script", scripts_at(door), ids=lambda script: script.name)


@plays_at("oa")
def test_the_conversation_goes_as_written_at_the_official_account(on_sqlite: Stage, script: Script) -> None:
    play(script, on_sqlite.wechat)


@plays_at("oa")
def test_the_conversation_goes_as_written_on_postgresql(on_postgresql: Stage, script: Script) -> None:
    play(script, on_postgresql.wechat)


@plays_at("kf")
def test_the_conversation_goes_as_written_at_the_customer_service(at_the_other_door: Stage, script: Script) -> None:
    play(script, at_the_other_door.wechat, door="kf")
