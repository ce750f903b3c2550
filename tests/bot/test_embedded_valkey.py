from __future__ import annotations

import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from bot.embedded_valkey import LONGEST_SOCKET_PATH, EmbeddedValkey


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    server = EmbeddedValkey(tmp_path / "a b 群")
    yield server
    server.stop()


def test_it_listens_on_a_socket_that_only_this_user_may_open(valkey: EmbeddedValkey, tmp_path: Path) -> None:
    with redis.from_url(valkey.start(), decode_responses=True) as client:
        assert client.config_get("port") == {"port": "0"}
    assert stat.S_IMODE((tmp_path / "a b 群/valkey").stat().st_mode) == 0o700


def test_what_was_written_is_there_after_a_kill_and_the_old_socket_does_not_hinder(valkey: EmbeddedValkey) -> None:
    with redis.from_url(valkey.start()) as client:
        client.set("a", "1")
        pid = client.info("server")["process_id"]
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    with redis.from_url(valkey.start()) as client:
        assert client.get("a") == b"1"


def test_a_path_too_long_for_a_socket_is_gone_around(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path / ("群" * 40))
    try:
        address = server.start()
        with redis.from_url(address) as client:
            assert client.ping()
        assert len(address.removeprefix("unix://")) <= LONGEST_SOCKET_PATH
    finally:
        server.stop()
    assert not Path(address.removeprefix("unix://")).parent.exists()


def test_stopping_takes_the_socket_away(valkey: EmbeddedValkey, tmp_path: Path) -> None:
    valkey.start()
    valkey.stop()
    assert not (tmp_path / "a b 群/valkey/valkey.sock").exists()
