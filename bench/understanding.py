"""How often the right entry is found, how well the confidence tells it, and what a message costs, beside the peers.

On the project's own texts: 28 shipped entries with ten, three and one phrasing stored and others asked, 30 % of
the traffic about entries that are not stored; the same with homophones. With ``QUNDA_BENCH_DATA`` naming a folder
that holds ``text/lcqmc_faq.json`` and ``text/lcqmc_nearmiss.json``, on public questions too; and, where that folder
holds labelled messages, how well mood and complaint kinds are heard. Nothing is tuned to these.
"""

from __future__ import annotations

import gc
import json
import os
import random
import resource
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pypinyin import lazy_pinyin

from bench import peers, senses, understanding_speed
from config.settings import ROOT
from config.yaml_file import read_yaml
from faq.knowledge import Knowledge
from understanding.loading import load_chatter, shipped_speech

INTENTS = 28
MOST_STORED = 10
ASKED_EACH = 8
OUT_OF_SCOPE = 0.3
NOISE = 0.3
LARGE = ("qunda", "BM25 on jieba", "TF-IDF characters")
"""What is fast enough to be asked thousands of questions about thousands of entries."""

Question = tuple[str, int]
"""A text and the number of its entry; -1 when none answers it."""
Floats = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Result:
    """Shares are percentages; ``at_90``, ``at_95``: what of all traffic can be answered at that precision.

    ``ms``: the median for one message; ``megabytes``: what was learnt holds in memory.
    """

    top1: float
    at_90: float
    at_95: float
    ece: float
    ms: float
    megabytes: float


def run() -> Mapping[str, Any]:
    """Measures and prints tables; returns all figures."""
    chatter = load_chatter(read_yaml(ROOT / "config/words/chatter.yaml", {}))
    matchers = peers.all_of(shipped_speech(), chatter)
    figures: dict[str, Any] = {"speed": understanding_speed.run()}
    for name, texts, owners, asked in _own_sets():
        figures[name] = _compare(name, matchers, texts, owners, asked)
    figures["mood and kinds"] = senses.run()
    folder = os.environ.get("QUNDA_BENCH_DATA")
    if folder is None or not Path(folder, "text/lcqmc_faq.json").is_file():
        print("public questions: left out, QUNDA_BENCH_DATA names no folder that holds them")
        return figures
    large = {name: matchers[name] for name in LARGE}
    figures["lcqmc"] = _compare("lcqmc", large, *_public(Path(folder)))
    figures["near-misses, AUROC"] = _near_misses(large, Path(folder))
    return figures


def _compare(
    title: str, matchers: Mapping[str, peers.Learn], texts: Sequence[str], owners: Sequence[int],
    asked: Sequence[Question],
) -> dict[str, dict[str, float]]:  # fmt: skip
    print(f"\n{title}: {len(set(owners))} entries, {len(texts)} phrasings, {len(asked)} questions")
    print(f"{'':<22}{'top-1':>8}{'at 90 %':>9}{'at 95 %':>9}{'ECE':>7}{'ms':>8}{'MB':>7}")
    results = {}
    for name, learn in matchers.items():
        results[name] = figures = asdict(_measure(learn, texts, owners, asked))
        formats = zip(figures.values(), ("8.1f", "9.1f", "9.1f", "7.1f", "8.2f", "7.0f"), strict=True)
        print(f"{name:<22}" + "".join(f"{value:>{width}}" for value, width in formats), flush=True)
    return results


def _measure(learn: peers.Learn, texts: Sequence[str], owners: Sequence[int], asked: Sequence[Question]) -> Result:
    gc.collect()
    before = _resident()
    ask = learn(texts, owners)
    held = _resident() - before
    right, sure, spent = [], [], []
    for text, entry in asked:
        began = time.perf_counter()
        found, confidence = ask(text)
        spent.append(time.perf_counter() - began)
        right.append(found == entry)
        sure.append(confidence)
    hits, confidences = np.array(right), np.array(sure)
    in_scope = np.array([entry >= 0 for _, entry in asked])
    return Result(
        top1=100 * float(hits[in_scope].mean()),
        at_90=100 * answerable(confidences, hits, 0.90),
        at_95=100 * answerable(confidences, hits, 0.95),
        ece=100 * calibration_error(confidences, hits) if confidences.max() <= 1 else float("nan"),
        ms=1000 * float(np.median(spent)),
        megabytes=held,
    )


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def answerable(sure: Floats, right: NDArray[np.bool_], precision: float) -> float:
    """The largest share of traffic above a threshold where this share of answers is right; ties stand together."""
    best = 0.0
    for threshold in np.unique(sure):
        above = sure >= threshold
        if right[above].mean() >= precision:
            best = max(best, float(above.mean()))
    return best if len(np.unique(sure)) > 1 else 0.0


