"""The whole bot with the customer service in front of it; the test does what the workers would do."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sqlalchemy import Row, Table, select

from app import create_app
from bot.clock import ShiftedClock
from bot.due import due_jobs
from bot.storage.tables import conversations, inbox, outbox
from compose import Bot, Rooms, compose
from config.settings import Settings
from config.texts import Texts
from escalation.tables import ticket_events, tickets
from playground import demo_data
from playground.customers import Customer
from playground.platform.server import Server
from playground.wechat import WeChat
from shop.directory import Directory
from shop.policy import Policy
from tests.escalation.scene import _reader

SERVES = "accounts: {app: ZhangLeader"


class KfTown:
    """The demo's people on the customer service. ``servicer``: 张团长 also serves in WeCom's own client."""

    def __init__(
        self,
        tmp_path: Path,
        database_url: str,
        valkey_url: str,
        clock: ShiftedClock,
        *,
        servicer: bool = False,
        pool: bool = False,
    ) -> None:
        self.clock = clock
        wechat = WeChat(demo_data.credentials(tmp_path), demo_data.cast(with_kf=True), time_source=clock.now)
        self._prepare(wechat, tmp_path, database_url, valkey_url)
        if servicer:
            self._change("people.yaml", SERVES, f"{SERVES}, kf: ZhangLeader")
        if pool:
            self._change("channels.yaml", "kind: wecom_kf", "kind: wecom_kf\n  pool: true")
        self._serve()

    def _prepare(
        self, wechat: WeChat, tmp_path: Path, database_url: str, valkey_url: str, *, with_groups: bool = False
    ) -> None:
        """Opens the platforms and writes the demo's configuration for them."""
        wechat.open()
        self.wechat, self.kf = wechat, wechat.kf
        urls = [platform.server.url for platform in (wechat.oa, wechat.wecom, wechat.kf, wechat.aibot)]
        self.environment = demo_data.prepare(tmp_path, *urls, with_kf=True, with_groups=with_groups) | {
            "QUNDA_DATABASE_URL": database_url,
            "QUNDA_REDIS_URL": valkey_url,
            "QUNDA_DATA_DIR": str(tmp_path),
        }
        self.config_dir = Path(self.environment["QUNDA_CONFIG_DIR"])

    def _serve(self) -> None:
        self.bot = self._compose()
        app = create_app(self.bot)
        self._offers = app.extensions["offers"]
        self._server = Server(app)
        self.wechat.connect(self._server.url)

    def _change(self, name: str, old: str, new: str) -> None:
        file = self.config_dir / name
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")

    def _compose(self) -> Bot:
        settings = Settings.load(self.environment, make_secret=True)
        rooms = Rooms(
            texts=Texts.load(settings.files("texts")),
            directory=Directory.load(settings.file("people.yaml"), settings.environ),
            policy=Policy.load(settings.file("policy.yaml"), settings.environ),
            reader=_reader(),
        )
        bot = compose(settings, self.clock, rooms)
        bot.ground.redis.flushall()
        return bot

    def close(self) -> None:
        self._server.close()
        self._offers.close()
        self.bot.close()
        self.wechat.close()

    def customer(self, name: str) -> Customer:
        return self.wechat.customer(name)

    def work(self) -> None:
        """Does all that waits, until nothing is left that can be done now."""
        while any([self._pull(), self._think(), self._deliver(), self._run_jobs()]):
            pass

    def work_in_threads(self, threads: int) -> None:
        """As ``work``, by several workers at once."""
        with ThreadPoolExecutor(threads) as pool:
            for done in [pool.submit(self.work) for _ in range(threads)]:
                done.result()

    def says(self, person: Any, text: str) -> list[str]:
        """Somebody writes; what this person reads thereupon."""
        return self.does(person, lambda: person.send(text))

    def does(self, person: Any, act: Callable[[], object]) -> list[str]:
        before = len(self.heard(person))
        act()
        self.work()
        return self.heard(person)[before:]

    def hold_back(self, act: Callable[[], object]) -> None:
        """Somebody acts, and what follows from it waits in the outbox."""
        act()
        while any([self._pull(), self._think()]):
            pass

    def heard(self, person: Any) -> list[str]:
        return [bubble.text for bubble in person.chat() if bubble.speaker == "bot"]

    def rows(self, table: Table) -> list[Row[Any]]:
        with self.bot.store.read() as connection:
            return list(connection.execute(select(table).order_by(*table.primary_key)))

    def conversation(self, customer: Customer) -> Row[Any]:
        query = select(conversations).where(conversations.c.account == customer.account)
        with self.bot.store.read() as connection:
            return connection.execute(query).one()

    def ticket(self, number: int = 1) -> Row[Any]:
        with self.bot.store.read() as connection:
            return connection.execute(select(tickets).where(tickets.c.id == number)).one()

    def events(self, number: int = 1) -> list[tuple[str, str]]:
        query = select(ticket_events).where(ticket_events.c.ticket_id == number).order_by(ticket_events.c.id)
        with self.bot.store.read() as connection:
            return [(row.kind, row.note) for row in connection.execute(query)]

    def _pull(self) -> bool:
        before = len(self.rows(inbox))
        self.bot.pulling.pull("kf")
        return len(self.rows(inbox)) > before

    def _think(self) -> bool:
        return self._each(select(inbox.c.conversation_id).where(inbox.c.outcome == "waiting"), self.bot.turns.think)

    def _deliver(self) -> bool:
        """What waits behind a message that may not leave yet waits with it; an HTTP answer is written in no time."""
        before = [(row.id, row.status, row.due_at) for row in self.rows(outbox)]
        self._each(select(outbox.c.conversation_id).where(outbox.c.status == "queued"), self.bot.delivery.deliver)
        after = [(row.id, row.status, row.due_at) for row in self.rows(outbox)]
        return after != before or any(status == "offered" for _, status, _ in after)

    def _run_jobs(self) -> bool:
        with self.bot.store.read() as connection:
            found = due_jobs(connection, self.clock.now())
        for job_id in found:
            self.bot.jobs.run(job_id)
        return bool(found)

    def _each(self, query: Any, work: Callable[[int], None]) -> bool:
        with self.bot.store.read() as connection:
            found: list[int] = sorted(set(connection.execute(query).scalars()))
        for row_id in found:
            work(row_id)
        return bool(found)
