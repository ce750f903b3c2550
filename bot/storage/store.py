"""The door to the database: short reads, and one writer at a time where the database wants it so."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool


class WriterLock:
    """A fair, blocking lock around SQLite's write transactions, across threads and processes.

    SQLite's own busy wait polls and was seen to starve a writer for seconds; the kernel's file lock queues.
    Each thread holds its own open file, because flock belongs to the open file and not to the process.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()

    def acquire(self) -> None:
        descriptor = getattr(self._local, "descriptor", None)
        if descriptor is None:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._local.descriptor = descriptor
        fcntl.flock(descriptor, fcntl.LOCK_EX)

    def release(self) -> None:
        fcntl.flock(self._local.descriptor, fcntl.LOCK_UN)


class Store:
    """Connections to the one database.

    ``read()`` gives a connection that sees committed rows and holds no lock while the caller thinks.
    ``write()`` gives a connection inside one write transaction: committed when the block ends, rolled back
    when it raises.
    """

    def __init__(self, url: str, *, pool_size: int = 20) -> None:
        self.engine = _engine(url, pool_size)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._lock: WriterLock | None = None
        if self.is_sqlite:
            database = Path(str(self.engine.url.database))
            self._lock = WriterLock(database.with_name(database.name + ".writer"))
        self._reader = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self._reader.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        if self._lock is None:
            with self.engine.begin() as connection:
                yield connection
            return
        with self.engine.connect() as connection:
            self._lock.acquire()
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                try:
                    yield connection
                except BaseException:
                    connection.exec_driver_sql("ROLLBACK")
                    raise
                connection.exec_driver_sql("COMMIT")
            finally:
                self._lock.release()

    def close(self) -> None:
        self.engine.dispose()


def _engine(url: str, pool_size: int) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_size=pool_size, max_overflow=0, pool_pre_ping=True)
    # The driver's own transaction handling is switched off; write() says BEGIN IMMEDIATE itself.
    engine = create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=20,
        connect_args={"timeout": 30, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection, _record) -> None:  # type: ignore[no-untyped-def]
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # an accepted message survives a power cut
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA cache_size=-16000")
        cursor.close()

    return engine
