"""One turn: a message with its conversation is thought about, and everything that follows is stored at once.

No lock is held while a handler thinks. The conversation's version tells whether another turn was stored meanwhile;
then this one is thought again. A repeated message finds what its first copy led to.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import structlog
from sqlalchemy import Boolean, Connection, Row, String, and_, bindparam, case, exists, func, insert, select, update
from sqlalchemy.exc import OperationalError

from bot.channels.capabilities import Capabilities
from bot.clock import Clock
from bot.conversation import Conversation, Turn
from bot.effects import Effects, Record
from bot.errors import StaleVersion
from bot.flood import BURST_MESSAGES, burst, is_flood
from bot.inbox import Repeat, conclude, keep, oldest_kept, stored_message
from bot.message import NOTHING, Message
from bot.offers import Answer, first_answer, later_answer, offer_with, unsaid
from bot.reply_window import AFTER_A_MESSAGE, opened, opened_by
from bot.storage.store import Store
from bot.storage.tables import attachments, conversations, inbox, outbox
from bot.transaction import Transaction, conversation_id, outbox_row
from bot.wording import parcels

log = structlog.get_logger()

Handler = Callable[[Turn], Effects | None]
Afterthought = Callable[[Turn, Effects], Effects]
OnFailure = Callable[[Turn], Effects]

_ATTEMPTS = 60


class Workers(Protocol):
    """Tells the workers that there is something to do; losing the word costs seconds only."""

    def wake(self, conversations: Sequence[int], jobs: Sequence[int] = ()) -> None: ...


@dataclass(frozen=True, slots=True)
class NamedHandler:
    """A handler with the name that stands in the inbox row and the log."""

    name: str
    handle: Handler


_READ = select(
    conversations,
    exists()
    .where(
        outbox.c.conversation_id == conversations.c.id,
        # Two comparisons, not IN: a list is expanded anew at every execution.
        (outbox.c.status == "queued") | (outbox.c.status == "sending"),
    )
    .label("waiting"),
).where(
    conversations.c.channel == bindparam("channel"),
    conversations.c.account == bindparam("account"),
    conversations.c.chat == bindparam("chat"),
)

_ADVANCE = (
    update(conversations)
    .where(conversations.c.id == bindparam("the_id"), conversations.c.version == bindparam("the_version"))
    .values(
        version=bindparam("new_version"),
        state=bindparam("new_state"),
        # Whoever writes after the end of a session begins a new one.
        session=case(
            (and_(bindparam("speaks", type_=Boolean), conversations.c.session == "ended"), ""),
            else_=conversations.c.session,
        ),
        **AFTER_A_MESSAGE,
        reply_address=func.coalesce(bindparam("address", type_=String), conversations.c.reply_address),
        burst_began_at=bindparam("began"),
        burst_count=bindparam("burst"),
    )
)

_INSERT_OUTBOX = insert(outbox).returning(outbox.c.id)


class Turns:
    """Takes messages, one turn each.

    ``handlers`` are asked in order, the first that wants a message handles it; ``afterthoughts`` may add to what it
    decided; ``on_failure`` answers when a handler breaks; ``flood`` is said once to somebody who writes too fast.
    """

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        capabilities: Mapping[str, Capabilities],
        handlers: Sequence[NamedHandler],
        afterthoughts: Sequence[Afterthought],
        on_failure: OnFailure,
        flood: str,
        workers: Workers,
    ) -> None:
        self._store = store
        self._clock = clock
        self._capabilities = capabilities
        self._handlers = handlers
        self._afterthoughts = afterthoughts
        self._on_failure = on_failure
        self._flood = flood
        self._workers = workers

    def take(
        self, message: Message, *, answer_until: float | None = None, own: bool = False, also: Record | None = None
    ) -> Answer:
        """Handles one message, exactly once however often it comes.

        ``answer_until``: monotonic time up to which a reply may go into the HTTP answer; None: it may not.
        ``own``: an event of our own, which opens no reply window. ``also`` is stored in the same transaction.
        """
        now = self._clock.now()
        sent_at = message.sent_at if self._capabilities[message.channel].pulled else now
        try:
            return self._take(_Arrival(message, min(sent_at, now), own, answer_until, also))
        except Repeat:
            with self._store.read() as connection:
                return first_answer(connection, message.channel, message.dedupe_key)

    def keep(self, message: Message) -> None:
        """Stores a message that is about to be thought about; should that fail, a worker does it."""
        now = self._clock.now()
        with self._store.write() as connection:
            keep(connection, [message], now)

    def later_answer(self, channel: str, dedupe_key: str) -> Answer:
        """What has become of a message that the platform asks for again: None while it is still being thought about,
        an empty text when there is nothing to say.
        """
        with self._store.read() as connection:
            return later_answer(connection, channel, dedupe_key)

    def think(self, conversation: int) -> None:
        """Handles the messages of a conversation that are stored and wait, oldest first."""
        while (row := self._oldest_kept(conversation)) is not None:
            if row.channel not in self._capabilities:
                self._give_up(row)
                continue
            with suppress(Repeat):  # another worker has thought about it meanwhile
                self._take(_Arrival(stored_message(row, row), min(row.sent_at, row.received_at), inbox_id=row.id))

    def _oldest_kept(self, conversation: int) -> Row[Any] | None:
        with self._store.read() as connection:
            return oldest_kept(connection, conversation)

    def _give_up(self, row: Row[Any]) -> None:
        """The operator has taken the channel of a waiting message out, or given it another name."""
        log.error("channel_gone", channel=row.channel, inbox=row.id)
        with self._store.write() as connection:
            connection.execute(update(inbox).where(inbox.c.id == row.id).values(outcome="failed", error="channel_gone"))

    def _take(self, arrival: _Arrival) -> Answer:
        for attempt in range(_ATTEMPTS):
            try:
                return self._take_once(arrival)
            except StaleVersion:
                time.sleep(random.uniform(0, 0.002 * min(attempt + 1, 10)))
        raise StaleVersion("too many turns of one conversation at once")

    def _take_once(self, arrival: _Arrival) -> Answer:
        now, message = self._clock.now(), arrival.message
        with self._store.read():
            row = self._conversation(message, now)
            turn = Turn(message, _as_conversation(row), now)
            flooded = not arrival.own and message.kind == "text" and is_flood(row, arrival.sent_at)
            outcome = self._throttle(row, arrival.sent_at) if flooded else self._think(turn)
        try:
            tx, answer = self._store_turn(row, turn, outcome, arrival)
        except (StaleVersion, Repeat, OperationalError):
            raise  # thought again, answered as before, or left to the platform's next try
        except Exception as error:
            log.exception("record_failed", handler=outcome.handler, conversation=row.id)
            outcome = _Outcome("failed", outcome.handler, self._on_failure(turn), type(error).__name__)
            tx, answer = self._store_turn(row, turn, outcome, arrival)
        self._workers.wake(sorted(tx.woken), tx.new_jobs)
        log.info(
            "turn",
            channel=message.channel,
            kind=message.kind,
            handler=outcome.handler,
            note=outcome.effects.note,
            outcome=outcome.outcome,
            conversation=row.id,
        )
        return answer

    def _conversation(self, message: Message, now: datetime) -> Row[Any]:
        key = {"channel": message.channel, "account": message.account, "chat": message.chat}
        with self._store.read() as connection:
            row = connection.execute(_READ, key).first()
        if row is not None:
            return row
        with self._store.write() as connection:
            conversation_id(connection, message.channel, message.account, message.chat, now)
        with self._store.read() as connection:
            return connection.execute(_READ, key).one()

    def _think(self, turn: Turn) -> _Outcome:
        name = ""
        try:
            for handler in self._handlers:
                name = handler.name
                effects = handler.handle(turn)
                if effects is not None:
                    return _Outcome("handled", name, self._afterwards(turn, effects))
            return _Outcome("ignored", "", self._afterwards(turn, Effects()))
        except Exception as error:
            # Whatever breaks in a handler, the message is kept and a person gets it.
            log.exception("handler_failed", handler=name, conversation=turn.conversation.id)
            return _Outcome("failed", name, self._on_failure(turn), type(error).__name__)

    def _afterwards(self, turn: Turn, effects: Effects) -> Effects:
        for afterthought in self._afterthoughts:
            effects = afterthought(turn, effects)
        return effects

    def _throttle(self, row: Row[Any], at: datetime) -> _Outcome:
        first = burst(row, at)[1] == BURST_MESSAGES + 1
        return _Outcome("throttled", "", Effects(replies=(self._flood,) if first and not row.chat else ()))

    def _store_turn(
        self, row: Row[Any], turn: Turn, outcome: _Outcome, arrival: _Arrival
    ) -> tuple[Transaction, Answer]:
        with self._store.write() as connection:
            return self._record(connection, row, turn, outcome, arrival)

    def _record(
        self, connection: Connection, row: Row[Any], turn: Turn, outcome: _Outcome, arrival: _Arrival
    ) -> tuple[Transaction, Answer]:
        rules = self._capabilities[turn.message.channel]
        inbox_id = conclude(connection, turn.message, row.id, turn.now, outcome.columns, kept=arrival.inbox_id)
        _advance(connection, row, turn, outcome.effects, arrival, rules)
        tx = Transaction(
            connection,
            turn.now,
            row.id,
            inbox_id,
            f"turn:{inbox_id}",
            self._capabilities,
            list(outcome.effects.replies),
        )
        _attach(tx, turn.message)
        for record in (*outcome.effects.records, *((arrival.also,) if arrival.also else ())):
            record(tx)
        until = arrival.answer_until if rules.reply_margin is not None else None
        in_time = until is not None and (rules.streams or self._clock.monotonic() < until)
        older = unsaid(tx) if in_time and not rules.pushes else ()
        # What is asked again is answered at once: what waits there goes another way, and not through this answer.
        passive = in_time and (rules.streams or not (rules.pushes and row.waiting))
        answer = _store_replies(tx, turn.message, rules, passive=passive, older=older)
        for record in tx.afterwards:
            record(tx)
        return tx, answer


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A message with the time it counts as sent, and what ``take`` was told of it.

    ``inbox_id``: its row, when it is stored already and waits.
    """

    message: Message
    sent_at: datetime
    own: bool = False
    answer_until: float | None = None
    also: Record | None = None
    inbox_id: int | None = None


