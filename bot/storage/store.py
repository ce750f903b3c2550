"""The door to the database: short reads, and one writer at a time where the database wants it so."""

from __future__ import annotations

import fcntl
import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool


class WriterLock:
    """A fair, blocking lock around SQLite's write transactions, across threads and processes.

    SQLite's own busy wait polls and was seen to starve a writer for seconds; the kernel's file lock queues.
    flock belongs to an open file and not to a process, so each database connection has an open file of its own.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def acquire(self) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def release(self) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def __del__(self) -> None:
        os.close(self._descriptor)


class Store:
    """Connections to the one database.

    ``read()`` gives a connection that sees committed rows and holds no lock while the caller thinks.
    ``write()`` gives a connection inside one write transaction: committed when the block ends, rolled back
    when it raises.
    """

    def __init__(self, url: str, *, pool_size: int = 20) -> None:
        self.is_sqlite = url.startswith("sqlite")
        self.engine = _sqlite(url, pool_size) if self.is_sqlite else _postgresql(url, pool_size)
        self._reader = self.engine if self.is_sqlite else _postgresql(url, pool_size, isolation_level="AUTOCOMMIT")
        self._local = threading.local()
        self._idle: deque[Connection] = deque()
        self._lock_file: Path | None = None
        if self.is_sqlite:
            database = Path(str(self.engine.url.database))
            self._lock_file = database.with_name(database.name + ".writer")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        # Reads inside a read of the same thread share its connection: one checkout a turn, however many ask.
        outer = getattr(self._local, "reader", None)
        if outer is not None:
            yield outer
            return
        with self._connection() if self.is_sqlite else self._reader.connect() as connection:
            self._local.reader = connection
            try:
                yield connection
            finally:
                self._local.reader = None

    @contextmanager
    def write(self) -> Iterator[Connection]:
        if self._lock_file is None:
            with self.engine.begin() as connection:
                yield connection
            return
        with self._connection() as connection:
            driver: Any = connection.connection.dbapi_connection
            # Kept with the pooled connection: there are never more open files than connections.
            lock = connection.info.get("writer_lock")
            if lock is None:
                lock = connection.info["writer_lock"] = WriterLock(self._lock_file)
            lock.acquire()
            try:
                driver.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                except BaseException:
                    driver.execute("ROLLBACK")
                    raise
                driver.execute("COMMIT")
            finally:
                lock.release()

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """A connection to SQLite, kept open for the next who asks: to fetch one from the pool and give it back costs
        as much as two statements. One that has met an error is not kept.
        """
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self.engine.connect()
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()
        self.engine.dispose()
        self._reader.dispose()


def _postgresql(url: str, pool_size: int, **options: Any) -> Engine:
    # No ping before each use: it would cost a round trip a message. After a lost connection the whole pool is
    # made anew, and whoever met the loss is tried again by the platform or by the clock.
    return create_engine(url, pool_size=pool_size, max_overflow=0, pool_recycle=600, hide_parameters=True, **options)


def _sqlite(url: str, pool_size: int) -> Engine:
    # The driver's own transactions are switched off; write() says BEGIN IMMEDIATE itself.
    engine = create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=20,
        pool_reset_on_return=None,
        hide_parameters=True,  # errors must not quote what residents wrote
        connect_args={"timeout": 30, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # an accepted message survives a power cut
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA cache_size=-16000")
        cursor.close()

    return engine
