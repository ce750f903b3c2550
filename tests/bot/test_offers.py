from __future__ import annotations

import os
import threading

import pytest
from sqlalchemy import text

from bot.effects import Effects
from bot.offers import OfferConfirmer
from tests.bot.rig import Rig


@pytest.fixture
def rig(store, clock) -> Rig:
    return Rig(store, clock, lambda turn: Effects(replies=("好的。" * 400,)))


def test_an_offer_is_confirmed_also_when_the_database_fails_at_first(rig: Rig, store, clock, capsys) -> None:
    woken = threading.Event()
    offers = OfferConfirmer(store, clock, lambda conversations: woken.set())
    answer = rig.say("在吗")
    with store.write() as connection:
        connection.execute(text("ALTER TABLE outbox RENAME TO outbox_away"))
    offers.written(answer)
    failed = threading.Event()
    original = offers._confirm

    def confirm() -> None:
        try:
            original()
        except Exception:
            failed.set()
            raise

    offers._confirm = confirm  # type: ignore[method-assign]
    assert failed.wait(10)
    with store.write() as connection:
        connection.execute(text("ALTER TABLE outbox_away RENAME TO outbox"))
    assert woken.wait(10)
    offers.close()
    assert rig.outbox()[0].status == "sent"


def test_the_rest_of_a_long_reply_is_sent_after_its_first_part_is_written(rig: Rig, store, clock) -> None:
    woken: list[int] = []
    offers = OfferConfirmer(store, clock, woken.extend)
    answer = rig.say("讲")
    offers.written(answer)
    offers.close()
    assert woken == [answer.conversation_id]


def test_closing_confirms_what_is_left(rig: Rig, store, clock) -> None:
    offers = OfferConfirmer(store, clock, lambda conversations: None)
    for number in range(5):
        offers.written(rig.say("在吗", account=f"account-{number}"))
    offers.close()
    firsts = [row for row in rig.outbox() if row.key.endswith(":0")]
    assert [row.status for row in firsts] == ["sent"] * 5


def test_threads_that_come_and_go_leave_no_files_open(store, clock) -> None:
    rig = Rig(store, clock, lambda turn: Effects(replies=("好的",)))
    rig.say("一")

    def open_files() -> int:
        return len(os.listdir("/proc/self/fd"))

    before = open_files()
    for number in range(40):
        thread = threading.Thread(target=rig.say, args=("在吗",), kwargs={"account": f"thread-{number}"})
        thread.start()
        thread.join()
    assert open_files() <= before + 4
