"""The bot was away; what residents wrote to the customer service meanwhile waits on the platform."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.clock import ShiftedClock
from bot.storage.tables import inbox, outbox
from tests.escalation.scene import _reader
from tests.faults.offline import leave_waiting
from tests.faults.talk import questions
from tests.faults.test_misbehaviour import at_work
from tests.handlers.kf_town import KfTown

CUSTOMERS, MESSAGES = 12, 300


@pytest.fixture
def town(tmp_path: Path, database_url: str, valkey_url: str, clock: ShiftedClock) -> Iterator[KfTown]:
    opened = KfTown(tmp_path, database_url, valkey_url, clock)
    yield opened
    opened.close()


def test_three_hundred_messages_that_waited_are_each_taken_and_answered_once(town: KfTown) -> None:
    waiting = leave_waiting(town.wechat, questions(_reader()), customers=CUSTOMERS, messages=MESSAGES)
    with at_work(town):
        town.work()
    town.work()
    for customer, texts in waiting.texts.items():
        came = [row.text for row in town.rows(inbox) if row.conversation_id == town.conversation(customer).id]
        said = [row for row in town.rows(outbox) if row.conversation_id == town.conversation(customer).id]
        assert came == texts
        if customer in waiting.silent:
            assert {(row.status, row.error) for row in said} == {("dead", "window_closed")}
            assert town.heard(customer) == []
            continue
        assert {row.status for row in said} == {"sent"}
        assert "\n".join(town.heard(customer)) == "\n".join(row.payload["text"] for row in said)
        assert {row.inbox_id for row in said} == {row.id for row in town.rows(inbox) if row.conversation_id == said[0].conversation_id}
    assert town.kf.ledger.highest_use <= 5
    assert town.kf.ledger.broken == 0
