"""Watching processes that are not ours to wait for."""

from __future__ import annotations

import os
import select
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import IO

PATIENCE = 20.0  # seconds


class Lines:
    """The output of a process, line by line, with a limit on how long a line may take."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        assert stream is not None
        self._stream = stream
        self._rest = b""
        self.seen: list[str] = []

    def next(self) -> str:
        while b"\n" not in self._rest:
            assert select.select([self._stream], [], [], PATIENCE)[0], f"no further line after {self.seen[-5:]}"
            part = os.read(self._stream.fileno(), 4096)
            assert part, f"the output ended after {self.seen[-5:]}"
            self._rest += part
        line, _, self._rest = self._rest.partition(b"\n")
        self.seen.append(line.decode())
        return self.seen[-1]

    def until(self, start: str) -> str:
        """The next line that begins so; gives what follows on it."""
        while not (line := self.next()).startswith(start):
            pass
        return line.removeprefix(start).strip()

    def numbers(self, *names: str) -> list[int]:
        """The number on the line of each name, whichever of the lines comes first."""
        found: dict[str, int] = {}
        while len(found) < len(names):
            name, _, rest = self.next().partition(" ")
            if name in names:
                found[name] = int(rest)
        return [found[name] for name in names]


def assert_ends(pid: int) -> None:
    """Waits for the end of any process."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([descriptor], [], [], PATIENCE)[0], f"process {pid} is still there"
    finally:
        os.close(descriptor)


def is_alive(pid: int) -> bool:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    ended = bool(select.select([descriptor], [], [], 0)[0])
    os.close(descriptor)
    return not ended


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def descendants(pid: int) -> set[int]:
    """All processes below this one."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(FileNotFoundError, ProcessLookupError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found, last = set[int](), {pid}
    while last := {child for child, parent in parents.items() if parent in last}:
        found |= last
    return found
