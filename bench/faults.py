"""The platforms misbehave: the whole bot, with all its processes, between twenty people who write at once.

For each misbehaviour, and each door that can have it, some hundred messages; then every promise is checked in the
database and in the platforms' own books. The doors are the official account (oa), the customer service (kf), a group
with the smart bot in it (group), and the staff's room (room), which sixty complaints are told of. After that, 10,000
messages that waited through a time without the bot. A broken promise is printed, and makes ``./qunda bench faults`` end
with 1.

QUNDA_BENCH_ONLY names what is to be run, with commas between: misbehaviours ("drop", "45009"), doors ("oa", "room"),
a misbehaviour at a door ("drop at kf"), or "day offline".
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bench.faults_offline import OFFLINE, day_offline
from bench.faults_stage import opened
from tests.faults.books import Tally
from tests.faults.misbehaviour import Door, Misbehaviour, with_doors
from tests.faults.play import answers_by_door, play
from tests.faults.talk import Size

LARGE = Size(people=20, each=25, calls=4, slow=8, complaints=60)
COLUMNS = {
    "messages": "messages",
    "answered": "answered",
    "uncertain": "uncertain",
    "dead": "dead",
    "expired": "expired",
    "doubled": "doubled",
    "disorder": "out_of_order",
    "budgets": "budgets_broken",
}


def run() -> Mapping[str, Any]:
    """Measures and prints a table; returns the figures, with what is ``broken``."""
    only = {name.strip() for name in os.environ.get("QUNDA_BENCH_ONLY", "").split(",") if name.strip()}
    chosen = [
        (misbehaviour, door)
        for misbehaviour, door in with_doors()
        if not only or only & {misbehaviour.name, door, f"{misbehaviour.name} at {door}"}
    ]
    figures: dict[str, Any] = {"misbehaviours": _misbehave(chosen) if chosen else {}, "broken": []}
    if not only or OFFLINE in only:
        figures[OFFLINE] = asdict(day_offline())
    rows = [*figures["misbehaviours"].values(), *([figures[OFFLINE]] if OFFLINE in figures else [])]
    figures["broken"] = [what for row in rows for what in row["broken"]]
    for what in figures["broken"]:
        print(f"BROKEN: {what}")
    return figures


def _misbehave(chosen: Sequence[tuple[Misbehaviour, Door]]) -> dict[str, Any]:
    print(f"{LARGE.people} conversations in parallel; seconds until everything has come to rest")
    print(f"{'misbehaviour':<26}{'door':<6}" + "".join(f"{name:>10}" for name in (*COLUMNS, "seconds")), flush=True)
    found = {}
    with opened() as (ground, reader, texts):
        answers = answers_by_door(reader, texts)
        for misbehaviour, door in chosen:
            began = time.monotonic()
            tally = play(ground, misbehaviour, door, answers, texts, LARGE)
            seconds = time.monotonic() - began
            found[f"{misbehaviour.name} at {door}"] = {**tally.as_dict(), "seconds": seconds}
            _print(misbehaviour, door, tally, seconds)
    return found


def _print(misbehaviour: Misbehaviour, door: Door, tally: Tally, seconds: float) -> None:
    numbers = "".join(f"{getattr(tally, name):>10}" for name in COLUMNS.values())
    mark = f"   {len(tally.broken)} broken" if tally.broken else ""
    print(f"{misbehaviour.name:<26}{door:<6}{numbers}{seconds:>10.1f}{mark}", flush=True)
