"""How fast a message is understood with a knowledge of 150 entries, and what loading that knowledge takes.

Every message is new: a stored phrasing with one character left out, after six earlier ones of the same kind, as they
stand in a conversation's history. Half of the entries are the shipped ones, the rest are made of them.
"""

from __future__ import annotations

import multiprocessing
import random
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import yaml

from config.settings import ROOT, Settings
from faq.knowledge import Knowledge
from understanding.reader import Reader, load_reader

ENTRIES = 150
MESSAGES = 3000
HISTORY = 6
TARGET = 300  # microseconds for one message


def run() -> Mapping[str, float]:
    """Measures in a process of its own and prints a table; returns microseconds, seconds and megabytes."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        figures: Mapping[str, float] = pool.apply(_measure)
    for name, value in figures.items():
        print(f"{name:<28}{value:>10.1f}")
    print(f"target: {TARGET} µs a message")
    return figures


def _measure() -> Mapping[str, float]:
    before = _peak()
    with tempfile.TemporaryDirectory(prefix="qunda-bench-") as folder:
        settings = _with_more_entries(Path(folder))
        began = time.perf_counter()
        reader = load_reader(settings)
        loaded = time.perf_counter() - began
        began = time.perf_counter()
        load_reader(settings)
        loaded_again = time.perf_counter() - began
    messages = _messages(reader.knowledge)
    return {
        "entries": len(reader.knowledge),
        "phrasings": sum(len(entry.phrasings) for entry in reader.knowledge),
        "first load, seconds": loaded,
        "later load, seconds": loaded_again,
        "peak of memory, megabytes": _peak() - before,
        "match, µs": _median(lambda number: reader.matcher.match(messages[number])),
        "read, µs": _median(lambda number: _read(reader, messages, number)),
    }


def _with_more_entries(folder: Path) -> Settings:
    """Settings whose knowledge is the shipped one and as many made-up entries as are missing."""
    shutil.copytree(ROOT / "config/faq", folder / "config/faq")
    environ = {"QUNDA_CONFIG_DIR": str(folder / "config"), "QUNDA_DATA_DIR": str(folder / "data")}
    settings = Settings.load(environ, make_secret=True)
    shipped = Knowledge.load(settings.files("faq"), {})
    made = [
        {"id": f"{entry.id}-2", "question": f"隔壁{entry.question}", "answer": "好",
         "variants": [f"隔壁{variant}" for variant in entry.variants]}
        for entry in list(shipped)[: max(0, ENTRIES - len(shipped))]
    ]  # fmt: skip
    (folder / "config/faq/made.yaml").write_text(yaml.safe_dump(made, allow_unicode=True), encoding="utf-8")
    return settings


def _messages(knowledge: Knowledge) -> list[str]:
    choose = random.Random(20261121)
    phrasings = [phrasing for entry in knowledge for phrasing in entry.phrasings]
    return [_mistyped(choose.choice(phrasings), choose) for _ in range(MESSAGES)]


def _mistyped(text: str, choose: random.Random) -> str:
    place = choose.randrange(len(text))
    return text[:place] + text[place + 1 :]


def _read(reader: Reader, messages: Sequence[str], number: int) -> None:
    reader.read(messages[number], history=messages[max(0, number - HISTORY) : number])


def _median(measured: Callable[[int], object]) -> float:
    spent = []
    for number in range(MESSAGES):
        began = time.perf_counter()
        measured(number)
        spent.append(time.perf_counter() - began)
    return statistics.median(spent) * 1e6


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
