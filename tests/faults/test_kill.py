"""Kills a process at every commit point, restarts it, and counts outcomes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import Table, select

from app import create_app
from bot.clock import ShiftedClock
from bot.due import due_conversations, due_jobs
from bot.storage.store import Store
from bot.storage.tables import attachments, conversations, inbox, jobs, outbox
from compose import Bot, compose, load_rooms
from config.settings import Settings
from escalation.tables import tickets
from playground import demo_data, samples
from playground.platform.base import TRIES
from playground.wechat import WeChat

FINAL = {"sent", "uncertain", "dead", "expired", "withdrawn"}


class Installation:
    """A bot whose processes can be killed: each step runs in a process of its own, on the same database."""

    def __init__(self, tmp_path: Path, database_url: str, redis_url: str) -> None:
        self.clock = ShiftedClock()
        self.wechat = WeChat(demo_data.credentials(tmp_path), demo_data.cast(), time_source=self.clock.now)
        self.wechat.open()
        demo = demo_data.prepare(tmp_path, self.wechat.oa.server.url, self.wechat.wecom.server.url)
        environment = {
            **demo,
            "QUNDA_DATA_DIR": str(tmp_path),
            "QUNDA_DATABASE_URL": database_url,
            "QUNDA_REDIS_URL": redis_url,
            "QUNDA_SECRET_KEY": "only-for-this-test",
            "QUNDA_LOG_LEVEL": "CRITICAL",
        }
        self.settings = Settings.load(environment, make_secret=True)
        self.rooms = load_rooms(self.settings)

    def run(self, work: Callable[[Bot], None], *, kill_at: tuple[int, str] | None = None) -> bool:
        """Runs work in a process; True when it came to its end, False when it was killed at that commit."""
        child = os.fork()
        if child == 0:
            _work_and_die(self, work, kill_at)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
            return False
        assert os.WEXITSTATUS(status) == 0, "the work failed; its traceback is above"
        return True

    def pass_time(self, **span: float) -> None:
        """For the bot and the platforms alike: callbacks are believed for minutes only, and rates count minutes too."""
        self.clock.advance(**span)

    def close(self) -> None:
        self.wechat.close()


def _work_and_die(installation: Installation, work: Callable[[Bot], None], kill_at: tuple[int, str] | None) -> None:
    try:
        bot = compose(installation.settings, installation.clock, installation.rooms)
        if kill_at is not None:
            _kill_in_commit(*kill_at)
        work(bot)
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _kill_in_commit(number: int, side: str) -> None:
    """From now on the process dies just before, or just after, its commit of that number."""
    original = Store.write
    count = iter(range(1, 10_000))

    @contextmanager
    def write(self: Store) -> Iterator:
        this = next(count)
        with original(self) as connection:
            yield connection
            if this == number and side == "before":
                os.kill(os.getpid(), signal.SIGKILL)
        if this == number and side == "after":
            os.kill(os.getpid(), signal.SIGKILL)

    Store.write = write  # type: ignore[method-assign]


Callback = tuple[str, bytes]
"""Address with query, and sealed body."""


def deliver_callbacks(callbacks: list[Callback]) -> Callable[[Bot], None]:
    """What the web process does with them."""

    def work(bot: Bot) -> None:
        app = create_app(bot)
        client = app.test_client()
        for address, body in callbacks:
            response = client.post(address, data=body)
            assert response.status_code == 200
            response.close()
        app.extensions["offers"].close()

    return work


def work_off(bot: Bot) -> None:
    """What the workers do, until nothing is due."""
    while True:
        with bot.store.read() as connection:
            now = bot.clock.now()
            conversations, job_ids = due_conversations(connection, now), due_jobs(connection, now)
        if not conversations and not job_ids:
            return
        for conversation in conversations:
            bot.delivery.deliver(conversation)
        for job in job_ids:
            bot.jobs.run(job)


@pytest.fixture
def installation(tmp_path: Path, database_url: str, valkey_url: str) -> Iterator[Installation]:
    made = Installation(tmp_path, database_url, valkey_url)
    yield made
    made.close()


def sealed_callbacks(installation: Installation, name: str) -> list[Callback]:
    """A question, a call for a person and a photo, as they come over the wire."""
    recorded: list[Callback] = []

    def record(query: dict[str, str], body: str) -> None:
        recorded.append((f"/callback/oa?{urlencode(query)}", body.encode()))

    installation.wechat.oa.wire.post = record  # type: ignore[method-assign, assignment]
    person = installation.wechat.person(name)
    person.send("退款多久到账")
    person.send("转人工")
    person.send_photo(samples.photo("bad-apple-1.jpg"))
    return recorded[::TRIES]


def check_outcome(installation: Installation, account: str) -> None:
    """Nothing is lost, nothing happened twice, nothing stays open."""
    store = Store(installation.settings.database_url)
    with store.read() as connection:
        conversation = connection.execute(select(conversations).where(conversations.c.account == account)).one()

        def rows(table: Table) -> list:
            return list(connection.execute(select(table).where(table.c.conversation_id == conversation.id)))

        came = [row for row in rows(inbox) if not row.dedupe_key.startswith("job:")]
        assert [row.outcome for row in came] == ["handled"] * 3
        assert len(rows(tickets)) == 1
        assert [row.status for row in rows(attachments)] == ["stored"]
        assert {row.status for row in rows(outbox)} <= FINAL
        assert {row.status for row in connection.execute(select(jobs))} == {"done"}
        assert {row.status for row in connection.execute(select(outbox))} <= FINAL
    store.close()


def check_screens(installation: Installation, account: str) -> None:
    """Effects show once: no customer message and no notice came twice, except words that were only offered."""
    replies = [bubble.text for bubble in installation.wechat.world.chat("oa", account) if bubble.speaker == "bot"]
    assert len(replies) == len(set(replies))


@pytest.mark.parametrize("killed", ["web", "workers"])
@pytest.mark.timeout(300)
def test_a_process_killed_at_any_commit_leaves_each_message_exactly_one_outcome(
    installation: Installation, killed: str
) -> None:
    number, survived = 0, False
    while not survived:
        number += 1
        for side in ("before", "after"):
            name = f"{killed}-{number}-{side}"
            callbacks = sealed_callbacks(installation, name)
            kill_at = (number, side)
            survived = installation.run(deliver_callbacks(callbacks), kill_at=kill_at if killed == "web" else None)
            if not survived:
                assert installation.run(deliver_callbacks(callbacks))  # the platform tries again
            ended = installation.run(work_off, kill_at=kill_at if killed == "workers" else None)
            survived = survived and ended
            installation.pass_time(minutes=3)  # leases and offers of the dead process run out
            assert installation.run(work_off)
            account = installation.wechat.person(name).account
            check_outcome(installation, account)
            check_screens(installation, account)
    assert number > 3
