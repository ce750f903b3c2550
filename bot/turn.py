"""One turn: a message with its conversation is thought about, and everything that follows is stored at once.

No lock is held while a handler thinks. The conversation's version tells whether another turn was stored meanwhile;
then this one is thought again. A repeated message finds what its first copy led to.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Protocol

import structlog
from sqlalchemy import (
    Boolean,
    Connection,
    Integer,
    Row,
    String,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.exc import OperationalError

from bot.channels.capabilities import Capabilities, Window
from bot.clock import Clock
from bot.conversation import Conversation, Turn
from bot.effects import Effects, Record
from bot.errors import StaleVersion
from bot.message import Media, Message
from bot.storage.store import Store
from bot.storage.tables import attachments, conversations, inbox, outbox
from bot.storage.types import Instant
from bot.transaction import Transaction, conversation_id, insert_or_nothing, outbox_row
from bot.wording import parcels

log = structlog.get_logger()

Handler = Callable[[Turn], Effects | None]
Afterthought = Callable[[Turn, Effects], Effects]
OnFailure = Callable[[Turn], Effects]

OFFER_SECONDS = 20
"""How long an HTTP answer may take to be written; after that its process has died."""

BURST_SECONDS = 10
BURST_MESSAGES = 20
_ATTEMPTS = 60


class Workers(Protocol):
    """Tells the workers that there is something to do; losing the word costs seconds only."""

    def wake(self, conversations: Sequence[int], jobs: Sequence[int] = ()) -> None: ...


@dataclass(frozen=True, slots=True)
class NamedHandler:
    """A handler with the name that stands in the inbox row and the log."""

    name: str
    handle: Handler


@dataclass(frozen=True, slots=True)
class Answer:
    """What the HTTP answer may carry.

    ``text`` None: nothing to say now. ``outbox_ids`` are to be confirmed once the answer is written;
    ``more`` says that further rows of the conversation wait for that.
    """

    text: str | None = None
    outbox_ids: tuple[int, ...] = ()
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

_SINCE = bindparam("since", type_=Instant)
# What has gone out since a message was sent counts for the window that it opens. Answers to an event's code do not,
# nor what was carried along in another message; what went out in an HTTP answer was never tried.
_SENT_SINCE = (
    select(func.count())
    .where(
        outbox.c.conversation_id == conversations.c.id,
        outbox.c.sent_at >= _SINCE,
        outbox.c.attempts > 0,
        outbox.c.merged_into.is_(None),
        outbox.c.kind != "session",
        outbox.c.payload["code"].as_string().is_(None),
    )
    .scalar_subquery()
)
_LEFT = bindparam("left", type_=Integer)

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
        # Sends count down meanwhile without a new version, so a turn that opens no window leaves the count alone.
        window_closes_at=func.coalesce(bindparam("closes", type_=Instant), conversations.c.window_closes_at),
        window_left=case(
            (not_(bindparam("opens", type_=Boolean)), conversations.c.window_left),
            (or_(conversations.c.last_sent_at.is_(None), conversations.c.last_sent_at < _SINCE), _LEFT),
            else_=_LEFT - _SENT_SINCE,
        ),
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
            return self._take(_Arrival(message, now, min(sent_at, now), own), answer_until, also)
        except _Repeat:
            return self.first_answer(message.channel, message.dedupe_key)

    def keep(self, message: Message) -> None:
        """Stores a message that is about to be thought about; should that fail, a worker does it."""
        now = self._clock.now()
        waiting = {"outcome": "waiting", "handler": "", "note": "", "error": None}
        with self._store.write() as connection:
            conversation = conversation_id(connection, message.channel, message.account, message.chat, now)
            row = {**inbox_row(message, conversation, now), **waiting}
            connection.execute(_insert_inbox_row(connection.dialect.name), row)

    def think(self, conversation: int) -> None:
        """Handles the messages of a conversation that are stored and wait, oldest first."""
        while (arrival := self._waiting(conversation)) is not None:
            with suppress(_Repeat):  # another worker has thought about it meanwhile
                self._take(arrival, None, None)

    def _take(self, arrival: _Arrival, answer_until: float | None, also: Record | None) -> Answer:
        for attempt in range(_ATTEMPTS):
            try:
                return self._take_once(arrival, answer_until, also)
            except StaleVersion:
                time.sleep(random.uniform(0, 0.002 * min(attempt + 1, 10)))
        raise StaleVersion("too many turns of one conversation at once")

    def _take_once(self, arrival: _Arrival, answer_until: float | None, also: Record | None) -> Answer:
        now, message = self._clock.now(), arrival.message
        with self._store.read():
            row = self._conversation(message, now)
            turn = Turn(message, _as_conversation(row), now)
            flooded = not arrival.own and message.kind == "text" and _is_flood(row, arrival.sent_at)
            outcome = self._throttle(row, arrival.sent_at) if flooded else self._think(turn)
        try:
            tx, answer = self._store_turn(row, turn, outcome, arrival, answer_until, also)
        except (StaleVersion, _Repeat, OperationalError):
            raise  # thought again, answered as before, or left to the platform's next try
        except Exception as error:
            log.exception("record_failed", handler=outcome.handler, conversation=row.id)
            outcome = _Outcome("failed", outcome.handler, self._on_failure(turn), type(error).__name__)
            tx, answer = self._store_turn(row, turn, outcome, arrival, answer_until, also)
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

    def _waiting(self, conversation: int) -> _Arrival | None:
        query = (
            select(inbox, conversations.c.account, conversations.c.chat)
            .join(conversations, conversations.c.id == inbox.c.conversation_id)
            .where(inbox.c.conversation_id == conversation, inbox.c.outcome == "waiting")
            .order_by(inbox.c.id)
            .limit(1)
        )
        with self._store.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        if row.channel not in self._capabilities:
            self._give_up(row)
            return self._waiting(conversation)
        return _Arrival(stored_message(row), row.received_at, min(row.sent_at, row.received_at), inbox_id=row.id)

    def _give_up(self, row: Row[Any]) -> None:
        """The operator has taken the channel of a waiting message out, or given it another name."""
        log.error("channel_gone", channel=row.channel, inbox=row.id)
        with self._store.write() as connection:
            connection.execute(update(inbox).where(inbox.c.id == row.id).values(outcome="failed", error="channel_gone"))

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
        first = _burst(row, at)[1] == BURST_MESSAGES + 1
        return _Outcome("throttled", "", Effects(replies=(self._flood,) if first and not row.chat else ()))

    def _store_turn(
        self,
        row: Row[Any],
        turn: Turn,
        outcome: _Outcome,
        arrival: _Arrival,
        answer_until: float | None,
        also: Record | None,
    ) -> tuple[Transaction, Answer]:
        with self._store.write() as connection:
            return self._record(connection, row, turn, outcome, arrival, answer_until, also)

    def _record(
        self,
        connection: Connection,
        row: Row[Any],
        turn: Turn,
        outcome: _Outcome,
        arrival: _Arrival,
        answer_until: float | None,
        also: Record | None,
    ) -> tuple[Transaction, Answer]:
        rules = self._capabilities[turn.message.channel]
        inbox_id = _insert_inbox(connection, row.id, turn, outcome, arrival.inbox_id)
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
        for record in (*outcome.effects.records, *((also,) if also else ())):
            record(tx)
        passive = answer_until is not None and rules.reply_margin is not None
        in_time = passive and (rules.streams or self._clock.monotonic() < (answer_until or 0.0))
        older = () if rules.pushes else _words_kept(tx, in_time)
        # What is asked again is answered at once: what waits there goes another way, and not through this answer.
        passive = in_time and (rules.streams or not (rules.pushes and row.waiting))
        answer = self._store_replies(tx, turn.message, rules, passive=passive, older=older)
        for record in tx.afterwards:
            record(tx)
        return tx, answer

    def _store_replies(
        self,
        tx: Transaction,
        message: Message,
        rules: Capabilities,
        *,
        passive: bool,
        older: Sequence[Row[Any]] = (),
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
        told = _that_fit(older, words, rules.text_bytes) if passive else []
        if told:
            _offer(tx, told)
        if not (offered or told):
            return Answer()
        text = "\n".join([*(row.payload["text"] for row in told), *([words] if words else [])])
        ids = (*(row.id for row in told), *offered)
        return Answer(text, ids, tx.conversation_id, more=len(found) > len(offered))

    def later_answer(self, channel: str, dedupe_key: str) -> Answer:
        """What has become of a message that the platform asks for again: None while it is still being thought about,
        an empty text when there is nothing to say.
        """
        same = (inbox.c.channel == channel, inbox.c.dedupe_key == dedupe_key)
        query = select(inbox.c.id).where(*same, inbox.c.outcome != "waiting")
        with self._store.read() as connection:
            known = connection.execute(query).first() is not None
        answer = self.first_answer(channel, dedupe_key)
        return replace(answer, text="") if known and answer.text is None else answer

    def first_answer(self, channel: str, dedupe_key: str) -> Answer:
        """The reply that the first copy of a message offered in its HTTP answer, if it did.

        While nobody has confirmed it, this answer may: the first one's process has died, or is about to finish.
        """
        query = (
            select(outbox.c.id, outbox.c.conversation_id, outbox.c.status, outbox.c.payload)
            .join(inbox, inbox.c.id == outbox.c.inbox_id)
            .where(inbox.c.channel == channel, inbox.c.dedupe_key == dedupe_key)
            # A row that was never attempted through the API went, or goes, out in the HTTP answer.
            .where(outbox.c.status.in_(("offered", "sent")), outbox.c.attempts == 0)
        )
        with self._store.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            return Answer(repeat=True)
        if row.status == "sent":
            return Answer(row.payload["text"], repeat=True)
        return Answer(row.payload["text"], (row.id,), row.conversation_id, more=True, repeat=True)


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A message with the time at which we had it and the time it counts as sent.

    ``own``: an event of our own. ``inbox_id``: its row, when it is stored already and waits.
    """

    message: Message
    received_at: datetime
    sent_at: datetime
    own: bool = False
    inbox_id: int | None = None


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
        session=row.session,
    )


