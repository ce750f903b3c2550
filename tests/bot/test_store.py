from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import QueuePool, func, select

from bot.storage.store import Store
from bot.storage.tables import conversations
from bot.transaction import conversation_id

NOW = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)


def write_one(store: Store, account: str) -> None:
    with store.write() as connection:
        conversation_id(connection, "oa", account, "", NOW)


def count(store: Store) -> int:
    with store.read() as connection:
        return int(connection.execute(select(func.count()).select_from(conversations)).scalar_one())


def held(store: Store) -> int:
    """Connections that the pool has handed out."""
    assert isinstance(store.engine.pool, QueuePool)
    return store.engine.pool.checkedout()


def test_a_failed_write_leaves_nothing_and_the_next_goes_through(store: Store) -> None:
    def fail() -> None:
        with store.write() as connection:
            conversation_id(connection, "oa", "alice", "", NOW)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert count(store) == 0
    write_one(store, "bob")
    assert count(store) == 1


def test_a_read_inside_a_write_sees_what_is_committed(store: Store) -> None:
    write_one(store, "alice")
    with store.write() as connection:
        conversation_id(connection, "oa", "bob", "", NOW)
        assert count(store) == 1
    assert count(store) == 2


def test_after_a_read_that_stopped_halfway_one_sees_what_others_have_written_since(store: Store) -> None:
    write_one(store, "alice")
    write_one(store, "bob")
    with store.read() as connection:
        assert next(iter(connection.execute(select(conversations.c.id)))) is not None
    in_another_thread(write_one, store, "carol")
    assert count(store) == 3
    write_one(store, "dora")
    assert count(store) == 4


def test_threads_that_come_and_go_leave_no_connection_behind(store: Store) -> None:
    for number in range(30):
        in_another_thread(write_one, store, f"resident{number}")
    assert count(store) == 30
    assert held(store) <= 1


def test_a_closed_store_holds_no_connection(store: Store) -> None:
    write_one(store, "alice")
    count(store)
    store.close()
    assert held(store) == 0


def in_another_thread(work: Callable[..., None], *arguments: object) -> None:
    thread = threading.Thread(target=work, args=arguments)
    thread.start()
    thread.join()
