"""Puts questions that ask the same in other words together."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from faq.text import plain

_ALIKE = 0.4
"""Cosine of two questions' characters and pairs of them from which they are taken to ask the same."""
_ENOUGH_TO_WEIGH = 50
"""From this many questions on, characters that stand in many of them count for less."""
_FRAME = re.compile(
    "请问|一下|可不可以|能不能|有没有|是不是|怎么|什么|可以|多少|[的了吗呢啊呀吧嘛么哦我你您他她它们俺咱就还都会能不有要想在]"
)
"""What questions are put into, whatever they are about."""

Weights = Mapping[str, float]


def clusters_of(texts: Sequence[str]) -> list[list[int]]:
    """The positions of the texts, put together by likeness; a text joins the first cluster that it is like enough.

    A cluster is known by its first text, so later questions never tear an earlier cluster apart.
    """
    counted = [_runs(text) for text in texts]
    spread = Counter(run for runs in counted for run in runs)
    found: list[list[int]] = []
    sums: list[dict[str, float]] = []
    holding: dict[str, set[int]] = defaultdict(set)
    for position, runs in enumerate(counted):
        weights = _weighed(runs, spread, len(texts))
        near = {number for run in weights for number in holding[run]}
        best = max(near, key=lambda number: (_cosine(weights, sums[number]), -number), default=None)
        if best is None or _cosine(weights, sums[best]) < _ALIKE:
            best = len(found)
            found.append([])
            sums.append(defaultdict(float))
        found[best].append(position)
        for run, weight in weights.items():
            sums[best][run] += weight
            holding[run].add(best)
    return found


def _runs(text: str) -> Counter[str]:
    whole = plain(text)
    words = _FRAME.sub("", whole) or whole
    return Counter([*words, *(words[start : start + 2] for start in range(len(words) - 1))])


def _weighed(runs: Mapping[str, int], spread: Mapping[str, int], size: int) -> dict[str, float]:
    weighs = size >= _ENOUGH_TO_WEIGH
    weights = {run: count * (math.log(1 + size / spread[run]) if weighs else 1.0) for run, count in runs.items()}
    length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
    return {run: weight / length for run, weight in weights.items()}


def _cosine(weights: Weights, total: Weights) -> float:
    length = math.sqrt(sum(weight * weight for weight in total.values())) or 1.0
    return sum(weight * total.get(run, 0.0) for run, weight in weights.items()) / length