def _burst(row: Row[Any], at: datetime) -> tuple[datetime, int]:
    """When the current burst of messages began, and how many it holds with this one."""
    if row.burst_began_at is None or at - row.burst_began_at > timedelta(seconds=BURST_SECONDS):
        return at, 1
    return row.burst_began_at, row.burst_count + 1


def _is_flood(row: Row[Any], at: datetime) -> bool:
    """Whether somebody writes faster than the bot answers. A person who reads along gets every word."""
    return row.holder is None and not row.followed and _burst(row, at)[1] > BURST_MESSAGES


@cache
def _insert_inbox_row(dialect: str) -> Any:
    return insert_or_nothing(dialect, inbox).returning(inbox.c.id)


def _insert_inbox(connection: Connection, conversation: int, turn: Turn, outcome: _Outcome, waiting: int | None) -> int:
    result = {
        "outcome": outcome.outcome,
        "handler": outcome.handler,
        "note": outcome.effects.note[:200],
        "error": outcome.error,
    }
    if waiting is not None:
        query = update(inbox).where(inbox.c.id == waiting, inbox.c.outcome == "waiting").values(**result)
        if connection.execute(query).rowcount != 1:
            raise _Repeat
        return waiting
    values = {**inbox_row(turn.message, conversation, turn.now), **result}
    inbox_id = connection.execute(_insert_inbox_row(connection.dialect.name), values).scalar()
    if inbox_id is None:
        inbox_id = _adopt(connection, turn.message, result)
    if inbox_id is None:
        raise _Repeat
    return int(inbox_id)


