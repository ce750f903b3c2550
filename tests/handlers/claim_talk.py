"""A resident, her orders and her leader, talking through the whole list of handlers."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image
from sqlalchemy import insert, select

import handlers
from bot.channels.capabilities import OFFICIAL_ACCOUNT, WECOM_APP
from bot.channels.channel import Channel, Outgoing
from bot.clock import ShiftedClock
from bot.delivery import Delivery
from bot.errors import PlatformError
from bot.handling import bind
from bot.jobs import Jobs
from bot.message import Media, Message
from bot.storage.store import Store
from bot.storage.tables import attachments, conversations, inbox, jobs, outbox
from bot.turn import NamedHandler, Turns
from claims.tables import claims, evidence
from config.settings import Settings
from config.texts import Texts
from escalation.notices import Notices
from escalation.tables import tickets
from handlers.hand_over import HandOver
from handlers.reading import Readings
from handlers.speaker import Speakers
from shop.directory import Community, Directory, Staff
from shop.policy import Policy
from shop.residents import bind as bind_account
from shop.tables import order_lines, residents
from understanding.loading import load_reader
from understanding.reader import Reader

DIRECTORY = Directory(
    [Community("sunshine", "阳光花园", leader_id="zhang", pickup_point="东门", pickup_hours="16:00-20:00")],
    [
        Staff("zhang", "张团长", "leader", accounts={"app": "ZhangLeader"}),
        Staff("chen", "小陈", "agent", accounts={"app": "ChenAgent"}),
    ],
)


@cache
def shipped_settings() -> Settings:
    """The shipped configuration; nothing is written to its data folder."""
    environ = {"QUNDA_DATA_DIR": tempfile.gettempdir(), "QUNDA_SECRET_KEY": "0123456789abcdef"}
    return Settings.load(environ, make_secret=False)


@cache
def shipped_reader() -> Reader:
    """The shipped knowledge, read once for all conversations."""
    return load_reader(shipped_settings())


class Shelf:
    """A channel whose platform keeps pictures by id; what is sent is collected."""

    def __init__(self, capabilities: Any) -> None:
        self.capabilities = capabilities
        self.pictures: dict[str, bytes] = {}

    def fetch(self, media: Media, limit: int) -> bytes:
        if media.platform_id not in self.pictures:
            raise PlatformError(40007, "gone", permanent=True)
        return self.pictures[media.platform_id]

    def send(self, account: str, outgoing: Outgoing) -> None:
        raise AssertionError("nothing is sent in these tests")


class NoWorkers:
    def wake(self, conversations: Sequence[int], jobs: Sequence[int] = ()) -> None:
        pass


def picture(shade: int = 120) -> bytes:
    """A small real picture; another shade is another picture."""
    content = io.BytesIO()
    Image.new("RGB", (32, 32), (shade, 80, 40)).save(content, "JPEG")
    return content.getvalue()


@dataclass
class Stage:
    """Everything composed as in the product, without network and processes."""

    store: Store
    clock: ShiftedClock
    media_dir: Path

    def __post_init__(self) -> None:
        self.settings, self.reader = shipped_settings(), shipped_reader()
        texts = Texts.load(self.settings.files("texts"))
        speakers = Speakers(self.store, DIRECTORY, texts)
        notices = Notices(DIRECTORY, texts, self.settings.timezone)
        policy = Policy.load(self.settings.file("policy.yaml"), {})
        needs = {
            "settings": self.settings,
            "clock": self.clock,
            "store": self.store,
            "texts": texts,
            "directory": DIRECTORY,
            "policy": policy,
            "speakers": speakers,
            "readings": Readings(lambda: self.reader, speakers),
            "notices": notices,
            "handing_over": HandOver(speakers, notices, texts, policy),
        }
        self.shelf = Shelf(OFFICIAL_ACCOUNT)
        channels: dict[str, Channel] = {"oa": self.shelf, "app": Shelf(WECOM_APP)}  # type: ignore[dict-item]
        needs["delivery"] = Delivery(
            store=self.store,
            clock=self.clock,
            channels=channels,
            media_dir=self.media_dir,
            on_undelivered=bind(handlers.ON_UNDELIVERED, needs),
            wake=lambda tx: None,
        )
        self.turns = Turns(
            store=self.store,
            clock=self.clock,
            capabilities={name: channel.capabilities for name, channel in channels.items()},
            handlers=[NamedHandler(name, bind(function, needs)) for name, function in handlers.HANDLERS],
            afterthoughts=[bind(function, needs) for function in handlers.AFTERTHOUGHTS],
            on_failure=bind(handlers.ON_FAILURE, needs),
            flood="太快了",
            workers=NoWorkers(),
        )
        self.jobs = Jobs(
            store=self.store, clock=self.clock, channels=channels, media_dir=self.media_dir, turns=self.turns
        )

    def resident(self, account: str = "alice", *, elder: bool = False, phone: str = "13800000001") -> int:
        now = self.clock.now()
        row = {"name": "王桂兰", "phone": phone, "community_id": "sunshine", "elder": elder}
        with self.store.write() as connection:
            query = insert(residents).values(**row, created_at=now, updated_at=now).returning(residents.c.id)
            resident_id: int = connection.execute(query).scalar_one()
            bind_account(connection, resident_id, "oa", account, "file", now)
        return resident_id

    def also_writes_from(self, resident_id: int, account: str) -> None:
        with self.store.write() as connection:
            bind_account(connection, resident_id, "oa", account, "file", self.clock.now())

    def bought(
        self,
        resident_id: int,
        product: str,
        *,
        days_ago: float = 1,
        status: str = "picked_up",
        order_no: str = "",
        code: str = "A012",
    ) -> int:
        """An order line that arrived so many days ago."""
        arrived = self.clock.now() - timedelta(days=days_ago)
        row = {
            "order_no": order_no or f"2026111{product}{days_ago}8001",
            "product": product,
            "spec": "5斤装",
            "resident_id": resident_id,
            "community_id": "sunshine",
            "batch": "B-1",
            "quantity": 1,
            "amount_fen": 2280,
            "status": status,
            "pickup_code": code,
            "ordered_at": arrived - timedelta(days=1),
            "arrived_at": arrived,
            "notes": {},
            "updated_at": arrived,
        }
        with self.store.write() as connection:
            line_id: int = connection.execute(insert(order_lines).values(row).returning(order_lines.c.id)).scalar_one()
        return line_id

    def rows(self, table: Any) -> list[Any]:
        with self.store.read() as connection:
            return list(connection.execute(select(table).order_by(table.c.id)))

    def claims(self) -> list[Any]:
        return self.rows(claims)

    def tickets(self) -> list[Any]:
        return self.rows(tickets)

    def photos_of(self, claim_id: int) -> list[str]:
        """The platform's ids of a claim's photos, in order."""
        query = (
            select(attachments.c.platform_id)
            .join(evidence, evidence.c.attachment_id == attachments.c.id)
            .where(evidence.c.claim_id == claim_id)
            .order_by(evidence.c.position)
        )
        with self.store.read() as connection:
            return list(connection.execute(query).scalars())

    def told(self, account: str) -> list[Any]:
        """What is queued to one member of staff, oldest first."""
        query = (
            select(outbox)
            .join(conversations, conversations.c.id == outbox.c.conversation_id)
            .where(conversations.c.account == account)
            .order_by(outbox.c.id)
        )
        with self.store.read() as connection:
            return list(connection.execute(query))

    def fetch_media(self) -> None:
        """Lets the workers fetch what is waiting."""
        for job in self.rows(jobs):
            if job.status == "queued":
                self.jobs.run(job.id)


class Talk:
    """One account's chat with the bot; each message comes some seconds after the last one."""

    def __init__(self, stage: Stage, account: str = "alice", *, chat: str = "", channel: str = "oa") -> None:
        self.stage = stage
        self.channel = channel
        self.account = account
        self.chat = chat
        self._count = 0

    def say(self, text: str, *, after: float = 20, kind: str = "text") -> str:
        """Says something and returns the bot's whole answer, empty when it is silent."""
        return self._take(self._message(kind, text), after)

    def photo(self, name: str, *, after: float = 3, content: bytes | None = None, kind: str = "image") -> str:
        self.stage.shelf.pictures[name] = content if content is not None else picture(len(name) * 7 % 200)
        return self._take(self._message(kind, media=Media(kind, name)), after)  # type: ignore[arg-type]

    def unsolicited(self) -> list[str]:
        """What the bot has said without a message of hers, such as about a photo that cannot be used."""
        return [row.payload["text"] for row in self._outbox() if self._event_of(row.inbox_id)]

    def state(self) -> dict[str, Any]:
        with self.stage.store.read() as connection:
            query = select(conversations.c.state).where(conversations.c.account == self.account)
            state: dict[str, Any] = connection.execute(query).scalar_one()
        return state

    def message(self, kind: str, text: str = "", media: Media | None = None) -> Message:
        return self._message(kind, text, media)

    def _message(self, kind: str, text: str = "", media: Media | None = None) -> Message:
        self._count += 1
        return Message(
            channel=self.channel,
            account=self.account,
            chat=self.chat,
            dedupe_key=f"{self.account}:{self._count}",
            kind=kind,  # type: ignore[arg-type]
            sent_at=self.stage.clock.now(),
            text=text,
            media=media,
        )

    def _take(self, message: Message, after: float) -> str:
        self.stage.clock.advance(seconds=after)
        self.stage.turns.take(message, answer_until=self.stage.clock.monotonic() + 3.5)
        with self.stage.store.read() as connection:
            query = (
                select(outbox.c.payload)
                .join(inbox, inbox.c.id == outbox.c.inbox_id)
                .where(inbox.c.dedupe_key == message.dedupe_key)
                .order_by(outbox.c.id)
            )
            return "\n".join(payload["text"] for payload in list[dict[str, str]](connection.execute(query).scalars()))

    def _outbox(self) -> list[Any]:
        return self.stage.told(self.account)

    def _event_of(self, inbox_id: int | None) -> bool:
        query = select(inbox.c.kind).where(inbox.c.id == inbox_id)
        with self.stage.store.read() as connection:
            return inbox_id is not None and connection.execute(query).scalar_one() == "event"