def calibration_error(sure: Floats, right: NDArray[np.bool_]) -> float:
    """The expected gap between confidence and share of right answers, over ten equal steps of confidence."""
    step = np.minimum((sure * 10).astype(int), 9)
    gaps = [abs(sure[step == each].mean() - right[step == each].mean()) * (step == each).mean() for each in set(step)]
    return float(sum(gaps))


def _own_sets() -> list[tuple[str, list[str], list[int], list[Question]]]:
    choose = random.Random(20261121)
    knowledge = Knowledge.load((ROOT / "config/faq").glob("*.yaml"), {})
    said = [list(dict.fromkeys(entry.phrasings)) for entry in knowledge]
    many = choose.sample([own for own in said if len(own) >= MOST_STORED + ASKED_EACH], 2 * INTENTS)
    stored, others = many[:INTENTS], many[INTENTS:]
    for phrasings in stored:
        choose.shuffle(phrasings)
    asked = [(text, number) for number, own in enumerate(stored) for text in own[-ASKED_EACH:]]
    missing = [(text, -1) for own in others for text in own]
    strange = choose.sample(missing, int(len(asked) * OUT_OF_SCOPE / (1 - OUT_OF_SCOPE)))
    sets = []
    for most in (MOST_STORED, 3, 1):
        pairs = [(text, number) for number, own in enumerate(stored) for text in own[:most]]
        texts, owners = [text for text, _ in pairs], [number for _, number in pairs]
        sets.append((f"own, {most} phrasings", texts, owners, asked + strange))
        if most == MOST_STORED:
            noisy = [(_misheard(text, choose), number) for text, number in asked]
            sets.append(("own, 10 phrasings, homophones", texts, owners, noisy))
    return sets


def _misheard(text: str, choose: random.Random) -> str:
    return "".join(_homophone(sign, choose) if choose.random() < NOISE else sign for sign in text)


def _homophone(sign: str, choose: random.Random) -> str:
    alike = [other for other in _COMMON.get(lazy_pinyin(sign)[0], ()) if other != sign]
    return choose.choice(alike) if alike else sign


def _common_characters() -> dict[str, list[str]]:
    """The 3,755 most usual characters (GB 2312, first level) by syllable."""
    signs = bytes(byte for high in range(0xB0, 0xD8) for low in range(0xA1, 0xFF) for byte in (high, low))
    found: dict[str, list[str]] = {}
    for sign in signs.decode("gb2312", "ignore"):
        found.setdefault(lazy_pinyin(sign)[0], []).append(sign)
    return found


_COMMON = _common_characters()


def _public(folder: Path) -> tuple[list[str], list[int], list[Question]]:
    entries = json.loads((folder / "text/lcqmc_faq.json").read_text(encoding="utf-8"))["entries"]
    stored = [entry for entry in entries if entry["role"] != "oos"]
    texts, owners, asked = [], [], []
    for number, entry in enumerate(stored):
        own = [entry["canonical"], *entry["extra"]]
        texts += own
        owners += [number] * len(own)
        if entry["role"] == "test":
            asked += [(query, number) for query in entry["queries"]]
    strange = [(query, -1) for entry in entries if entry["role"] == "oos" for query in entry["queries"]]
    choose = random.Random(20261121)
    return texts, owners, choose.sample(asked, 1400) + choose.sample(strange, 600)


def _near_misses(matchers: Mapping[str, peers.Learn], folder: Path) -> dict[str, float]:
    """How well the confidence tells a question from one that looks alike and is not; both over one knowledge."""
    entries = json.loads((folder / "text/lcqmc_nearmiss.json").read_text(encoding="utf-8"))
    results = {}
    for name, learn in matchers.items():
        ask = learn([entry["canonical"] for entry in entries], range(len(entries)))
        same = np.array([ask(query)[1] for entry in entries for query in entry["queries"]])
        miss = np.array([ask(query)[1] for entry in entries for query in entry["near_miss"]])
        higher = (same[:, None] > miss).mean() + (same[:, None] == miss).mean() / 2
        results[name] = 100 * float(higher)
        print(f"near-misses, AUROC  {name:<22}{results[name]:>6.1f}")
    return results