@dataclass(frozen=True, slots=True)
class _Outcome:
    outcome: str
    handler: str
    effects: Effects
    error: str | None = None

    @property
    def columns(self) -> dict[str, Any]:
        """What the inbox row says of it."""
        note = self.effects.note[:200]
        return {"outcome": self.outcome, "handler": self.handler, "note": note, "error": self.error}


def _as_conversation(row: Row[Any]) -> Conversation:
    return Conversation(
        id=row.id,
        channel=row.channel,
        account=row.account,
        chat=row.chat,
        version=row.version,
        state=row.state,
        holder=row.holder,
        followed=row.followed,
        session=row.session,
    )


def _advance(
    connection: Connection, row: Row[Any], turn: Turn, effects: Effects, arrival: _Arrival, rules: Capabilities
) -> None:
    began, count = (row.burst_began_at, row.burst_count) if arrival.own else burst(row, arrival.sent_at)
    window = None if arrival.own else opened_by(turn.message, row, arrival.sent_at, rules)
    values = {
        "the_id": row.id,
        "the_version": row.version,
        "new_version": row.version + 1,
        "new_state": dict(effects.state) if effects.state is not None else row.state,
        "speaks": not arrival.own and turn.message.kind != "event",
        "address": turn.message.reply_address or None,
        "began": began,
        "burst": count,
        **opened(window, arrival.sent_at),
    }
    if connection.execute(_ADVANCE, values).rowcount != 1:
        raise StaleVersion("another turn was stored first")


