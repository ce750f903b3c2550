"""One turn: a message with its conversation is thought about, and everything that follows is stored at once.

No lock is held while a handler thinks. The conversation's version tells whether another turn was stored meanwhile;
then this one is thought again. A repeated message finds what its first copy led to.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Protocol

import structlog
from sqlalchemy import Boolean, Connection, Row, bindparam, case, exists, func, insert, select, update
from sqlalchemy.exc import OperationalError

from bot.channels.capabilities import Capabilities
from bot.clock import Clock
from bot.conversation import Conversation, Turn
from bot.effects import Effects, Record
from bot.errors import StaleVersion
from bot.message import Message
from bot.storage.store import Store
from bot.storage.tables import attachments, conversations, inbox, outbox
from bot.storage.types import Instant
from bot.transaction import Transaction, conversation_id, insert_or_nothing, outbox_row
from bot.wording import split_text

log = structlog.get_logger()

Handler = Callable[[Turn], Effects | None]
Afterthought = Callable[[Turn, Effects], Effects]
OnFailure = Callable[[Turn], Effects]

BURST_SECONDS = 10
BURST_MESSAGES = 20
_ATTEMPTS = 60


class Workers(Protocol):
    """Tells the workers that there is something to do; losing the word costs seconds only."""

    def wake(self, conversations: Sequence[int], jobs: Sequence[int]) -> None: ...


@dataclass(frozen=True, slots=True)
class NamedHandler:
    """A handler with the name that stands in the inbox row and the log."""

    name: str
    handle: Handler


@dataclass(frozen=True, slots=True)
class Answer:
    """What the HTTP answer may carry.

    ``text`` None: nothing to say now. ``outbox_id`` is to be confirmed once the answer is written;
    ``more`` says that further rows of the conversation wait for that.
    """

    text: str | None = None
    outbox_id: int | None = None
    conversation_id: int | None = None
    more: bool = False
    repeat: bool = False


class _Repeat(Exception):
    """The inbox knows this message already."""


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
        # Sends count up meanwhile without a new version, so a turn that opens no window leaves the count alone.
        window_opened_at=func.coalesce(bindparam("opened", type_=Instant), conversations.c.window_opened_at),
        window_sent=case((bindparam("opens", type_=Boolean), 0), else_=conversations.c.window_sent),
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

    def take(self, message: Message, *, answer_until: float | None = None, also: Record | None = None) -> Answer:
        """Handles one message, exactly once however often it comes.

        ``answer_until``: monotonic time up to which a reply may go into the HTTP answer; None: it may not, and the
        message is an event of our own that opens no reply window. ``also`` is stored in the same transaction.
        """
        for attempt in range(_ATTEMPTS):
            try:
                return self._take_once(message, answer_until, also)
            except StaleVersion:
                time.sleep(random.uniform(0, 0.002 * min(attempt + 1, 10)))
            except _Repeat:
                return self._first_answer(message)
        raise StaleVersion("too many turns of one conversation at once")

    def _take_once(self, message: Message, answer_until: float | None, also: Record | None) -> Answer:
        now = self._clock.now()
        with self._store.read():
            row = self._conversation(message, now)
            turn = Turn(message, _as_conversation(row), now)
            flooded = answer_until is not None and message.kind == "text" and _is_flood(row, now)
            outcome = self._throttle(row, now) if flooded else self._think(turn)
        try:
            tx, answer = self._store_turn(row, turn, outcome, answer_until, also)
        except (StaleVersion, _Repeat, OperationalError):
            raise  # thought again, answered as before, or left to the platform's next try
        except Exception as error:
            log.exception("record_failed", handler=outcome.handler, conversation=row.id)
            outcome = _Outcome("failed", outcome.handler, self._on_failure(turn), type(error).__name__)
            tx, answer = self._store_turn(row, turn, outcome, answer_until, also)
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

    def _throttle(self, row: Row[Any], now: datetime) -> _Outcome:
        first = _burst(row, now)[1] == BURST_MESSAGES + 1
        return _Outcome("throttled", "", Effects(replies=(self._flood,) if first else ()))

    def _store_turn(
        self, row: Row[Any], turn: Turn, outcome: _Outcome, answer_until: float | None, also: Record | None
    ) -> tuple[Transaction, Answer]:
        with self._store.write() as connection:
            return self._record(connection, row, turn, outcome, answer_until, also)

    def _record(
        self,
        connection: Connection,
        row: Row[Any],
        turn: Turn,
        outcome: _Outcome,
        answer_until: float | None,
        also: Record | None,
    ) -> tuple[Transaction, Answer]:
        inbox_id = _insert_inbox(connection, row.id, turn, outcome)
        _advance(connection, row, turn, outcome.effects, inbound=answer_until is not None)
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
        for record in (*outcome.effects.records, *((also,) if also else ())):
            record(tx)
        in_time = answer_until is not None and self._clock.monotonic() < answer_until
        return tx, self._store_replies(tx, turn.message.channel, passive=in_time and not row.waiting)

    def _store_replies(self, tx: Transaction, channel: str, *, passive: bool) -> Answer:
        parts = split_text("\n".join(tx.replies), self._capabilities[channel].text_bytes)
        answer = Answer()
        for number, part in enumerate(parts):
            offered = passive and number == 0
            values = outbox_row(
                conversation_id=tx.conversation_id,
                inbox_id=tx.inbox_id,
                key=f"{tx.origin}:{number}",
                kind="text",
                payload={"text": part},
                voice="bot",
                about=None,
                status="offered" if offered else "queued",
                now=tx.now,
            )
            row_id: int = tx.connection.execute(_INSERT_OUTBOX, values).scalar_one()
            if offered:
                answer = Answer(part, row_id, tx.conversation_id, more=len(parts) > 1)
            else:
                tx.woken.add(tx.conversation_id)
        return answer

    def _first_answer(self, message: Message) -> Answer:
        """The reply that the first copy offered in its HTTP answer, if it did.

        While nobody has confirmed it, this answer may: the first one's process has died, or is about to finish.
        """
        query = (
            select(outbox.c.id, outbox.c.conversation_id, outbox.c.status, outbox.c.payload)
            .join(inbox, inbox.c.id == outbox.c.inbox_id)
            .where(inbox.c.channel == message.channel, inbox.c.dedupe_key == message.dedupe_key)
            # A row that was never attempted through the API went, or goes, out in the HTTP answer.
            .where(outbox.c.status.in_(("offered", "sent")), outbox.c.attempts == 0)
        )
        with self._store.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            return Answer(repeat=True)
        if row.status == "sent":
            return Answer(row.payload["text"], repeat=True)
        return Answer(row.payload["text"], row.id, row.conversation_id, more=True, repeat=True)


@dataclass(frozen=True, slots=True)
class _Outcome:
    outcome: str
    handler: str
    effects: Effects
    error: str | None = None


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
    )


def _burst(row: Row[Any], now: datetime) -> tuple[datetime, int]:
    """When the current burst of messages began, and how many it holds with this one."""
    if row.burst_began_at is None or now - row.burst_began_at > timedelta(seconds=BURST_SECONDS):
        return now, 1
    return row.burst_began_at, row.burst_count + 1


def _is_flood(row: Row[Any], now: datetime) -> bool:
    """Whether somebody writes faster than the bot answers. A person who reads along gets every word."""
    return row.holder is None and not row.followed and _burst(row, now)[1] > BURST_MESSAGES


@cache
def _insert_inbox_row(dialect: str) -> Any:
    return insert_or_nothing(dialect, inbox).returning(inbox.c.id)


def _insert_inbox(connection: Connection, conversation: int, turn: Turn, outcome: _Outcome) -> int:
    message = turn.message
    values = {
        "channel": message.channel,
        "dedupe_key": message.dedupe_key,
        "conversation_id": conversation,
        "kind": message.kind,
        "text": message.text,
        "payload": {"event": message.event} if message.event else {},
        "sent_at": message.sent_at,
        "received_at": turn.now,
        "outcome": outcome.outcome,
        "handler": outcome.handler,
        "note": outcome.effects.note[:200],
        "error": outcome.error,
    }
    inbox_id = connection.execute(_insert_inbox_row(connection.dialect.name), values).scalar()
    if inbox_id is None:
        raise _Repeat
    return int(inbox_id)


def _advance(connection: Connection, row: Row[Any], turn: Turn, effects: Effects, *, inbound: bool) -> None:
    began, burst = _burst(row, turn.now) if inbound else (row.burst_began_at, row.burst_count)
    opens = inbound and turn.message.kind != "event"
    values = {
        "the_id": row.id,
        "the_version": row.version,
        "new_version": row.version + 1,
        "new_state": dict(effects.state) if effects.state is not None else row.state,
        "opened": turn.now if opens else None,
        "opens": opens,
        "began": began,
        "burst": burst,
    }
    if connection.execute(_ADVANCE, values).rowcount != 1:
        raise StaleVersion("another turn was stored first")


def _attach(tx: Transaction, message: Message) -> None:
    # Films and files are answered in words only, so they are not fetched.
    if message.media is None or message.media.kind not in ("image", "voice") or tx.inbox_id is None:
        return
    query = insert(attachments).values(
        inbox_id=tx.inbox_id,
        conversation_id=tx.conversation_id,
        kind=message.media.kind,
        platform_id=message.media.platform_id,
        status="pending",
    )
    attachment_id: int = tx.connection.execute(query.returning(attachments.c.id)).scalar_one()
    tx.job("fetch_media", f"fetch_media:{attachment_id}", {"attachment": attachment_id})
