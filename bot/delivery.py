"""Sending what the outbox holds: in order per conversation, within the budget, each row to exactly one outcome."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection, Row, select, update

from bot.channels.channel import Channel, Outgoing
from bot.clock import Clock
from bot.errors import BotError, PlatformError, PlatformUnreachable, ResultUnknown
from bot.media import stored_path
from bot.storage.store import Store
from bot.storage.tables import attachments, conversations, outbox
from bot.transaction import Transaction

log = structlog.get_logger()

OFFER_SECONDS = 20
LEASE_SECONDS = 30
_MAX_ATTEMPTS = 12
_LONGEST_WAIT = 300.0
_OPEN = ("offered", "queued", "sending")


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A message that did not, or perhaps did not, reach its reader. ``error`` is a code, ``status`` its outcome."""

    conversation_id: int
    about: str | None
    voice: str
    status: str
    error: str


OnUndelivered = Callable[[Transaction, Undelivered], None]


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
        wake: Callable[[Transaction], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._channels = channels
        self._media_dir = media_dir
        self._on_undelivered = on_undelivered
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
        tx = None
        with self._store.write() as connection:
            conversation = connection.execute(
                select(conversations).where(conversations.c.id == conversation_id).with_for_update(key_share=True)
            ).one()
            row = _oldest(connection, conversation_id)
            if row is None or self._must_wait(row, now):
                return None
            channel = self._channels[conversation.channel]
            verdict = _verdict(row, conversation, channel, now)
            outgoing = self._outgoing(connection, row) if verdict is None else None
            if outgoing is not None:
                _lease(connection, row, conversation, now)
                return _Claimed(row, conversation.account, channel, outgoing)
            tx = self._transaction(connection, conversation_id, now, row)
            self._settle(tx, row, *(verdict or ("dead", "media_gone")))
        self._wake(tx)
        return _Settled()

    def _must_wait(self, row: Row[Any], now: datetime) -> bool:
        if row.status == "offered":
            return bool(now - row.created_at < timedelta(seconds=OFFER_SECONDS))
        if row.status == "sending":
            return bool(row.lease_until > now)
        return bool(row.due_at > now)

    def _outgoing(self, connection: Connection, row: Row[Any]) -> Outgoing | None:
        """What to send; None when its file is no longer there."""
        if row.kind == "text":
            return Outgoing("text", text=row.payload["text"])
        query = select(attachments).where(attachments.c.id == row.payload["attachment"])
        file = connection.execute(query).one()
        try:
            content = stored_path(self._media_dir, file.sha256).read_bytes()
        except OSError as error:
            log.error("media_gone", attachment=file.id, error=type(error).__name__)
            return None
        return Outgoing(file.kind, content=content, content_type=file.content_type or "")

    def _send(self, claimed: _Claimed) -> BotError | None:
        try:
            claimed.channel.send(claimed.account, claimed.outgoing)
        except BotError as error:
            return error
        except Exception as error:
            # Not foreseen, so nobody knows whether it left.
            log.exception("send_failed", conversation=claimed.row.conversation_id)
            return ResultUnknown(type(error).__name__)
        return None

    def _finish(self, claimed: _Claimed, error: BotError | None) -> None:
        now = self._clock.now()
        row = claimed.row
        with self._store.write() as connection:
            tx = self._transaction(connection, row.conversation_id, now, row)
            if not _is_still_ours(connection, row):
                return  # the lease ran out meanwhile; whoever took the row over tells its outcome
            if error is None:
                self._mark(tx, row, "sent", None)
            elif _may_repeat(error, claimed) and row.attempts + 1 < _MAX_ATTEMPTS:
                self._postpone(tx, row, error)
            else:
                self._settle(tx, row, "uncertain" if isinstance(error, ResultUnknown) else "dead", error.code)
        self._wake(tx)

    def _postpone(self, tx: Transaction, row: Row[Any], error: BotError) -> None:
        wait = min(2.0**row.attempts, _LONGEST_WAIT) * random.uniform(0.8, 1.2)
        due = tx.now + timedelta(seconds=wait)
        tx.connection.execute(
            update(outbox)
            .where(outbox.c.id == row.id)
            .values(status="queued", due_at=due, lease_until=None, error=error.code)
        )
        if not isinstance(error, ResultUnknown):
            tx.connection.execute(
                update(conversations)
                .where(conversations.c.id == row.conversation_id, conversations.c.window_sent > 0)
                .values(window_sent=conversations.c.window_sent - 1)
            )

    def _settle(self, tx: Transaction, row: Row[Any], status: str, code: str) -> None:
        self._mark(tx, row, status, code)
        log.warning("undelivered", status=status, error=code, conversation=row.conversation_id, about=row.about)
        if status == "withdrawn":
            return
        self._on_undelivered(tx, Undelivered(row.conversation_id, row.about, row.voice, status, code))

    def _mark(self, tx: Transaction, row: Row[Any], status: str, code: str | None) -> None:
        tx.connection.execute(
            update(outbox)
            .where(outbox.c.id == row.id)
            .values(status=status, error=code, lease_until=None, sent_at=tx.now if status == "sent" else None)
        )

    def _transaction(self, connection: Connection, conversation_id: int, now: datetime, row: Row[Any]) -> Transaction:
        capabilities = {name: channel.capabilities for name, channel in self._channels.items()}
        return Transaction(connection, now, conversation_id, None, f"outbox:{row.id}", capabilities)


@dataclass(frozen=True, slots=True)
class _Claimed:
    row: Row[Any]
    account: str
    channel: Channel
    outgoing: Outgoing


@dataclass(frozen=True, slots=True)
class _Settled:
    """A row came to its end without being sent; the next one may go."""


def _oldest(connection: Connection, conversation_id: int) -> Row[Any] | None:
    query = select(outbox).where(outbox.c.conversation_id == conversation_id, outbox.c.status.in_(_OPEN))
    return connection.execute(query.order_by(outbox.c.id).limit(1)).first()


def _verdict(row: Row[Any], conversation: Row[Any], channel: Channel, now: datetime) -> tuple[str, str] | None:
    """The end of a row that must not be sent, as status and code; None when it may go."""
    rules = channel.capabilities
    may_repeat = rules.repeats_are_dropped and row.kind == "text" and row.attempts < _MAX_ATTEMPTS
    if row.status == "sending" and not may_repeat:
        return "uncertain", "interrupted"
    if row.expires_at <= now:
        return "expired", "expired"
    if row.voice == "bot" and conversation.holder is not None:
        return "withdrawn", "held"
    if rules.window is None:
        return None
    if conversation.window_opened_at is None or now - conversation.window_opened_at > rules.window:
        return "dead", "window_closed"
    if rules.window_messages is not None and conversation.window_sent >= rules.window_messages:
        return "dead", "window_used_up"
    return None


def _is_still_ours(connection: Connection, row: Row[Any]) -> bool:
    query = select(outbox.c.status, outbox.c.attempts).where(outbox.c.id == row.id).with_for_update()
    return tuple(connection.execute(query).one()) == ("sending", row.attempts + 1)


def _lease(connection: Connection, row: Row[Any], conversation: Row[Any], now: datetime) -> None:
    connection.execute(
        update(outbox)
        .where(outbox.c.id == row.id)
        .values(status="sending", attempts=row.attempts + 1, lease_until=now + timedelta(seconds=LEASE_SECONDS))
    )
    connection.execute(
        update(conversations)
        .where(conversations.c.id == conversation.id)
        .values(window_sent=conversations.c.window_sent + 1)
    )


def _may_repeat(error: BotError, claimed: _Claimed) -> bool:
    if isinstance(error, ResultUnknown):
        return claimed.channel.capabilities.repeats_are_dropped and claimed.outgoing.kind == "text"
    return isinstance(error, PlatformUnreachable) or (isinstance(error, PlatformError) and not error.permanent)
