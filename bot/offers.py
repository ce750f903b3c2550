"""Confirming replies that went out in an HTTP answer, many in one transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import structlog
from sqlalchemy import update

from bot.clock import Clock
from bot.storage.store import Store
from bot.storage.tables import outbox
from bot.turn import Answer

log = structlog.get_logger()

_PAUSE_SECONDS = 0.05
_PAUSE_AFTER_FAILURE = 0.5


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