def _adopt(connection: Connection, message: Message, result: Mapping[str, Any]) -> int | None:
    """The row of a message that was stored before it was thought about."""
    same = (inbox.c.channel == message.channel, inbox.c.dedupe_key == message.dedupe_key)
    query = update(inbox).where(*same, inbox.c.outcome == "waiting").values(**result).returning(inbox.c.id)
    found: int | None = connection.execute(query).scalar()
    return found


def inbox_row(message: Message, conversation: int, received_at: datetime) -> dict[str, Any]:
    """The values of an inbox row, but for what became of it."""
    return {
        "channel": message.channel,
        "dedupe_key": message.dedupe_key,
        "conversation_id": conversation,
        "kind": message.kind,
        "text": message.text,
        "payload": message.details(),
        "sent_at": message.sent_at,
        "received_at": received_at,
    }


def stored_message(row: Row[Any]) -> Message:
    """The message of an inbox row that was read together with ``account`` and ``chat`` of its conversation."""
    details = dict(row.payload)
    media = details.pop("media", None)
    return Message(
        channel=row.channel,
        account=row.account,
        chat=row.chat,
        dedupe_key=row.dedupe_key,
        kind=row.kind,
        sent_at=row.sent_at,
        text=row.text,
        media=Media(**media) if media else None,
        **details,
    )


