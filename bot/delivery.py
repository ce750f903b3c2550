"""Sending what the outbox holds: in order per conversation, within the budget, each row to exactly one outcome."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection, Row, and_, or_, select, update

from bot import reply_window
from bot.channels.capabilities import Capabilities, Window
from bot.channels.channel import Channel, Outgoing, Receipt
from bot.clock import Clock
from bot.errors import BotError, OverRate, ResultUnknown
from bot.media import stored_path
from bot.offers import OFFER_SECONDS
from bot.storage.store import Store
from bot.storage.tables import attachments, conversations, inbox, outbox
from bot.transaction import Transaction

log = structlog.get_logger()

LEASE_SECONDS = 30
_MAX_ATTEMPTS = 12
_LONGEST_WAIT = 300.0
NOTIFICATION = "notification"
_OPEN = ("offered", "queued", "sending")
_MOST_ALONG = 20
_WAIT_FOR_MORE = timedelta(seconds=10)
"""How long an answer waits for those to the same person's other messages, to leave as one with them."""
_SESSIONS = {"session_person": "person", "session_pool": "pool", "session_ended": "ended"}
"""Who speaks instead, as a channel tells it when it refuses a message."""
_KEEPS_ONE = 2
"""A window of more messages than this keeps its last one for how an open matter ends."""


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A message that did not, or perhaps did not, reach its reader. ``error`` is a code, ``status`` its outcome."""

    conversation_id: int
    about: str | None
    voice: str
    status: str
    error: str


OnUndelivered = Callable[[Transaction, Undelivered], None]
OnSent = Callable[[Transaction, Row[Any], Receipt], None]
"""Gets the outbox row of something that was sent, and what its channel wants kept of it, if that is anything."""


class Delivery:
    """Delivers the outbox of one conversation at a time; safe to call from many workers at once."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        channels: Mapping[str, Channel],
        media_dir: Path,
        on_undelivered: OnUndelivered,
        on_sent: OnSent = lambda tx, row, receipt: None,
        wake: Callable[[Transaction], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._channels = channels
        self._media_dir = media_dir
        self._on_undelivered = on_undelivered
        self._on_sent = on_sent
        self._wake = wake

    def deliver(self, conversation_id: int) -> None:
        """Sends every due row of a conversation, oldest first, until one has to wait."""
        while True:
            step = self._claim(conversation_id)
            if step is None:
                return
            if isinstance(step, _Claimed):
                self._finish(step, self._send(step))

    def _claim(self, conversation_id: int) -> _Claimed | _Settled | None:
        """Takes the oldest open row for sending, or settles it; None when there is nothing to do now."""
        now = self._clock.now()
        with self._store.write() as connection:
            conversation = connection.execute(
                select(conversations).where(conversations.c.id == conversation_id).with_for_update(key_share=True)
            ).first()
            row = _oldest(connection, conversation_id)
            if conversation is None or row is None or self._must_wait(row, now):
                return None
            tx = self._transaction(connection, conversation_id, now, row)
            channel = self._channels.get(conversation.channel)
            if channel is None:
                self._mark(tx, row, "dead", "channel_gone")
                log.error("channel_gone", channel=conversation.channel, outbox=row.id)
                return _Settled()
            if _may_grow(connection, row, channel.capabilities, now):
                return None
            verdict = _verdict(row, conversation, channel.capabilities, now)
            if verdict is None and not channel.capabilities.pushes:
                self._keep(connection, conversation, now)
                return None
            late = verdict == ("dead", "window_closed") and _may_notify(row, channel.capabilities)
            claimed = self._claimed(tx, row, conversation, channel, late=late) if verdict is None or late else None
            if claimed is not None:
                return claimed
            self._settle_claimed(tx, row, *(verdict or ("dead", "media_gone")))
        self._wake(tx)
        return _Settled()

    def _claimed(
        self, tx: Transaction, row: Row[Any], conversation: Row[Any], channel: Channel, *, late: bool
    ) -> _Claimed | None:
        """The row, leased with what goes along; None when its file is gone. ``late``: it leaves as a notification."""
        outgoing = self._outgoing(tx.connection, row, conversation)
        if outgoing is None:
            return None
        along = () if late else _along(tx.connection, row, conversation, channel.capabilities, tx.now)
        _lease(tx.connection, (row, *along), conversation, tx.now)
        if late:
            outgoing = replace(outgoing, kind=NOTIFICATION, data={**outgoing.data, "about": row.about})
        elif along:
            outgoing = _merged(outgoing, along)
        return _Claimed(row, along, conversation.account, channel, outgoing)

    def _settle_claimed(self, tx: Transaction, row: Row[Any], status: str, code: str) -> None:
        """Ends a row, with those that went along in its last try; what may have arrived is never called unsent."""
        if _may_have_left(row):
            status = "uncertain"
        along = select(outbox).where(outbox.c.merged_into == row.id, outbox.c.status.in_(_OPEN)).order_by(outbox.c.id)
        for each in (row, *(tx.connection.execute(along).all() if _may_have_left(row) else ())):
            self._settle(tx, each, status, code)

    def _keep(self, connection: Connection, conversation: Row[Any], now: datetime) -> None:
        """Words that nobody may say unasked: they go out with the next answer, and whoever wrote them learns it."""
        of_conversation = (outbox.c.conversation_id == conversation.id, outbox.c.status.in_(_OPEN))
        for row in connection.execute(select(outbox).where(*of_conversation).order_by(outbox.c.id)).all():
            wait = update(outbox).where(outbox.c.id == row.id)
            connection.execute(wait.values(status="queued", due_at=row.expires_at, error="kept"))
            if row.error is None:
                tx = self._transaction(connection, conversation.id, now, row)
                self._on_undelivered(tx, Undelivered(conversation.id, row.about, row.voice, "kept", "kept"))
                self._wake(tx)

    def _must_wait(self, row: Row[Any], now: datetime) -> bool:
        if row.status == "offered":
            return bool(now - row.created_at < timedelta(seconds=OFFER_SECONDS))
        if row.status == "sending":
            return bool(row.lease_until > now)
        return bool(row.due_at > now)

    def _outgoing(self, connection: Connection, row: Row[Any], conversation: Row[Any]) -> Outgoing | None:
        """What to send; None when its file is no longer there."""
        if row.kind != "attachment":
            return Outgoing(
                row.kind,
                text=row.payload.get("text", ""),
                data=row.payload,
                key=key_of(row),
                reply_code=row.payload.get("code", ""),
                reply_address=_address_of(connection, row, conversation),
            )
        query = select(attachments).where(attachments.c.id == row.payload["attachment"])
        file = connection.execute(query).one()
        try:
            content = stored_path(self._media_dir, file.sha256).read_bytes()
        except OSError as error:
            log.error("media_gone", attachment=file.id, error=type(error).__name__)
            return None
        return Outgoing(file.kind, content=content, content_type=file.content_type or "", key=key_of(row))

    def _send(self, claimed: _Claimed) -> BotError | Receipt:
        try:
            receipt = claimed.channel.send(claimed.account, claimed.outgoing) or {}
        except BotError as error:
            return error
        except Exception as error:
            # Not foreseen, so nobody knows whether it left.
            log.exception("send_failed", conversation=claimed.row.conversation_id)
            return ResultUnknown(type(error).__name__)
        return receipt

    def _finish(self, claimed: _Claimed, result: BotError | Receipt) -> None:
        now = self._clock.now()
        row = claimed.row
        with self._store.write() as connection:
            tx = self._transaction(connection, row.conversation_id, now, row)
            # In the order in which a claim locks them.
            lock = select(conversations.c.id).where(conversations.c.id == row.conversation_id)
            connection.execute(lock.with_for_update(key_share=True))
            if not _is_still_ours(connection, row):
                return  # the lease ran out meanwhile; whoever took the row over tells its outcome
            if not isinstance(result, BotError):
                self._sent(tx, claimed, result)
            elif _may_repeat(result, claimed) and row.attempts + 1 < _MAX_ATTEMPTS:
                _postpone(tx, claimed, result)
            else:
                _take_back(tx, claimed, result)
                if result.code in _SESSIONS:
                    tx.session(row.conversation_id, _SESSIONS[result.code])
                for each in claimed.rows:
                    self._settle(tx, each, "uncertain" if _may_have_left(row, result) else "dead", result.code)
        self._wake(tx)

    def _sent(self, tx: Transaction, claimed: _Claimed, receipt: Receipt) -> None:
        known = claimed.channel.capabilities.repeats == "same_key"
        kept = {**receipt, "key": claimed.outgoing.key} if known else dict(receipt)
        for each in claimed.rows:
            self._mark(tx, each, "sent", None, kept or None)
        if "session" in receipt:
            tx.session(claimed.row.conversation_id, receipt["session"])
        if receipt:
            self._on_sent(tx, claimed.row, receipt)
        if claimed.outgoing.kind == NOTIFICATION:
            row = claimed.row
            self._on_undelivered(tx, Undelivered(row.conversation_id, row.about, row.voice, "notified", "notified"))

    def failed_later(self, tx: Transaction, key: str, code: str) -> bool:
        """The platform tells that a message it had taken did not arrive; False when no such message is known.

        ``key`` is that of ``Outgoing``. Call inside a turn of the conversation.
        """
        tried = (outbox.c.status.in_(("sent", "uncertain", "sending")), outbox.c.attempts > 0)
        unknown = (outbox.c.status == "queued", outbox.c.error == ResultUnknown.code)
        mine = (outbox.c.conversation_id == tx.conversation_id, or_(and_(*tried), and_(*unknown)))
        rows = tx.connection.execute(select(outbox).where(*mine).order_by(outbox.c.id.desc()).limit(100)).all()
        heads = {row.id for row in rows if (row.receipt or {}).get("key", key_of(row)) == key}
        failed = [row for row in rows if row.id in heads or row.merged_into in heads]
        for row in failed:
            self._settle(tx, row, "dead", code)
        return bool(failed)

    def _settle(self, tx: Transaction, row: Row[Any], status: str, code: str) -> None:
        self._mark(tx, row, status, code)
        log.warning("undelivered", status=status, error=code, conversation=row.conversation_id, about=row.about)
        if status == "withdrawn":
            return
        self._on_undelivered(tx, Undelivered(row.conversation_id, row.about, row.voice, status, code))

    def _mark(
        self, tx: Transaction, row: Row[Any], status: str, code: str | None, receipt: Receipt | None = None
    ) -> None:
        tx.connection.execute(
            update(outbox)
            .where(outbox.c.id == row.id)
            .values(
                status=status,
                error=code,
                lease_until=None,
                sent_at=row.sent_at if status == "uncertain" else tx.now if status == "sent" else None,
                receipt=dict(receipt) if receipt else None,
            )
        )

    def _transaction(self, connection: Connection, conversation_id: int, now: datetime, row: Row[Any]) -> Transaction:
        capabilities = {name: channel.capabilities for name, channel in self._channels.items()}
        return Transaction(connection, now, conversation_id, None, f"outbox:{row.id}", capabilities)


def key_of(row: Row[Any]) -> str:
    """The key by which the platform knows this row's message: the same at every try, and no other row's ever."""
    return hashlib.sha256(f"{row.key} {row.created_at.timestamp()}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class _Claimed:
    """A row to send, and those whose words go along in the same message."""

    row: Row[Any]
    along: tuple[Row[Any], ...]
    account: str
    channel: Channel
    outgoing: Outgoing

    @property
    def rows(self) -> tuple[Row[Any], ...]:
        return (self.row, *self.along)


@dataclass(frozen=True, slots=True)
class _Settled:
    """A row came to its end without being sent; the next one may go."""


def _oldest(connection: Connection, conversation_id: int) -> Row[Any] | None:
    query = select(outbox).where(outbox.c.conversation_id == conversation_id, outbox.c.status.in_(_OPEN))
    return connection.execute(query.order_by(outbox.c.id).limit(1)).first()


def _address_of(connection: Connection, row: Row[Any], conversation: Row[Any]) -> str:
    """Where a channel takes later answers: an answer goes to its own message, what is told besides to the last one."""
    query = select(inbox.c.reply_address).where(inbox.c.id == row.inbox_id)
    own: str | None = connection.execute(query).scalar() if conversation.reply_address else None
    return own or conversation.reply_address or ""


def _verdict(row: Row[Any], conversation: Row[Any], rules: Capabilities, now: datetime) -> tuple[str, str] | None:
    """The end of a row that must not be sent, as status and code; None when it may go."""
    if row.status == "sending" and not (_repeats(rules, row.kind) and row.attempts < _MAX_ATTEMPTS):
        return "uncertain", "interrupted"
    if row.expires_at <= now:
        return "expired", "expired"
    if row.voice == "bot" and conversation.holder is not None and row.kind != "session":
        return "withdrawn", "held"
    if row.kind == "session" and row.payload.get("to") == "person" and conversation.holder is None:
        return "withdrawn", "released"  # whoever was to have the session has solved the matter meanwhile
    if conversation.session and not _is_free(row):
        return ("withdrawn", "held") if row.voice == "bot" else ("dead", f"session_{conversation.session}")
    if rules.window is None or not rules.pushes or _is_free(row):
        return None
    return _out_of_window(row, conversation, rules.window, now)


def _is_free(row: Row[Any]) -> bool:
    """Whether a row takes no place in the window, nor needs one: what answers an event by its code, or says nothing."""
    return bool(row.payload.get("code")) or row.kind == "session"


def _out_of_window(row: Row[Any], conversation: Row[Any], window: Window, now: datetime) -> tuple[str, str] | None:
    if reply_window.is_over(conversation, now):
        return "dead", "window_closed"
    if row.merged_into is not None or _may_have_left(row):
        return None  # its place in the window is taken already
    if conversation.window_left <= 0:
        return "dead", "window_used_up"
    kept = conversation.followed and window.messages > _KEEPS_ONE and not row.payload.get("outcome")
    return ("dead", "window_kept") if kept and conversation.window_left == 1 else None


def _may_notify(row: Row[Any], rules: Capabilities) -> bool:
    """Whether a person's words may go as a notification when the window has closed."""
    return rules.notifies and row.kind == "text" and row.voice == "person"


def _along(
    connection: Connection, row: Row[Any], conversation: Row[Any], rules: Capabilities, now: datetime
) -> tuple[Row[Any], ...]:
    """The next texts that leave in one message with this one; at a further try the same as before."""
    if not rules.merges or row.kind != "text" or row.payload.get("code"):
        return ()
    later = select(outbox).where(outbox.c.conversation_id == conversation.id, outbox.c.id > row.id)
    if _may_have_left(row) and _repeats(rules, row.kind):
        same = later.where(outbox.c.merged_into == row.id, outbox.c.status.in_(_OPEN))
        return tuple(connection.execute(same.order_by(outbox.c.id)).all())
    size, along = len(row.payload["text"].encode()), []
    for each in connection.execute(later.where(outbox.c.status.in_(_OPEN)).order_by(outbox.c.id).limit(_MOST_ALONG)):
        words = each.payload.get("text", "")
        size += len(words.encode()) + 1
        fits = each.kind == "text" and size <= rules.text_bytes and not each.payload.get("code")
        if not fits or each.status != "queued" or each.due_at > now or _verdict(each, conversation, rules, now):
            break
        along.append(each)
    return tuple(along)


def _may_grow(connection: Connection, row: Row[Any], rules: Capabilities, now: datetime) -> bool:
    """Whether more is about to be said that can leave in one message with this row.

    After a while without us many messages of one person wait, more than the window has answers.
    """
    if not (rules.pulled and rules.merges) or row.kind != "text" or row.payload.get("code"):
        return False
    if row.attempts or now - row.created_at >= _WAIT_FOR_MORE:
        return False
    waits = select(inbox.c.id).where(inbox.c.conversation_id == row.conversation_id, inbox.c.outcome == "waiting")
    return connection.execute(waits.limit(1)).first() is not None


def _merged(first: Outgoing, along: Sequence[Row[Any]]) -> Outgoing:
    """One message that says everything, and names everybody who is to look."""
    text = "\n".join([first.text, *(row.payload["text"] for row in along)])
    payloads = [first.data, *(row.payload for row in along)]
    mentions = dict.fromkeys(account for payload in payloads for account in payload.get("mentions", ()))
    return replace(first, text=text, data={**first.data, "mentions": list(mentions)})


def _is_still_ours(connection: Connection, row: Row[Any]) -> bool:
    query = select(outbox.c.status, outbox.c.attempts).where(outbox.c.id == row.id).with_for_update()
    found = connection.execute(query).first()
    return found is not None and tuple(found) == ("sending", row.attempts + 1)


def _lease(connection: Connection, rows: Sequence[Row[Any]], conversation: Row[Any], now: datetime) -> None:
    first, *along = rows
    lease = {"status": "sending", "lease_until": now + timedelta(seconds=LEASE_SECONDS), "sent_at": now}
    connection.execute(
        update(outbox).where(outbox.c.id == first.id).values(attempts=first.attempts + 1, merged_into=None, **lease)
    )
    for row in along:
        connection.execute(
            update(outbox).where(outbox.c.id == row.id).values(attempts=row.attempts + 1, merged_into=first.id, **lease)
        )
    if not _is_free(first):
        reply_window.take_place(connection, conversation.id, now, messages=0 if _may_have_left(first) else 1)


def _postpone(tx: Transaction, claimed: _Claimed, error: BotError) -> None:
    row = claimed.row
    wait = min(2.0**row.attempts, _LONGEST_WAIT) * random.uniform(0.8, 1.2)
    values: dict[str, Any] = {"status": "queued", "lease_until": None, "error": error.code}
    if isinstance(error, OverRate):
        wait, values["attempts"] = error.seconds, row.attempts  # nothing was tried
    if _may_have_left(row, error):
        values["error"] = ResultUnknown.code
    else:
        values |= {"merged_into": None, "sent_at": None}
    due = tx.now + timedelta(seconds=wait)
    ids = [each.id for each in claimed.rows]
    tx.connection.execute(update(outbox).where(outbox.c.id.in_(ids)).values(due_at=due, **values))
    _take_back(tx, claimed, error)


def _take_back(tx: Transaction, claimed: _Claimed, error: BotError) -> None:
    """What certainly did not leave takes no place in the window, unless the platform says that it is full."""
    row, window = claimed.row, claimed.channel.capabilities.window
    if not (_may_have_left(row, error) or _is_free(row)):
        used_up = error.code == "window_used_up"
        reply_window.give_back(tx.connection, row.conversation_id, window, used_up=used_up)


def _may_have_left(row: Row[Any], error: BotError | None = None) -> bool:
    """Whether one of a row's tries, as it was claimed, or the last one with this ``error`` may have arrived."""
    tried = row.status == "sending" or (row.attempts > 0 and row.error == ResultUnknown.code)
    return tried or isinstance(error, ResultUnknown)


def _may_repeat(error: BotError, claimed: _Claimed) -> bool:
    if isinstance(error, ResultUnknown):
        # A code works once: tried again, it would only be refused.
        return not claimed.outgoing.reply_code and _repeats(claimed.channel.capabilities, claimed.outgoing.kind)
    return not error.permanent


def _repeats(rules: Capabilities, kind: str) -> bool:
    """Whether something of this kind may be sent again when nobody knows whether it left."""
    return rules.repeats == "same_key" or (rules.repeats == "same_text" and kind in ("text", "card"))
