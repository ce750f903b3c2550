"""A small town with the real handlers of tickets; what everybody reads is what the outbox has really sent."""

from __future__ import annotations

import functools
import itertools
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select, update

from bot.channels.capabilities import OFFICIAL_ACCOUNT, WECOM_APP, Capabilities
from bot.channels.channel import CARD_TAPPED, Outgoing, Receipt
from bot.clock import ShiftedClock
from bot.conversation import Turn
from bot.delivery import Delivery
from bot.effects import Effects, Record
from bot.errors import BotError
from bot.handling import bind
from bot.jobs import Jobs
from bot.message import Media, Message
from bot.storage.store import Store
from bot.storage.tables import conversations, jobs, outbox
from bot.transaction import Transaction
from bot.turn import NamedHandler, Turns
from claims.claims import NewClaim, submit
from config.settings import Settings
from config.texts import Public, Texts
from escalation.handover import hand_over
from escalation.notices import Notices
from escalation.tables import tickets
from escalation.tickets import NewTicket
from handlers import arrived, forwarding, held, media_events, settled, staff_commands, state, ticket_status
from handlers.hand_over import HandOver
from handlers.reading import Readings
from handlers.speaker import Speakers
from shop.directory import Community, Directory, ListedResident, Staff
from shop.policy import Policy
from shop.residents import sync_directory
from understanding.loading import load_reader
from understanding.reader import Reader

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "tests" / "escalation" / "pixel.png"

COMMUNITIES = (
    Community("sunshine", "阳光花园", leader_id="zhang"),
    Community("riverside", "滨江苑", leader_id="li"),
)
STAFF = (
    Staff("zhang", "张团长", "leader", {"app": "ZhangLeader"}),
    Staff("li", "李团长", "leader", {"app": "LiLeader"}),
    Staff("chen", "小陈", "agent", {"app": "ChenAgent"}),
    Staff("wu", "吴主管", "supervisor", {"app": "WuBoss"}),
)
RESIDENTS = (
    ListedResident("王桂兰", "13800000001", "sunshine", {"oa": "alice"}),
    ListedResident("周强", "13800000002", "riverside", {"oa": "bob"}),
    ListedResident("陈秀英", "13800000004", "sunshine", {"oa": "dora"}, elder=True),
)


class Door:
    """A channel that keeps what it sends, or refuses it with ``error``, or for one account as ``refused`` says.

    ``meanwhile``: what happens, once, while something is on its way to an account.
    """

    def __init__(self, name: str, capabilities: Capabilities) -> None:
        self.name = name
        self.capabilities = capabilities
        self.error: BotError | None = None
        self.refused: dict[str, BotError] = {}
        self.meanwhile: dict[str, Callable[[], object]] = {}
        self.sent: dict[str, list[str]] = defaultdict(list)
        self.cards: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        self.changed: dict[str, list[Mapping[str, Any]]] = defaultdict(list)

    def send(self, account: str, outgoing: Outgoing) -> Receipt | None:
        if error := self.refused.get(account, self.error):
            raise error
        if meanwhile := self.meanwhile.pop(account, None):
            meanwhile()
        if outgoing.kind == "card_update":
            self.changed[account].append(outgoing.data)
            return None
        self.sent[account].append(outgoing.text or f"<{outgoing.kind}>")
        if outgoing.kind == "card":
            self.cards[account].append(outgoing.data["card"])
            return {"response_code": f"code-{account}-{len(self.cards[account])}"}
        return None

    def fetch(self, media: Media, limit: int) -> bytes:
        return PICTURE.read_bytes()


