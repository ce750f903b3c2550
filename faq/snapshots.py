"""Keeps the knowledge up to date while the processes run: whole, versioned snapshots, swapped in one assignment."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from config.errors import ConfigError
from faq.knowledge import Knowledge

log = structlog.get_logger()

LOOK_EVERY_SECONDS = 2.0


class HasKnowledge(Protocol):
    """Whatever is built from one knowledge and used together with it."""

    @property
    def knowledge(self) -> Knowledge: ...


T = TypeVar("T", bound=HasKnowledge)


class Snapshots(Generic[T]):
    """What is built from knowledge, built anew when its sources change.

    ``build`` takes seconds and may raise ConfigError: then the old one stays, and log and metrics say so, as they do
    when there is no entry any more: somebody moves the files. ``look`` gives a value that changes with the sources.
    The thread of ``watch`` does both, so no message waits for them.
    """

    def __init__(self, first: T, seen: Hashable, *, build: Callable[[], T], look: Callable[[], Hashable]) -> None:
        self._current = first
        self._seen = self._before = seen
        self._build, self._look = build, look
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self.refused: str | None = None
        """Why the newest sources are not in use; None when they are."""

    @property
    def current(self) -> T:
        """The newest complete snapshot; ask once per message and stay with it."""
        return self._current

    def renew(self) -> bool:
        """Looks once, and builds when the sources are not those in use; True when there is a new snapshot now.

        Sources that were still changing since the last look are left alone until the next: somebody is copying.
        """
        state = self._look()
        settled, self._before = state == self._before, state
        if state == self._seen or not settled:
            return False
        log.info("knowledge_changed", using=self._version())
        try:
            made = self._build()
            if not len(made.knowledge):
                raise ConfigError("there is no entry in the knowledge files", "put them back")
        except ConfigError as error:
            self._seen, self.refused = state, str(error)
            log.error(
                "knowledge_refused", file=error.file, line=error.line, problem=error.problem, kept=self._version()
            )
            return False
        if self._look() != state:
            return False
        old = self._version()
        self._current, self._seen, self.refused = made, state, None
        log.info("knowledge_loaded", version=self._version(), before=old, entries=len(made.knowledge))
        return True

    def watch(self, every: float = LOOK_EVERY_SECONDS) -> None:
        """Looks again and again in a thread of its own, until ``close``."""
        self._thread = threading.Thread(target=self._watch, args=(every,), name="knowledge", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the thread; waits for a build in progress no longer than a process may take to stop."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _watch(self, every: float) -> None:
        while not self._stopped.wait(every):
            try:
                self.renew()
            except (SQLAlchemyError, OSError) as error:
                # The database is away, or a file vanished while it was looked at: the snapshot in use goes on.
                log.warning("knowledge_not_looked_at", error=type(error).__name__)

    def _version(self) -> str:
        return self._current.knowledge.version


class SnapshotFigures(Collector):
    """Which knowledge is in use, and whether newer files were refused."""

    def __init__(self, snapshots: Snapshots[T]) -> None:
        self._snapshots = snapshots

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Yields the number of entries by version, and 1 while the newest files cannot be used."""
        knowledge = self._snapshots.current.knowledge
        entries = GaugeMetricFamily("qunda_knowledge_entries", "Entries in use, by version", labels=["version"])
        entries.add_metric([knowledge.version], len(knowledge))
        yield entries
        refused = GaugeMetricFamily("qunda_knowledge_refused", "1 while newer knowledge files cannot be used")
        refused.add_metric([], float(self._snapshots.refused is not None))
        yield refused


def files_state(files: Iterable[Path]) -> Hashable:
    """Changes whenever one of the files is written, added or taken away."""
    return tuple((str(file), stat.st_mtime_ns, stat.st_size, stat.st_ino) for file in files if (stat := _stat(file)))


def _stat(file: Path) -> os.stat_result | None:
    try:
        return file.stat()
    except FileNotFoundError:
        return None
