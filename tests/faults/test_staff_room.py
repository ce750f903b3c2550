"""An alert to the staff's room is read, or its ticket shows that it was not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.channels import client
from bot.clock import ShiftedClock
from bot.storage.tables import outbox
from playground.platform.faults import Faults
from tests.faults.talk import COMPLAINT
from tests.handlers.group_town import GroupTown

WEBHOOK = "webhook/send"
WRONG_KEY = 93000
FULL = 45009
MINUTE = 60


@pytest.fixture
def town(
    tmp_path: Path, database_url: str, valkey_url: str, clock: ShiftedClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[GroupTown]:
    monkeypatch.setattr(client, "READ_SECONDS", 0.2)
    opened = GroupTown(tmp_path, database_url, valkey_url, clock)
    yield opened
    opened.close()


@pytest.fixture
def faults(town: GroupTown) -> Faults:
    return town.wechat.wecom.faults


def complain(town: GroupTown, name: str = "王桂兰") -> None:
    town.says(town.wechat.person(name), COMPLAINT)


def read_in_the_room(town: GroupTown) -> list[str]:
    return [bubble.text for bubble in town.wechat.room.chat()]


def time_passes(town: GroupTown) -> None:
    town.clock.advance(seconds=MINUTE)
    town.work()


def test_an_alert_that_got_no_answer_is_said_again(town: GroupTown, faults: Faults) -> None:
    faults.hang(to=WEBHOOK)
    complain(town)
    assert read_in_the_room(town) == []

    time_passes(town)
    [alert] = read_in_the_room(town)
    assert alert.startswith("工单 0001 P1 优先：阳光花园有居民找人")


def test_an_alert_whose_connection_died_is_said_again(town: GroupTown, faults: Faults) -> None:
    faults.cut(to=WEBHOOK)
    complain(town)
    assert read_in_the_room(town) == []

    time_passes(town)
    assert len(read_in_the_room(town)) == 1


def test_an_alert_that_was_taken_without_a_word_is_read_twice_as_nobody_can_know(
    town: GroupTown, faults: Faults
) -> None:
    faults.hang_after_accepting(to=WEBHOOK)
    complain(town)
    time_passes(town)

    first, second = read_in_the_room(town)
    assert first == second


def test_an_alert_waits_for_as_long_as_the_room_takes_no_more(town: GroupTown, faults: Faults) -> None:
    faults.answer(FULL, to=WEBHOOK, times=None)
    complain(town)
    for _ in range(30):
        time_passes(town)
    assert read_in_the_room(town) == []

    faults.clear()
    time_passes(town)
    assert len(read_in_the_room(town)) == 1


def test_an_alert_that_the_room_refuses_for_good_stands_in_its_ticket(town: GroupTown, faults: Faults) -> None:
    faults.answer(WRONG_KEY, to=WEBHOOK, times=None)
    complain(town)

    assert ("unnotified", f"refused {WRONG_KEY}") in town.events()


def test_a_room_that_refuses_everything_is_not_told_of_it_in_circles(town: GroupTown, faults: Faults) -> None:
    faults.answer(WRONG_KEY, to=WEBHOOK, times=None)
    complain(town)
    tried = town.wechat.wecom.calls(WEBHOOK)
    for _ in range(3):
        time_passes(town)

    assert town.wechat.wecom.calls(WEBHOOK) == tried == 2
    told = [bubble.text for name in ("小陈", "小周") for bubble in town.wechat.person(name).chat()]
    assert len(told) == 2
    assert {row.status for row in town.rows(outbox)} == {"sent", "dead"}
