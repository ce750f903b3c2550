"""Keeps a handful of child processes alive, and ends every one of them with itself."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from types import FrameType, TracebackType
from typing import Any, Self

from bot.clock import Clock
from bot.parent_death import die_with_parent

REFUSED = 2
"""The exit code of a process that will not start because its configuration is wrong."""

FIRST_DELAY, LONGEST_DELAY = 0.2, 30.0  # seconds before a dead child is started again, doubling
HEALTHY_AFTER = 30.0  # seconds alive after which an end counts as the first again
GRACE = 10.0  # seconds between SIGTERM and SIGKILL
PROBE_EVERY = 0.2  # seconds between two looks at whether all is ready


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """How to start one child. ``outlives_others``: stopped only when the rest is gone, because they need it."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    outlives_others: bool = False


@dataclass(slots=True)
class _Child:
    spec: ChildSpec
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    failures: int = 0
    due_at: float = 0.0


class Supervisor:
    """Used as a context, from the main thread: whatever happens inside, no child is left when the block ends.

    Each child leads a session of its own, so that its children end with it; on Linux the kernel ends the children
    when the supervisor itself is killed. ``say`` takes one line for the operator.
    """

    def __init__(self, clock: Clock, say: Callable[[str], None]) -> None:
        self._clock = clock
        self._say = say
        self._children: list[_Child] = []
        self._stop_requests = 0
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._awake, self._wake = os.pipe()
        os.set_blocking(self._awake, False)
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._handlers[number] = signal.signal(number, self._on_stop_signal)
        self._handlers[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)  # it only has to wake us
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop([child for child in self._children if not child.spec.outlives_others])
        self._stop([child for child in self._children if child.spec.outlives_others])
        signal.set_wakeup_fd(-1)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        os.close(self._awake)
        os.close(self._wake)

    def start(self, spec: ChildSpec) -> None:
        """Starts a child and keeps it alive from now on, as long as ``run`` runs."""
        child = _Child(spec)
        self._children.append(child)
        self._spawn(child)

    def run(self, is_ready: Callable[[], bool], on_ready: Callable[[], None]) -> int:
        """Watches over the children until SIGINT, SIGTERM or SIGHUP; calls ``on_ready`` once when all is ready.

        Returns 0 when it was told to stop, or REFUSED when a child refused its configuration before all was ready.
        """
        ready = False
        while not self._stop_requests:
            for child in self._children:
                code = self._ended(child)
                if code == REFUSED and not ready:
                    return REFUSED
                if code is not None:
                    self._plan_restart(child, code)
                if child.process is None and child.due_at <= self._clock.monotonic():
                    self._spawn(child)
            if not ready and is_ready():
                ready = True
                on_ready()
            self._sleep(self._until_next_restart() if ready else PROBE_EVERY)
        return 0

    def _on_stop_signal(self, number: int, frame: FrameType | None) -> None:
        self._stop_requests += 1

    def _sleep(self, seconds: float | None) -> None:
        """Waits for a signal, at most so long."""
        if select.select([self._awake], [], [], seconds)[0]:
            os.read(self._awake, 4096)

    def _until_next_restart(self) -> float | None:
        waiting = [child.due_at for child in self._children if child.process is None]
        return max(0.0, min(waiting) - self._clock.monotonic()) if waiting else None

    def _spawn(self, child: _Child) -> None:
        child.started_at = self._clock.monotonic()
        try:
            child.process = subprocess.Popen(
                child.spec.command,
                env=dict(child.spec.environment),
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=partial(die_with_parent, os.getpid()),
            )
        except OSError as error:
            self._plan_restart(child, error.strerror)

    def _plan_restart(self, child: _Child, reason: int | str | None) -> None:
        if self._clock.monotonic() - child.started_at >= HEALTHY_AFTER:
            child.failures = 0
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2**child.failures)
        child.failures += 1
        child.due_at = self._clock.monotonic() + delay
        self._say(f"{child.spec.name} ended ({reason}); starting it again in {delay:g} s")

    def _ended(self, child: _Child) -> int | None:
        """The exit code of a child that has just ended; its own children are ended with it."""
        if child.process is None or not _is_over(child.process):
            return None
        _kill_group(child.process)
        code = child.process.wait()
        child.process = None
        return code

    def _stop(self, children: Iterable[_Child]) -> None:
        alive = [child for child in children if child.process is not None]
        for child in alive:
            if child.process is not None:
                os.kill(child.process.pid, signal.SIGTERM)  # Popen.terminate() would reap one that has just ended
        deadline, patience = self._clock.monotonic() + GRACE, self._stop_requests + 1
        while alive and self._clock.monotonic() < deadline and self._stop_requests < patience:
            alive = [child for child in alive if self._ended(child) is None]
            if alive:
                self._sleep(max(0.0, deadline - self._clock.monotonic()))
        for child in alive:
            if child.process is not None:
                _kill_group(child.process)
                child.process.wait()
                child.process = None


def _is_over(process: subprocess.Popen[bytes]) -> bool:
    """Looks without reaping: until it is reaped, no stranger can take over the number of its group."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):  # what macOS says when only the dead leader is left
        os.killpg(process.pid, signal.SIGKILL)
