"""Work that takes long: leased rows, done by the workers, each ending in a turn of its own."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Row, or_, select, update

from bot.channels.channel import Channel, ShowsTyping
from bot.clock import Clock
from bot.effects import Record
from bot.errors import BotError, MediaTooLarge
from bot.media import MAX_BYTES, StoredMedia, UnacceptableMedia, store_media
from bot.message import Media, Message
from bot.storage.store import Store
from bot.storage.tables import attachments, conversations, jobs
from bot.transaction import Transaction
from bot.turn import Turns

log = structlog.get_logger()

LEASE_SECONDS = 120
_MAX_ATTEMPTS = 8
_LAST_ATTEMPT = 12

MEDIA_STORED = "media_stored"
MEDIA_REFUSED = "media_refused"
MEDIA_LOST = "media_lost"


class Jobs:
    """Runs jobs by their row; safe to call from many workers at once, and again after a crash."""

    def __init__(
        self, *, store: Store, clock: Clock, channels: Mapping[str, Channel], media_dir: Path, turns: Turns
    ) -> None:
        self._store = store
        self._clock = clock
        self._channels = channels
        self._media_dir = media_dir
        self._turns = turns
        self._kinds: Mapping[str, Callable[[Row[Any]], None]] = {"fetch_media": self._fetch_media}

    def run(self, job_id: int) -> None:
        """Does one job, unless it is done, not due, or in somebody else's hands."""
        job = self._claim(job_id)
        if job is None:
            return
        try:
            self._kinds[job.kind](job)
        except Exception as error:
            # A full disk or an answer that nobody foresaw must not take the worker along; the row is tried again.
            self._postpone(job, error)

    def _claim(self, job_id: int) -> Row[Any] | None:
        now = self._clock.now()
        free = or_(jobs.c.status == "queued", (jobs.c.status == "running") & (jobs.c.lease_until < now))
        with self._store.write() as connection:
            query = (
                update(jobs)
                .where(jobs.c.id == job_id, jobs.c.due_at <= now, free)
                .values(
                    status="running", attempts=jobs.c.attempts + 1, lease_until=now + timedelta(seconds=LEASE_SECONDS)
                )
            )
            return connection.execute(query.returning(*jobs.c)).first()

    def _postpone(self, job: Row[Any], error: Exception) -> None:
        now = self._clock.now()
        wait = min(2.0**job.attempts, 300.0) * random.uniform(0.8, 1.2)
        code = _code(error)
        status = "queued" if job.attempts < _LAST_ATTEMPT else "dead"
        with self._store.write() as connection:
            connection.execute(
                update(jobs)
                .where(jobs.c.id == job.id, jobs.c.status == "running")
                .values(status=status, due_at=now + timedelta(seconds=wait), lease_until=None, error=code)
            )
        log.warning("job_failed", job=job.id, kind=job.kind, attempt=job.attempts, status=status, error=code)

    def _fetch_media(self, job: Row[Any]) -> None:
        with self._store.read() as connection:
            query = (
                select(attachments, conversations.c.channel, conversations.c.account, conversations.c.chat)
                .join(conversations, conversations.c.id == attachments.c.conversation_id)
                .where(attachments.c.id == job.payload["attachment"])
            )
            attachment = connection.execute(query).one()
        try:
            media = Media(attachment.kind, attachment.platform_id)
            if job.attempts == 1:
                self._show_typing(attachment)
            content = self._channels[attachment.channel].fetch(media, MAX_BYTES)
            stored = store_media(self._media_dir, attachment.kind, content)
        except (UnacceptableMedia, MediaTooLarge) as error:
            self._end(job, attachment, MEDIA_REFUSED, {"status": "refused", "reason": error.code})
        except Exception as error:
            permanent = isinstance(error, BotError) and error.permanent
            if not permanent and job.attempts < _MAX_ATTEMPTS:
                raise
            self._end(job, attachment, MEDIA_LOST, {"status": "lost", "reason": _code(error)})
        else:
            self._end(job, attachment, MEDIA_STORED, _stored_values(stored))

    def _show_typing(self, attachment: Row[Any]) -> None:
        """The person sees that something is being done; not worth a failure."""
        channel = self._channels[attachment.channel]
        if not (channel.capabilities.typing and isinstance(channel, ShowsTyping)):
            return
        try:
            channel.show_typing(attachment.account)
        except BotError as error:
            log.info("typing_not_shown", channel=channel.name, error=error.code)

    def _end(self, job: Row[Any], attachment: Row[Any], event: str, values: Mapping[str, Any]) -> None:
        """Ends the job in a turn of its own: the attachment's fate, the job's end and what follows in one commit."""
        message = Message(
            channel=attachment.channel,
            account=attachment.account,
            chat=attachment.chat,
            dedupe_key=f"job:{job.id}",
            kind="event",
            event=event,
            sent_at=self._clock.now(),
            extra={"attachment": attachment.id, "kind": attachment.kind, **values},
        )
        self._turns.take(message, own=True, also=_ended(job.id, attachment.id, values))


def _code(error: Exception) -> str:
    return error.code if isinstance(error, BotError) else type(error).__name__


def _stored_values(stored: StoredMedia) -> dict[str, Any]:
    return {"status": "stored", **asdict(stored)}


def _ended(job_id: int, attachment_id: int, values: Mapping[str, Any]) -> Record:
    def record(tx: Transaction) -> None:
        tx.connection.execute(update(attachments).where(attachments.c.id == attachment_id).values(**values))
        tx.connection.execute(update(jobs).where(jobs.c.id == job_id).values(status="done", lease_until=None))

    return record
