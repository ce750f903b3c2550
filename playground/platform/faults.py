"""Misbehaviour that a test can ask of a platform."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Literal

Act = Literal["answer", "hang", "hang_after"]

EVERY_CALL = "*"


@dataclass(slots=True)
class Fault:
    """``remaining`` calls of ``path`` go wrong this way; None means until reset. ``seconds`` bounds a hang."""

    act: Act
    path: str
    remaining: int | None
    errcode: int = 0
    seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Copies:
    """How often one callback is delivered, and whether all at once."""

    count: int = 1
    parallel: bool = False


class Faults:
    """The faults in force. A path is written without ``/cgi-bin/``; ``times=None`` lasts until ``clear()``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._copies: list[Copies] = []
        self._released = threading.Event()

    def answer(self, errcode: int, *, to: str = EVERY_CALL, times: int | None = 1) -> None:
        """Lets the API answer an error code without doing anything."""
        self._add(Fault("answer", to, times, errcode=errcode))

    def hang(self, *, to: str = EVERY_CALL, times: int | None = 1, seconds: float = 30.0) -> None:
        """Lets the API neither act nor answer until the client gives up."""
        self._add(Fault("hang", to, times, seconds=seconds))

    def hang_after_accepting(self, *, to: str = EVERY_CALL, times: int | None = 1, seconds: float = 30.0) -> None:
        """Lets the API do its work and then never tell."""
        self._add(Fault("hang_after", to, times, seconds=seconds))

    def duplicate(self, count: int = 2, *, parallel: bool = False, callbacks: int = 1) -> None:
        """Delivers each of the next ``callbacks`` messages ``count`` times, one after another or all at once."""
        with self._lock:
            self._copies += [Copies(count, parallel)] * callbacks

    def clear(self) -> None:
        """Behaves again, and ends every hanging call."""
        with self._lock:
            self._faults.clear()
            self._copies.clear()
            self._released.set()
            self._released = threading.Event()

    def take(self, path: str) -> Fault | None:
        """The fault that this call meets, used up by one."""
        with self._lock:
            for fault in self._faults:
                if fault.path in (EVERY_CALL, path):
                    if fault.remaining is not None:
                        fault.remaining -= 1
                        if fault.remaining == 0:
                            self._faults.remove(fault)
                    return fault
            return None

    def take_copies(self) -> Copies:
        with self._lock:
            return self._copies.pop(0) if self._copies else Copies()

    def wait(self, fault: Fault) -> None:
        """Hangs until the faults are cleared or the fault's seconds are over."""
        self._released.wait(fault.seconds)

    def _add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)