class Scene:
    """Alice, Bob and Dora are residents, Carol is unknown; the staff write through the app by their ids."""

    def __init__(
        self,
        store: Store,
        clock: ShiftedClock,
        media_dir: Path,
        staff: Sequence[Staff] = STAFF,
        communities: Sequence[Community] = COMMUNITIES,
        first_number: int = 1,
    ) -> None:
        self.store, self.clock = store, clock
        self.directory = Directory(communities, staff, RESIDENTS)
        self.texts = Texts.load((ROOT / "config" / "texts").glob("*.yaml"))
        self.doors = {"oa": Door("oa", OFFICIAL_ACCOUNT), "app": Door("app", WECOM_APP)}
        with store.write() as connection:
            sync_directory(connection, self.directory, clock.now())
        self._accounts = {person.id: next(iter(person.accounts.items())) for person in staff}
        self._numbers = itertools.count(first_number)
        self._read: dict[str, int] = defaultdict(int)
        self._make_machine(media_dir)

    def _make_machine(self, media_dir: Path) -> None:
        notices = Notices(self.directory, self.texts, ZoneInfo("Asia/Shanghai"))
        speakers = Speakers(self.store, self.directory, self.texts)
        policy = Policy.load(ROOT / "config" / "policy.yaml", {})
        needs = {
            "store": self.store,
            "texts": self.texts,
            "directory": self.directory,
            "speakers": speakers,
            "notices": notices,
            "readings": Readings(_reader, speakers),
            "handing_over": HandOver(speakers, notices, self.texts, policy),
        }
        named: dict[str, Callable[..., Any]] = {
            "staff_commands": staff_commands.handle,
            "media_events": media_events.handle,
            "held": held.handle,
            "settled": settled.handle,
            "ticket_status": ticket_status.handle,
            "others": _others,
        }
        self.turns = Turns(
            store=self.store,
            clock=self.clock,
            capabilities={name: door.capabilities for name, door in self.doors.items()},
            handlers=[NamedHandler(name, bind(function, needs)) for name, function in named.items()],
            afterthoughts=[bind(function, needs) for function in (forwarding.forward, state.remember)],
            on_failure=lambda turn: Effects(replies=("出了点问题",)),
            flood="太快了",
            workers=self,
        )
        self.delivery = Delivery(
            store=self.store,
            clock=self.clock,
            channels=self.doors,  # type: ignore[arg-type]
            media_dir=media_dir,
            on_undelivered=bind(forwarding.on_undelivered, needs),
            on_sent=bind(arrived.on_sent, needs),
            wake=lambda tx: self.wake(sorted(tx.woken), ()),
        )
        self.jobs = Jobs(
            store=self.store,
            clock=self.clock,
            channels=self.doors,  # type: ignore[arg-type]
            media_dir=media_dir,
            turns=self.turns,
        )

    def close_door(self, name: str, media_dir: Path) -> None:
        """The operator takes a channel out."""
        del self.doors[name]
        self._make_machine(media_dir)

    def address(self, who: str) -> tuple[str, str]:
        """Channel and account of a person; residents are named by their account."""
        return self._accounts.get(who, ("oa", who))

    def wake(self, conversation_ids: Sequence[int], job_ids: Sequence[int] = ()) -> None:
        """Workers that have nothing else to do; what is offered in an answer goes before."""

    def says(
        self, who: str, text: str, *, kind: str = "text", media: Media | None = None, chat: str = "", event: str = ""
    ) -> str:
        """Somebody writes; returns what this person reads next, in lines."""
        channel, account = self.address(who)
        message = Message(
            channel=channel,
            account=account,
            dedupe_key=f"{who}:{next(self._numbers)}",
            kind=kind,  # type: ignore[arg-type]
            sent_at=self.clock.now(),
            text=text,
            media=media,
            chat=chat,
            event=event,
        )
        answer = self.turns.take(message, answer_until=self.clock.monotonic() + 3.5)
        if answer.text is not None:
            self.doors[channel].sent[account].append(answer.text)
            with self.store.write() as connection:
                connection.execute(update(outbox).where(outbox.c.id.in_(answer.outbox_ids)).values(status="sent"))
        self.deliver()
        return self.reads(who)

    def taps(self, who: str, key: str, *, code: str = "", number: int | None = None) -> str:
        """A member of staff taps a button of a card; returns what this person reads next, in lines."""
        channel, account = self.address(who)
        tap = Message(
            channel=channel,
            account=account,
            dedupe_key=f"{who}:{number if number is not None else next(self._numbers)}",
            kind="event",
            sent_at=self.clock.now(),
            event=CARD_TAPPED,
            choice=key,
            extra={"response_code": code or f"tap-{who}-{next(self._numbers)}"},
        )
        self.turns.take(tap)
        self.deliver()
        return self.reads(who)

    def buttons(self, who: str) -> list[str]:
        """What can be tapped on the newest card of a member of staff, as it is now."""
        door, (_, account) = self.doors["app"], self.address(who)
        shown = door.changed[account][-1]["card"] if door.changed[account] else door.cards[account][-1]
        return [] if shown.get("replaced") else [label for _, label in shown["buttons"]]

    def deliver(self) -> None:
        """Does what is due, until nothing is left but what is already on its way."""
        before: object = None
        while any(due := self._due()) and due != before:
            before = due
            for job in due[0]:
                self.jobs.run(job.id)
            for conversation_id in dict.fromkeys(row.conversation_id for row in due[1]):
                self.delivery.deliver(conversation_id)

    def _due(self) -> tuple[list[Row], list[Row]]:
        """Jobs, and messages to send."""
        waiting = select(jobs.c.id).where(jobs.c.status == "queued")
        to_send = select(outbox.c.id, outbox.c.conversation_id)
        now = self.clock.now()
        with self.store.read() as connection:
            return (
                list(connection.execute(waiting)),
                list(connection.execute(to_send.where(outbox.c.status == "queued", outbox.c.due_at <= now))),
            )

    def reads(self, who: str) -> str:
        """What has reached a person since one looked last, in lines."""
        channel, account = self.address(who)
        sent = self.doors[channel].sent[account]
        new, self._read[who] = sent[self._read[who] :], len(sent)
        return "\n".join(new)

    def ticket(self, number: int) -> Row:
        with self.store.read() as connection:
            return connection.execute(select(tickets).where(tickets.c.id == number)).one()

    def conversation(self, account: str) -> Row:
        with self.store.read() as connection:
            return connection.execute(select(conversations).where(conversations.c.account == account)).one()


