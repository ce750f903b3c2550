"""The platforms misbehave while several people write: every promise holds. `./qunda bench faults` does it at large."""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.channels import client
from bot.clock import ShiftedClock
from bot.due import due_conversations, due_thoughts
from bot.storage.tables import outbox
from bot.turn import Turns
from tests.end_to_end.crowd import wait_until
from tests.escalation.scene import _reader
from tests.faults.misbehaviour import ALONE, Door, Misbehaviour, let_one_leader_serve, with_doors
from tests.faults.play import Ground, answers_by_door, play
from tests.faults.talk import Size
from tests.handlers.group_town import GroupTown
from tests.handlers.kf_town import KfTown

SMALL = Size(people=5, each=8, calls=2, slow=3, complaints=40)
WORKERS = 2
ROUNDS = 80
BETWEEN_TRIES = 20  # seconds that pass when nothing can be done now
SMART_BOT = "group-bot"


class Town(KfTown):
    """In it a leader serves in WeCom's own client."""

    def _serve(self) -> None:
        let_one_leader_serve(self.config_dir / "people.yaml")
        super()._serve()


class Square(GroupTown):
    """Its workers are told of nothing: they find what is due, and leave it for as long as they do in production."""

    def _think(self) -> bool:
        with self.bot.store.read() as connection:
            found = due_thoughts(connection, self.clock.now())
        for conversation in found:
            self.bot.turns.think(conversation)
        return bool(found)

    def _deliver(self) -> bool:
        before = [(row.id, row.status, row.due_at) for row in self.rows(outbox)]
        with self.bot.store.read() as connection:
            found = due_conversations(connection, self.clock.now())
        for conversation in found:
            self.bot.delivery.deliver(conversation)
        return [(row.id, row.status, row.due_at) for row in self.rows(outbox)] != before


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, valkey_url: str) -> Iterator[KfTown]:
    folder = tmp_path_factory.mktemp("town")
    shutil.copyfile(sqlite_template, folder / "qunda.db")
    opened = Town(folder, f"sqlite:///{folder / 'qunda.db'}", valkey_url, ShiftedClock())
    yield opened
    opened.close()


@pytest.fixture
def group_town(tmp_path: Path, database_url: str, valkey_url: str, clock: ShiftedClock) -> Iterator[GroupTown]:
    opened = Square(tmp_path, database_url, valkey_url, clock)
    opened.import_orders()
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is never answered is given up soon."""
    monkeypatch.setattr(client, "READ_SECONDS", 0.5)


@pytest.mark.parametrize(("misbehaviour", "door"), with_doors(*ALONE), ids=lambda each: getattr(each, "name", each))
def test_every_promise_holds_while_the_platform_misbehaves(
    town: KfTown, misbehaviour: Misbehaviour, door: Door, capfd: pytest.CaptureFixture[str]
) -> None:
    check(town, misbehaviour, door, capfd)


@pytest.mark.parametrize(
    ("misbehaviour", "door"), with_doors("group", "room"), ids=lambda each: getattr(each, "name", each)
)
def test_every_promise_holds_in_the_group_and_in_the_staffs_room(
    group_town: GroupTown, misbehaviour: Misbehaviour, door: Door, capfd: pytest.CaptureFixture[str]
) -> None:
    check(group_town, misbehaviour, door, capfd)


def check(town: KfTown, misbehaviour: Misbehaviour, door: Door, capfd: pytest.CaptureFixture[str]) -> None:
    town.clock.advance(minutes=5)  # what was sent before counts for no rate any more
    ground: Ground = InProcess(town, capfd)
    texts = town.bot.rooms.texts
    tally = play(ground, misbehaviour, door, answers_by_door(_reader(), texts), texts, SMALL)
    assert tally.broken == []
    assert tally.answered


class InProcess:
    """The bot in this process; time passes when nothing can be done now."""

    def __init__(self, town: KfTown, capfd: pytest.CaptureFixture[str]) -> None:
        self._town = town
        self._capfd = capfd
        self.wechat = town.wechat
        self.store = town.bot.store
        self.directory = town.bot.rooms.directory
        self.room_key = town.wechat.staff_room.url.rpartition("=")[2]

    def writing(self) -> AtWork:
        return AtWork(self._town)

    @contextmanager
    def slowly(self) -> Iterator[None]:
        """No answer is ready in time."""
        channel = self._town.bot.channels[SMART_BOT]
        before = channel.capabilities
        channel.capabilities = replace(before, reply_margin=0.0)
        yield
        channel.capabilities = before

    def pause(self) -> Callable[[int], None]:
        return lambda place: None

    def come_to_rest(self, is_over: Callable[[], bool], misbehaviour: Misbehaviour) -> None:
        for platform in self.wechat.platforms:
            platform.deliver_held()
        for _ in range(ROUNDS):
            if not misbehaviour.never_asks:
                wait_until(lambda: not offered(self._town), "replies in HTTP answers were confirmed")
            KfTown.work(self._town)
            if is_over():
                return
            self._town.clock.advance(seconds=BETWEEN_TRIES)

    def logs(self) -> str:
        return "".join(self._capfd.readouterr())


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
            KfTown.work(self._town)


def offered(town: KfTown) -> bool:
    with town.bot.store.read() as connection:
        return connection.execute(select(outbox.c.id).where(outbox.c.status == "offered")).first() is not None


def answers_by_call(town: GroupTown) -> Counter[str]:
    """How many answers each call in the group has, by the words that they quote."""
    said = [bubble for bubble in town.group.chat() if bubble.speaker == "bot" and bubble.text not in ("", "…")]
    return Counter(bubble.quote.partition("\u2005")[2] for bubble in said)


@pytest.mark.parametrize("before", [["几点能取货"], []], ids=["after another call", "as the first call"])
def test_what_a_worker_has_thought_of_answers_its_own_call(
    group_town: GroupTown, before: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in before:
        group_town.asks("王阿姨", words)
    with monkeypatch.context() as dying:
        dying.setattr(Turns, "take", lambda *_, **__: 1 / 0)
        group_town.group.say("王阿姨", "退款多久到账")
    group_town.clock.advance(seconds=3)
    group_town.work()

    assert answers_by_call(group_town) == dict.fromkeys([*before, "退款多久到账"], 1)