def _advance(
    connection: Connection, row: Row[Any], turn: Turn, effects: Effects, arrival: _Arrival, rules: Capabilities
) -> None:
    began, burst = (row.burst_began_at, row.burst_count) if arrival.own else _burst(row, arrival.sent_at)
    window = None if arrival.own else _window(row, turn.message, arrival.sent_at, rules)
    values = {
        "the_id": row.id,
        "the_version": row.version,
        "new_version": row.version + 1,
        "new_state": dict(effects.state) if effects.state is not None else row.state,
        "closes": arrival.sent_at + window.length if window else None,
        "speaks": not arrival.own and turn.message.kind != "event",
        "opens": window is not None,
        "left": window.messages if window else 0,
        # Platforms tell whole seconds, rounded down: what left just before the message may count, never the reverse.
        "since": arrival.sent_at,
        "address": turn.message.reply_address or None,
        "began": began,
        "burst": burst,
    }
    if connection.execute(_ADVANCE, values).rowcount != 1:
        raise StaleVersion("another turn was stored first")


def _window(row: Row[Any], message: Message, at: datetime, rules: Capabilities) -> Window | None:
    """What this message opens; an event's short window does not take the place of a longer one."""
    if message.kind != "event":
        return rules.window
    window = rules.event_windows.get(message.event)
    if window is None or row.window_closes_at is None:
        return window
    better = row.window_closes_at > at + window.length and row.window_left >= window.messages
    return None if better else window


def _words_kept(tx: Transaction, in_time: bool) -> Sequence[Row[Any]]:
    """Texts that wait until the person writes, where nothing can be said unasked."""
    if not in_time:
        return ()
    died = tx.now - timedelta(seconds=OFFER_SECONDS)
    waits = or_(outbox.c.status == "queued", (outbox.c.status == "offered") & (outbox.c.created_at < died))
    query = select(outbox).where(outbox.c.conversation_id == tx.conversation_id, waits, outbox.c.kind == "text")
    return tx.connection.execute(query.order_by(outbox.c.id)).all()


def _that_fit(older: Sequence[Row[Any]], words: str, limit: int) -> list[Row[Any]]:
    fit, left = [], limit - len(words.encode())
    for row in older:
        left -= len(row.payload["text"].encode()) + 1
        if left < 0:
            break
        fit.append(row)
    return fit


def _offer(tx: Transaction, rows: Sequence[Row[Any]]) -> None:
    query = update(outbox).where(outbox.c.id.in_([row.id for row in rows]))
    tx.connection.execute(query.values(status="offered", created_at=tx.now))


def _attach(tx: Transaction, message: Message) -> None:
    # Films and files are answered in words only, so they are not fetched.
    if message.media is None or message.media.kind not in ("image", "voice") or tx.inbox_id is None:
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
