"""Replies that go out in an HTTP answer: their rows are "offered" until it is written, then "sent"."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Row, or_, select, update

from bot.clock import Clock
from bot.message import NOTHING
from bot.storage.store import Store
from bot.storage.tables import inbox, outbox
from bot.transaction import Transaction

log = structlog.get_logger()

OFFER_SECONDS = 20
"""How long an HTTP answer may take to be written; after that its process has died."""

_PAUSE_SECONDS = 0.05
_PAUSE_AFTER_FAILURE = 0.5


@dataclass(frozen=True, slots=True)
class Answer:
    """What the HTTP answer may carry.

    ``text`` None: nothing to say now. ``menu``: what of it may be tapped, as "head" and "choices". ``outbox_ids`` are
    to be confirmed once the answer is written; ``more`` says that further rows of the conversation wait for that.
    """

    text: str | None = None
    menu: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    outbox_ids: tuple[int, ...] = ()
    conversation_id: int | None = None
    more: bool = False
    repeat: bool = False


def later_answer(connection: Connection, channel: str, dedupe_key: str) -> Answer:
    """What has become of a message that the platform asks for again: None while it is still being thought about,
    an empty text when there is nothing to say.
    """
    same = (inbox.c.channel == channel, inbox.c.dedupe_key == dedupe_key)
    known = connection.execute(select(inbox.c.id).where(*same, inbox.c.outcome != "waiting")).first() is not None
    answer = first_answer(connection, channel, dedupe_key)
    return replace(answer, text="") if known and answer.text is None else answer


def first_answer(connection: Connection, channel: str, dedupe_key: str) -> Answer:
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
    row = connection.execute(query).first()
    if row is None:
        return Answer(repeat=True)
    said = Answer(row.payload["text"], row.payload.get("menu", NOTHING), repeat=True)
    if row.status == "sent":
        return said
    return replace(said, outbox_ids=(row.id,), conversation_id=row.conversation_id, more=True)


def unsaid(tx: Transaction) -> Sequence[Row[Any]]:
    """Texts that wait until the person of this turn writes, where nothing can be said unasked."""
    died = tx.now - timedelta(seconds=OFFER_SECONDS)
    waits = or_(outbox.c.status == "queued", (outbox.c.status == "offered") & (outbox.c.created_at < died))
    query = select(outbox).where(outbox.c.conversation_id == tx.conversation_id, waits, outbox.c.kind == "text")
    return tx.connection.execute(query.order_by(outbox.c.id)).all()


def offer_with(tx: Transaction, words: str, older: Sequence[Row[Any]], limit: int) -> list[Row[Any]]:
    """Offers those of the older texts that fit into one answer with ``words``, of at most ``limit`` bytes."""
    fit, left = [], limit - len(words.encode())
    for row in older:
        left -= len(row.payload["text"].encode()) + 1
        if left < 0:
            break
        fit.append(row)
    if fit:
        query = update(outbox).where(outbox.c.id.in_([row.id for row in fit]))
        tx.connection.execute(query.values(status="offered", created_at=tx.now))
    return fit


class OfferConfirmer:
    """Marks offered replies as sent once their HTTP answers are written.

    Rows that never get here, because the process died, go out through the outbox after twenty seconds.
    """

    def __init__(self, store: Store, clock: Clock, wake: Callable[[Sequence[int]], None]) -> None:
        self._store = store
        self._clock = clock
        self._wake = wake
        self._answers: list[Answer] = []
        self._pending = threading.Event()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="offers", daemon=True)
        self._thread.start()

    def written(self, answer: Answer) -> None:
        """The HTTP answer with this reply was written."""
        with self._lock:
            self._answers.append(answer)
        self._pending.set()

    def close(self) -> None:
        """Confirms what is left and ends."""
        self._stopped.set()
        self._pending.set()
        self._thread.join()
        self._confirm()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._pending.wait()
            self._stopped.wait(_PAUSE_SECONDS)
            try:
                self._confirm()
            except Exception as error:
                # Whatever failed, an offer that is never confirmed would be said a second time: try again.
                log.warning("offers_not_confirmed", error=type(error).__name__)
                self._stopped.wait(_PAUSE_AFTER_FAILURE)

    def _confirm(self) -> None:
        with self._lock:
            answers = list(self._answers)
            self._pending.clear()
        if not answers:
            return
        query = (
            update(outbox)
            .where(
                outbox.c.id.in_([row_id for answer in answers for row_id in answer.outbox_ids]),
                outbox.c.status == "offered",
            )
            .values(status="sent", sent_at=self._clock.now())
        )
        try:
            with self._store.write() as connection:
                connection.execute(query)
        except Exception:
            self._pending.set()
            raise
        with self._lock:
            del self._answers[: len(answers)]
        self._wake(sorted({a.conversation_id for a in answers if a.more and a.conversation_id is not None}))