@functools.cache
def _reader() -> Reader:
    """The shipped knowledge, learned once for all tests."""
    with tempfile.TemporaryDirectory() as data_dir:
        return load_reader(Settings.load({"QUNDA_DATA_DIR": data_dir}, make_secret=True))


def _others(turn: Turn, *, handing_over: HandOver) -> Effects | None:
    """Stands for the rest of the bot: 人工 hands over, 救命 is P0, 报损 is a claim, all else is answered."""
    text = turn.message.text
    if turn.message.kind == "event":
        return None
    if "报损" in text:
        return Effects(records=(_claim(turn, handing_over),))
    if "人工" in text or "救命" in text:
        priority = "P0" if "救命" in text else "P2"
        return Effects(records=(handing_over.record(turn, priority=priority, reason=f"居民说{text[:8]}"),))
    return Effects(replies=(Public("机器人的回答"),))


def _claim(turn: Turn, handing_over: HandOver) -> Record:
    speaker = handing_over.speakers.of(turn)
    resident_id = speaker.resident.id if speaker.resident else None
    community_id = speaker.community.id if speaker.community else None
    new = NewTicket("claim", turn.conversation.id, "P1", "报损：苹果", resident_id, community_id, speaker.masked_name)

    def record(tx: Transaction) -> None:
        ticket = hand_over(
            tx,
            new=new,
            last_messages=(turn.message.text,),
            form=speaker.form,
            notices=handing_over.notices,
            texts=handing_over.texts,
            policy=handing_over.policy,
        )
        submit(tx, NewClaim(turn.conversation.id, resident_id, None, ("rotten",), "一半", 0.5, "refund", ()), ticket.id)

    return record
