"""Misbehaviour that a test can ask of a platform.

Each kind hits the next ``times`` (or ``callbacks``, or ``polls``) occasions; None means every one until ``clear()``.
With a ``share`` below 1 it hits that part of the occasions by chance; the same ``seed`` gives the same choice again.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Literal, TypedDict, Unpack

CallAct = Literal["answer", "hang", "hang_after", "cut", "expire"]
DeliveryAct = Literal["copy", "drop", "hold", "delay"]
LaterAct = Literal["fail_delivery", "cut_page"]
Act = CallAct | DeliveryAct | LaterAct
Delivered = Literal["callbacks", "polls"]

EVERY_CALL = "*"
ON_CALLS: tuple[Act, ...] = ("answer", "hang", "hang_after", "cut", "expire")
ON_DELIVERIES: tuple[Act, ...] = ("copy", "drop", "hold", "delay")


class Share(TypedDict, total=False):
    """Which of the occasions go wrong: this ``share`` of them, chosen by ``seed``; without it all."""

    share: float
    seed: int


class Times(Share, total=False):
    """How many occasions go wrong; one when it is not said."""

    times: int | None


class Calls(Times, total=False):
    """``to`` is a path without ``/cgi-bin/``, such as ``kf/send_msg``; without it every call may go wrong."""

    to: str


class Deliveries(Share, total=False):
    """How many ``callbacks`` go wrong, or how many ``polls``: the requests that ask how an answer goes on."""

    callbacks: int | None
    polls: int | None


@dataclass(slots=True)
class Fault:
    """One kind of misbehaviour. ``remaining`` occasions are still hit; None means until ``clear()``.

    ``errcode`` is what is answered, ``seconds`` bounds a hang or is a delay, ``number`` is a count of copies, a page's
    size or a fail_type. ``to`` is the path of a call, or what is delivered.
    """

    act: Act
    remaining: int | None
    share: float
    chance: Random
    to: str
    errcode: int = 0
    seconds: float = 30.0
    number: int = 1
    parallel: bool = False

    def hits(self) -> bool:
        """Whether this occasion is one of those that go wrong."""
        return self.share >= 1.0 or self.chance.random() < self.share


class Faults:
    """The faults in force. ``struck`` counts how often each kind has hit since the start."""

    def __init__(self) -> None:
        self.struck: Counter[Act] = Counter()
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._released = threading.Event()

    # --- the API that the bot calls

    def answer(self, errcode: int, **when: Unpack[Calls]) -> None:
        """Lets the API answer an error code without doing anything."""
        self._add("answer", when, errcode=errcode)

    def hang(self, *, seconds: float = 30.0, **when: Unpack[Calls]) -> None:
        """Lets the API neither act nor answer until the client gives up."""
        self._add("hang", when, seconds=seconds)

    def hang_after_accepting(self, *, seconds: float = 30.0, **when: Unpack[Calls]) -> None:
        """Lets the API do its work and then never tell."""
        self._add("hang_after", when, seconds=seconds)

    def cut(self, **when: Unpack[Calls]) -> None:
        """Lets the connection die under a call that the API has not acted on."""
        self._add("cut", when)

    def expire_tokens(self, **when: Unpack[Calls]) -> None:
        """Ends every access token just before a call, as the platform may at any time: the call gets 42001."""
        self._add("expire", when)

    # --- what is delivered to the bot

    def duplicate(self, count: int = 2, *, parallel: bool = False, **when: Unpack[Deliveries]) -> None:
        """Delivers a callback ``count`` times, one after another or all at once."""
        self._add_delivery("copy", when, number=count, parallel=parallel)

    def drop(self, **when: Unpack[Deliveries]) -> None:
        """Never delivers a callback; WeCom's document 90930 warns of it."""
        self._add_delivery("drop", when)

    def delay(self, seconds: float, **when: Unpack[Deliveries]) -> None:
        """Delivers a callback that much later; whoever wrote waits as long."""
        self._add_delivery("delay", when, seconds=seconds)

    def reorder(self, **when: Unpack[Deliveries]) -> None:
        """Holds a callback back and delivers it after the next one that is not held; several come last one first.

        ``Platform.deliver_held()`` delivers those that nothing came after.
        """
        self._add_delivery("hold", when)

    # --- what comes of it later

    def fail_delivery(self, fail_type: int = 0, **when: Unpack[Times]) -> None:
        """Accepts a message of the customer-service API and tells later, by ``msg_send_fail``, that it never arrived.

        ``fail_type`` as in document 94670: 0 unknown, 4 over 48 hours, 6 over five messages, 10 refused, 13 security.
        """
        self._add("fail_delivery", when, number=fail_type)

    def cut_page(self, size: int = 0, **when: Unpack[Times]) -> None:
        """Lets a page of ``kf/sync_msg`` hold at most ``size`` messages; an empty one may still have more behind it."""
        self._add("cut_page", when, number=size)

    # --- what the platforms ask

    def clear(self) -> None:
        """Behaves again, and ends every hanging call."""
        with self._lock:
            self._faults.clear()
            self._released.set()
            self._released = threading.Event()

    def on_call(self, path: str) -> Fault | None:
        """The fault that this call meets, used up by one."""
        return self._take(ON_CALLS, path)

    def on_delivery(self, delivered: Delivered) -> Fault | None:
        """The fault that this callback or poll meets, used up by one."""
        return self._take(ON_DELIVERIES, delivered)

    def later(self, act: LaterAct) -> Fault | None:
        """The fault of this kind that is due, used up by one."""
        return self._take((act,), EVERY_CALL)

    def wait(self, fault: Fault) -> None:
        """Hangs until the faults are cleared or the fault's seconds are over."""
        self._released.wait(fault.seconds)

    def _take(self, acts: Collection[Act], to: str) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.act in acts and fault.to in (EVERY_CALL, to) and fault.hits():
                    self.struck[fault.act] += 1
                    if fault.remaining is not None:
                        fault.remaining -= 1
                        if fault.remaining == 0:
                            self._faults.remove(fault)
                    return fault
            return None

    def _add_delivery(self, act: DeliveryAct, when: Deliveries, **what: Any) -> None:
        delivered: Delivered = "polls" if "polls" in when else "callbacks"
        self._add(act, {**when, "times": when.get(delivered, 1), "to": delivered}, **what)

    def _add(self, act: Act, when: Mapping[str, Any], **what: Any) -> None:
        chance = Random(when.get("seed", 0))
        fault = Fault(act, when.get("times", 1), when.get("share", 1.0), chance, when.get("to", EVERY_CALL), **what)
        with self._lock:
            self._faults.append(fault)
