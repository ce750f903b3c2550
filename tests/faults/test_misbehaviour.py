"""The platforms misbehave while several people write: every promise holds. `./qunda bench faults` does it at large."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.channels import client
from bot.clock import ShiftedClock
from bot.storage.tables import outbox
from tests.end_to_end.crowd import wait_until
from tests.escalation.scene import _reader
from tests.faults.books import Accepted, Books
from tests.faults.misbehaviour import Door, Misbehaviour, let_one_leader_serve, with_doors
from tests.faults.talk import questions, staff_answer, talks, write
from tests.handlers.kf_town import KfTown

PEOPLE, EACH, CALLS = 5, 8, 2
WORKERS = 2
ROUNDS = 80
BETWEEN_TRIES = 20  # seconds that pass when nothing can be done now


class Town(KfTown):
    """In it a leader serves in WeCom's own client."""

    def _serve(self) -> None:
        let_one_leader_serve(self.config_dir / "people.yaml")
        super()._serve()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, valkey_url: str) -> Iterator[KfTown]:
    folder = tmp_path_factory.mktemp("town")
    shutil.copyfile(sqlite_template, folder / "qunda.db")
    opened = Town(folder, f"sqlite:///{folder / 'qunda.db'}", valkey_url, ShiftedClock())
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is never answered is given up soon."""
    monkeypatch.setattr(client, "READ_SECONDS", 0.5)


@pytest.mark.parametrize(("misbehaviour", "door"), with_doors(), ids=lambda each: getattr(each, "name", each))
def test_every_promise_holds_while_the_platform_misbehaves(
    town: KfTown, misbehaviour: Misbehaviour, door: Door
) -> None:
    town.clock.advance(minutes=5)  # what was sent before counts for no rate any more
    answers = questions(_reader())
    books = Books(town.bot.store, town.wechat, answers)
    spoken = talks(town.wechat, misbehaviour, door, answers, people=PEOPLE, each=EACH, calls=CALLS)
    misbehaviour.start(town.wechat, door)
    try:
        with ThreadPoolExecutor(PEOPLE) as threads, AtWork(town):
            told = list(threads.map(lambda talk: write(talk, misbehaviour), spoken))
        accepted = {talk.person: texts for talk, texts in zip(spoken, told, strict=True)}
        come_to_rest(town, books, accepted)
        residents = list(accepted)
        accepted |= staff_answer(town.bot.store, town.wechat, town.bot.rooms.directory, residents)
        come_to_rest(town, books, accepted)
    finally:
        for platform in town.wechat.platforms:
            platform.faults.clear()
    tally = books.tally(accepted, loses=misbehaviour.loses, silences=misbehaviour.silences)
    assert tally.broken == []
    assert tally.answered


class AtWork:
    """Workers that do what waits until the block ends."""

    def __init__(self, town: KfTown) -> None:
        self._town = town
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(WORKERS)]

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            self._town.work()


def come_to_rest(town: KfTown, books: Books, accepted: Accepted) -> None:
    """Lets time pass and the workers work until nothing is open; what then still is, the books tell."""
    for platform in town.wechat.platforms:
        platform.deliver_held()
    for _ in range(ROUNDS):
        town.work()
        wait_until(lambda: not offered(town), "replies in HTTP answers were confirmed")
        town.work()
        if not books.open_work(accepted):
            return
        town.clock.advance(seconds=BETWEEN_TRIES)


def offered(town: KfTown) -> bool:
    with town.bot.store.read() as connection:
        return connection.execute(select(outbox.c.id).where(outbox.c.status == "offered")).first() is not None
