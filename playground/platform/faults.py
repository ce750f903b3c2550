"""Misbehaviour that a test can ask of a platform.

Each kind hits the next ``times`` (or ``callbacks``) occasions; None means every one until ``clear()``. With a ``share``
below 1 it hits that part of the occasions by chance; the same ``seed`` gives the same choice again.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from random import Random
from typing import Literal

CallAct = Literal["answer", "hang", "hang_after", "expire"]
CallbackAct = Literal["copy", "drop", "hold", "delay"]
LaterAct = Literal["fail_delivery", "cut_page"]
Act = CallAct | CallbackAct | LaterAct

EVERY_CALL = "*"
ON_CALLS: tuple[Act, ...] = ("answer", "hang", "hang_after", "expire")
ON_CALLBACKS: tuple[Act, ...] = ("copy", "drop", "hold", "delay")


@dataclass(slots=True)
class Fault:
    """One kind of misbehaviour. ``remaining`` occasions are still hit; None means until ``clear()``.

    ``errcode`` is what is answered, ``seconds`` bounds a hang or is a delay, ``number`` is a count of copies, a page's
    size or a fail_type.
    """

    act: Act
    remaining: int | None
    share: float = 1.0
    chance: Random = field(default_factory=lambda: Random(0))
    path: str = EVERY_CALL
    errcode: int = 0
    seconds: float = 30.0
    number: int = 1
    parallel: bool = False

    def hits(self) -> bool:
        """Whether this occasion is one of those that go wrong."""
        return self.share >= 1.0 or self.chance.random() < self.share


class Faults:
    """The faults in force. A path is written without ``/cgi-bin/``, such as ``kf/send_msg``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._released = threading.Event()

    # --- the API that the bot calls

    def answer(
        self, errcode: int, *, to: str = EVERY_CALL, times: int | None = 1, share: float = 1.0, seed: int = 0
    ) -> None:
        """Lets the API answer an error code without doing anything."""
        self._add(Fault("answer", times, share, Random(seed), path=to, errcode=errcode))

    def hang(
        self,
        *,
        to: str = EVERY_CALL,
        times: int | None = 1,
        seconds: float = 30.0,
        share: float = 1.0,
        seed: int = 0,
    ) -> None:
        """Lets the API neither act nor answer until the client gives up."""
        self._add(Fault("hang", times, share, Random(seed), path=to, seconds=seconds))

    def hang_after_accepting(
        self,
        *,
        to: str = EVERY_CALL,
        times: int | None = 1,
        seconds: float = 30.0,
        share: float = 1.0,
        seed: int = 0,
    ) -> None:
        """Lets the API do its work and then never tell."""
        self._add(Fault("hang_after", times, share, Random(seed), path=to, seconds=seconds))

    def expire_tokens(self, *, to: str = EVERY_CALL, times: int | None = 1, share: float = 1.0, seed: int = 0) -> None:
        """Ends every access token just before a call, as the platform may at any time: the call gets 42001."""
        self._add(Fault("expire", times, share, Random(seed), path=to))

    # --- callbacks to the bot

    def duplicate(
        self,
        count: int = 2,
        *,
        parallel: bool = False,
        callbacks: int | None = 1,
        share: float = 1.0,
        seed: int = 0,
    ) -> None:
        """Delivers a callback ``count`` times, one after another or all at once."""
        self._add(Fault("copy", callbacks, share, Random(seed), number=count, parallel=parallel))

    def drop(self, *, callbacks: int | None = 1, share: float = 1.0, seed: int = 0) -> None:
        """Never delivers a callback; WeCom's document 90930 warns of it."""
        self._add(Fault("drop", callbacks, share, Random(seed)))

    def delay(self, seconds: float, *, callbacks: int | None = 1, share: float = 1.0, seed: int = 0) -> None:
        """Delivers a callback that much later; whoever wrote waits as long."""
        self._add(Fault("delay", callbacks, share, Random(seed), seconds=seconds))

    def reorder(self, *, callbacks: int | None = 1, share: float = 1.0, seed: int = 0) -> None:
        """Holds a callback back and delivers it after the next one that is not held; several come last one first.

        ``Platform.deliver_held()`` delivers those that nothing came after.
        """
        self._add(Fault("hold", callbacks, share, Random(seed)))

    # --- what comes of it later

    def fail_delivery(self, fail_type: int = 0, *, times: int | None = 1, share: float = 1.0, seed: int = 0) -> None:
        """Accepts a message of the customer-service API and tells later, by ``msg_send_fail``, that it never arrived.

        ``fail_type`` as in document 94670: 0 unknown, 4 over 48 hours, 6 over five messages, 10 refused, 13 security.
        """
        self._add(Fault("fail_delivery", times, share, Random(seed), number=fail_type))

    def cut_page(self, size: int = 0, *, times: int | None = 1, share: float = 1.0, seed: int = 0) -> None:
        """Lets a page of ``kf/sync_msg`` hold at most ``size`` messages; an empty one may still have more behind it."""
        self._add(Fault("cut_page", times, share, Random(seed), number=size))

    # --- what the platforms ask

    def clear(self) -> None:
        """Behaves again, and ends every hanging call."""
        with self._lock:
            self._faults.clear()
            self._released.set()
            self._released = threading.Event()

    def take(self, path: str) -> Fault | None:
        """The fault that this call meets, used up by one."""
        return self._take(ON_CALLS, path)

    def take_callback(self) -> Fault | None:
        """The fault that this callback meets, used up by one."""
        return self._take(ON_CALLBACKS)

    def take_later(self, act: LaterAct) -> Fault | None:
        """The fault of this kind that is due, used up by one."""
        return self._take((act,))

    def wait(self, fault: Fault) -> None:
        """Hangs until the faults are cleared or the fault's seconds are over."""
        self._released.wait(fault.seconds)

    def _take(self, acts: tuple[Act, ...], path: str = EVERY_CALL) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.act in acts and fault.path in (EVERY_CALL, path) and fault.hits():
                    if fault.remaining is not None:
                        fault.remaining -= 1
                        if fault.remaining == 0:
                            self._faults.remove(fault)
                    return fault
            return None

    def _add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)
