"""How fast a message is understood, and what loading takes, with small, shipped and very large knowledge.

Every message is new: a stored phrasing with one character left out, after six earlier ones of the same kind, as they
stand in a conversation's history. The large knowledge is made of shipped phrasings, each about a place of its own.
"""

from __future__ import annotations

import multiprocessing
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice, product
from pathlib import Path

import yaml

from config.settings import ROOT, Settings
from faq.knowledge import Knowledge
from understanding.loading import load_reader
from understanding.reader import Reader

SIZES = {"150 entries": (150, None), "shipped": (None, None), "10,000 entries": (10_000, 5)}
"""Entries, and phrasings of each; None: as many as there are."""
MESSAGES = 2000
HISTORY = 6

Figures = Mapping[str, float]


def run() -> Mapping[str, Figures]:
    """Measures each size in a process of its own and prints a table; returns microseconds, seconds and megabytes."""
    figures = {}
    for name in SIZES:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            figures[name] = pool.apply(_measure, (name,))
    print(f"{'':<28}" + "".join(f"{name:>16}" for name in figures))
    for row in next(iter(figures.values())):
        print(f"{row:<28}" + "".join(f"{each[row]:>16.1f}" for each in figures.values()))
    return figures


def _measure(size: str) -> Figures:
    before = _peak()
    with tempfile.TemporaryDirectory(prefix="qunda-bench-") as folder:
        settings = _settings(Path(folder), *SIZES[size])
        reader, loaded = _timed(settings)
        _, loaded_again = _timed(settings)
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


def _timed(settings: Settings) -> tuple[Reader, float]:
    began = time.perf_counter()
    reader = load_reader(settings)
    return reader, time.perf_counter() - began


def _settings(folder: Path, entries: int | None, phrasings: int | None) -> Settings:
    """Settings whose knowledge has so many entries."""
    shipped = Knowledge.load((ROOT / "config/faq").glob("*.yaml"), {})
    chosen = islice(_entries(shipped, phrasings), entries or len(shipped))
    (folder / "config/faq").mkdir(parents=True)
    text = yaml.dump(list(chosen), allow_unicode=True, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper))
    (folder / "config/faq/all.yaml").write_text(text, encoding="utf-8")
    environ = {"QUNDA_CONFIG_DIR": str(folder / "config"), "QUNDA_DATA_DIR": str(folder / "data")}
    return Settings.load(environ, make_secret=True)


def _entries(shipped: Knowledge, phrasings: int | None) -> Iterable[Mapping[str, object]]:
    """The shipped entries, and then the same again about one place after the other."""
    places = ("", *map("".join, product("东西南北中上下大小新", "山河桥门湖村街园", ("", "里"))))
    for place, entry in product(places, shipped):
        said = list(dict.fromkeys(entry.phrasings))[:phrasings]
        name = f"{entry.id}-{places.index(place)}"
        yield {"id": name, "question": place + said[0], "answer": "好", "variants": [place + line for line in said[1:]]}


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
