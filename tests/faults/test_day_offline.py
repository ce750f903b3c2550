"""The bot was away; what residents wrote to the customer service meanwhile waits on the platform."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row, Table

from bot.clock import ShiftedClock
from bot.storage.tables import inbox, outbox
from playground.customers import Customer
from playground.platform.kf_session import MESSAGES as MESSAGES_A_WINDOW
from tests.escalation.scene import _reader
from tests.faults.offline import leave_waiting
from tests.faults.talk import questions
from tests.faults.test_misbehaviour import AtWork
from tests.handlers.kf_town import KfTown

CUSTOMERS, MESSAGES = 12, 300


@pytest.fixture
def town(tmp_path: Path, database_url: str, valkey_url: str, clock: ShiftedClock) -> Iterator[KfTown]:
    opened = KfTown(tmp_path, database_url, valkey_url, clock)
    yield opened
    opened.close()


def rows_of(town: KfTown, table: Table, customer: Customer) -> list[Row[Any]]:
    conversation = town.conversation(customer).id
    return sorted((row for row in town.rows(table) if row.conversation_id == conversation), key=lambda row: row.id)


def test_three_hundred_messages_that_waited_are_each_taken_and_answered_once(town: KfTown) -> None:
    waiting = leave_waiting(town.wechat, questions(_reader()), customers=CUSTOMERS, messages=MESSAGES)
    with AtWork(town):
        town.work()
    town.work()
    for customer, texts in waiting.texts.items():
        came, said = rows_of(town, inbox, customer), rows_of(town, outbox, customer)
        assert [row.text for row in came] == texts
        assert [row.inbox_id for row in said] == [row.id for row in came]
        if customer in waiting.silent:
            assert {(row.status, row.error) for row in said} == {("dead", "window_closed")}
            assert town.heard(customer) == []
        else:
            assert {row.status for row in said} == {"sent"}
            assert "\n".join(town.heard(customer)) == "\n".join(row.payload["text"] for row in said)
    assert town.kf.ledger.highest_use <= MESSAGES_A_WINDOW
    assert town.kf.ledger.broken == 0
