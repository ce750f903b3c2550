"""The start and the end of ``./qunda up``: how long each takes, and how much memory its processes hold.

What is measured is what an operator waits for: from the command to the line "Qunda is running", and from SIGTERM to
the end of the last process. The first start makes database and keys and is not counted.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.settings import ROOT, VARIABLES
from tests.commands.processes import Lines, assert_ends, descendants

ROUNDS = 5
NAMES = ("web", "worker", "clock", "playground", "valkey")
TARGET = 5.0  # seconds from the command to a healthy bot


@dataclass(frozen=True, slots=True)
class Round:
    """One start and end, in seconds, and the resident megabytes by the processes' names once all is ready."""

    start: float
    stop: float
    megabytes: Mapping[str, float]


def run() -> Mapping[str, Any]:
    """Measures and prints a table; returns the figures."""
    with tempfile.TemporaryDirectory(prefix="qunda-bench-") as folder:
        (Path(folder) / "config").mkdir()  # empty: an operator's own channels on this machine are not used
        _once(Path(folder))
        rounds = [_once(Path(folder)) for _ in range(ROUNDS)]
    return _report(rounds)


def _once(folder: Path) -> Round:
    blank = dict.fromkeys(VARIABLES, "")  # counts as unset, and keeps .env from filling them in
    environment = {**os.environ, **blank, "QUNDA_DATA_DIR": str(folder), "QUNDA_CONFIG_DIR": str(folder / "config")}
    began = time.perf_counter()
    process = subprocess.Popen(
        [ROOT / "qunda", "up", "--port", "0"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    Lines(process.stdout).until("Qunda is running")
    start = time.perf_counter() - began
    family = descendants(process.pid)
    megabytes = _megabytes({process.pid, *family})
    began = time.perf_counter()
    process.terminate()
    process.communicate()
    for pid in family:
        assert_ends(pid)
    return Round(start, time.perf_counter() - began, megabytes)


def _megabytes(pids: set[int]) -> dict[str, float]:
    """Resident memory by name; pages that processes share count in each."""
    held: dict[str, float] = defaultdict(float)
    for pid in pids:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
        name = next((name for name in NAMES if name in words or name in Path(words[0]).name), "up")
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        held[name] += pages * resource.getpagesize() / 2**20
    return dict(held)


def _report(rounds: list[Round]) -> Mapping[str, Any]:
    start = [each.start for each in rounds]
    stop = [each.stop for each in rounds]
    memory = {name: statistics.median(each.megabytes[name] for each in rounds) for name in ("up", *NAMES)}
    print(f"\n{ROUNDS} rounds after a first one")
    print(f"{'':<36}{'median':>8}{'worst':>8}")
    print(f"{'./qunda up until it is running, s':<36}{statistics.median(start):>8.2f}{max(start):>8.2f}", end="")
    print(f"   target {TARGET:g}")
    print(f"{'SIGTERM until all are gone, s':<36}{statistics.median(stop):>8.2f}{max(stop):>8.2f}")
    print("\nresident memory, MB")
    for name, megabytes in memory.items():
        print(f"  {name:<34}{megabytes:>8.0f}")
    print(f"  {'together':<34}{sum(memory.values()):>8.0f}")
    return {
        "start_seconds": {"median": statistics.median(start), "worst": max(start), "target": TARGET},
        "stop_seconds": {"median": statistics.median(stop), "worst": max(stop)},
        "resident_megabytes": memory,
    }