def _store_replies(
    tx: Transaction, message: Message, rules: Capabilities, *, passive: bool, older: Sequence[Row[Any]]
) -> Answer:
    """Queues the replies; the first, with ``older`` words that could not be said before, may go out at once."""
    found = parcels(tx.replies, rules, for_everybody=bool(message.chat))
    offered: list[int] = []
    for number, (kind, payload) in enumerate(found):
        now = passive and number == 0 and kind == "text"
        code = message.reply_code if number == 0 else ""
        values = outbox_row(
            conversation_id=tx.conversation_id,
            inbox_id=tx.inbox_id,
            key=f"{tx.origin}:{number}",
            kind=kind,
            payload={**payload, "code": code} if code else payload,
            voice="bot",
            about=None,
            status="offered" if now else "queued",
            now=tx.now,
        )
        if code and rules.reply_code_lives is not None:
            values["expires_at"] = message.sent_at + rules.reply_code_lives
        row_id: int = tx.connection.execute(_INSERT_OUTBOX, values).scalar_one()
        if now:
            offered.append(row_id)
        else:
            tx.woken.add(tx.conversation_id)
    words = found[0][1]["text"] if offered else ""
    told = offer_with(tx, words, older, rules.text_bytes)
    if not (offered or told):
        return Answer()
    text = "\n".join([*(row.payload["text"] for row in told), *([words] if words else [])])
    ids = (*(row.id for row in told), *offered)
    menu = found[0][1].get("menu", NOTHING) if offered else NOTHING
    return Answer(text, menu, ids, tx.conversation_id, more=len(found) > len(offered))


def _attach(tx: Transaction, message: Message) -> None:
    if message.media is None or tx.inbox_id is None:
        return
    known = select(attachments.c.id).where(attachments.c.inbox_id == tx.inbox_id)
    if tx.connection.execute(known).first() is not None:
        return  # it is thought about again
    query = insert(attachments).values(
        inbox_id=tx.inbox_id,
        conversation_id=tx.conversation_id,
        kind=message.media.kind,
        platform_id=message.media.platform_id,
        status="pending",
    )
    attachment_id: int = tx.connection.execute(query.returning(attachments.c.id)).scalar_one()
    tx.job("fetch_media", f"fetch_media:{attachment_id}", {"attachment": attachment_id})
