"""Fetching the messages of channels whose callbacks only say that there are some.

A page and the cursor after it are stored in one transaction, so whatever dies, nothing is lost and nothing comes
twice. What is stored waits in the inbox until a worker thinks about it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

import structlog
from sqlalchemy import Row, delete, update

from bot.channels.channel import Channel, Page, PulledChannel
from bot.clock import Clock
from bot.errors import BotError, OverRate
from bot.inbox import keep
from bot.storage.store import Store
from bot.storage.tables import cursors
from bot.transaction import ignoring_repeats

log = structlog.get_logger()

LEASE_SECONDS = 60
PULL_EVERY = timedelta(minutes=1)
"""Callbacks get lost: messages are fetched so often without being told."""
TOKEN_LIVES = timedelta(minutes=10)
"""Source: developer.work.weixin.qq.com document 94670."""
_PAUSE_AFTER_FAILURE = 5.0


class Pulling:
    """Fetches pages for the channels that are pulled; one worker at a time per channel."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        channels: Mapping[str, Channel],
        wake: Callable[[Sequence[int]], None],
        wake_pull: Callable[[Sequence[str]], None],
    ) -> None:
        self._store = store
        self._clock = clock
        pulled = {name: each for name, each in channels.items() if each.capabilities.pulled}
        self._channels = cast(dict[str, PulledChannel], pulled)
        self._wake = wake
        self._wake_pull = wake_pull

    def prepare(self) -> None:
        """Gives every pulled channel its row; what waits is fetched at the start."""
        now = self._clock.now()
        with self._store.write() as connection:
            for name in self._channels:
                row = {"channel": name, "cursor": "", "token": "", "due_at": now}
                connection.execute(ignoring_repeats(connection, cursors), row)
                connection.execute(update(cursors).where(cursors.c.channel == name).values(due_at=now))

    def poked(self, channel: str, token: str) -> None:
        """A callback said that messages wait."""
        now = self._clock.now()
        with self._store.write() as connection:
            query = update(cursors).where(cursors.c.channel == channel)
            connection.execute(query.values(token=token, poked_at=now, due_at=now))
        self._wake_pull([channel])

    def pull(self, channel: str) -> None:
        """Fetches all that waits on a channel, unless somebody does so already."""
        if channel not in self._channels:
            self._forget(channel)
            return
        while (row := self._claim(channel)) is not None:
            if not self._drain(self._channels[channel], row):
                return

    def _forget(self, channel: str) -> None:
        """The operator has taken this channel out, or given it another name."""
        with self._store.write() as connection:
            connection.execute(delete(cursors).where(cursors.c.channel == channel))

    def _claim(self, channel: str) -> Row[Any] | None:
        """Takes the channel when it is due, and puts its next turn off; None when there is nothing to do."""
        now = self._clock.now()
        free = cursors.c.lease_until.is_(None) | (cursors.c.lease_until <= now)
        query = (
            update(cursors)
            .where(cursors.c.channel == channel, cursors.c.due_at <= now, free)
            .values(due_at=now + PULL_EVERY, lease_until=now + timedelta(seconds=LEASE_SECONDS))
        )
        with self._store.write() as connection:
            return connection.execute(query.returning(*cursors.c)).first()

    def _drain(self, channel: PulledChannel, row: Row[Any]) -> bool:
        """Stores page after page; False when the platform does not answer now.

        Thinking begins when all is there: so what one person wrote is answered together, and the pages come fast.
        """
        found: set[int] = set()
        try:
            return self._store_pages(channel, row, found)
        finally:
            self._wake(sorted(found))

    def _store_pages(self, channel: PulledChannel, row: Row[Any], found: set[int]) -> bool:
        cursor, token = row.cursor, self._fresh_token(row)
        lease = row.lease_until
        while True:
            try:
                page = channel.pull(cursor, token)
            except BotError as error:
                log.warning("pull_failed", channel=channel.name, error=error.code)
                self._release(channel.name, lease, retry=error)
                return False
            try:
                renewed = self._store_page(channel, cursor, page, lease, found)
            except Exception as error:
                # Whatever cannot be stored now is asked for again, and not only when the lease has run out.
                log.exception("page_not_stored", channel=channel.name)
                self._release(channel.name, lease, retry=BotError(type(error).__name__))
                return False
            if renewed is None:
                return False  # the lease ran out and another worker goes on
            cursor, lease = page.cursor, renewed
            if not page.more:
                self._release(channel.name, lease)
                return True

    def _fresh_token(self, row: Row[Any]) -> str:
        fresh = row.poked_at is not None and self._clock.now() - row.poked_at < TOKEN_LIVES
        return str(row.token) if fresh else ""

    def _store_page(
        self, channel: PulledChannel, cursor: str, page: Page, lease: datetime, found: set[int]
    ) -> datetime | None:
        """The page's messages and the cursor after it, together; the new lease, None when it is no longer ours.

        ``found`` gets the conversations in which something waits now.
        """
        now = self._clock.now()
        renewed = now + timedelta(seconds=LEASE_SECONDS)
        ours = (cursors.c.channel == channel.name, cursors.c.cursor == cursor, cursors.c.lease_until == lease)
        with self._store.write() as connection:
            step = update(cursors).where(*ours).values(cursor=page.cursor, lease_until=renewed)
            if connection.execute(step).rowcount != 1:
                return None
            stored = keep(connection, page.messages, now)
        found.update(stored)
        return renewed

    def _release(self, channel: str, lease: datetime, *, retry: BotError | None = None) -> None:
        values: dict[str, Any] = {"lease_until": None}
        if retry is not None:
            wait = retry.seconds if isinstance(retry, OverRate) else _PAUSE_AFTER_FAILURE
            values = {"lease_until": self._clock.now() + timedelta(seconds=wait), "due_at": self._clock.now()}
        with self._store.write() as connection:
            ours = (cursors.c.channel == channel, cursors.c.lease_until == lease)
            connection.execute(update(cursors).where(*ours).values(**values))
