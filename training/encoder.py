"""Trains the encoder that ships, on the text that was written for it: ``python -m training.encoder``.

Lines of one intent are drawn together and lines of different intents apart (a supervised contrast, Khosla et al. 2020).
What looks alike and asks for something else stands in ``lookalikes*.txt`` and is held apart in the same way. Some
intents stand in two files, which have different authors; not to hold these apart was tried and helped nothing. The same
text, seed and libraries give the same encoder. Takes some minutes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from faq.encoder import SHIPPED, keep
from faq.features import PART_WEIGHTS, Anatomy, Lexicon
from faq.sounds import sounds_of, spelt
from faq.text import Speech
from understanding.loading import shipped_speech

TEXT = Path(__file__).with_name("text")
SIZE = 96
STEPS = 3000
INTENTS_A_STEP, LINES_AN_INTENT = 128, 4
LEFT_OUT = 0.5
"""Share of a line's parts that it must do without, so that no single word decides."""
ONLY_HEARD = 0.15
"""Share of the lines that are read by their sounds and meanings alone, as if every character had been typed wrong."""
SHARPNESS = 1 / 0.07
PACE = 0.02
FEWEST, FEWEST_KEPT = 3, 5
"""Lines that must hold a part for it to be trained, and to be kept. Parts that are trained and not kept take upon
themselves what belongs to single lines, and the others come out better for it."""
_WRITTEN = 3
"""The first kinds of parts are characters and what stands beside them."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Intent:
    """Lines that one answer would serve."""

    name: str
    lines: tuple[str, ...]


def read_intents(file: Path) -> Iterator[Intent]:
    """The intents of a file: ``# name``, then a line each, until an empty line."""
    for block in file.read_text(encoding="utf-8").split("\n\n"):
        name, *lines = block.strip().split("\n")
        yield Intent(name.removeprefix("# "), tuple(dict.fromkeys(lines)))


def read_lookalikes(file: Path) -> Iterator[Intent]:
    """The questions of a file (``question; same; … | other; …``); each that asks for something else is an intent."""
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines()):
        same, others = ([text.strip() for text in side.split(";")] for side in line.split("|"))
        yield Intent(f"{file.stem}-{number}", tuple(same))
        yield from (Intent(f"{file.stem}-{number}-{place}", (text,)) for place, text in enumerate(others))


def all_intents() -> list[Intent]:
    """All that the encoder is trained on."""
    files = sorted(TEXT.glob("*.txt"))
    readers = [read_lookalikes if file.name.startswith("lookalikes") else read_intents for file in files]
    return list(chain.from_iterable(read(file) for read, file in zip(readers, files, strict=True)))


@dataclass(frozen=True, slots=True)
class Material:
    """The lines as parts: a row each, weighed as the matcher does, and which parts are written characters."""

    names: Sequence[str]
    weighed: csr_matrix
    written: NDArray[np.bool_]
    owners: NDArray[np.int64]

    @classmethod
    def of(cls, intents: Sequence[Intent], speech: Speech, fewest: int = FEWEST) -> Material:
        """Takes the lines apart; ``fewest`` lines must hold a part."""
        anatomy = Anatomy(Lexicon(speech.concepts), Lexicon(speech.sorts), sounds_of(spelt()))
        lines = [(owner, speech.normalise(line)) for owner, intent in enumerate(intents) for line in intent.lines]
        taken = [(owner, anatomy.parts(words)) for owner, words in lines if words]
        holders: Counter[str] = Counter(chain.from_iterable(chain.from_iterable(parts) for _, parts in taken))
        kind_of = {name: kind for _, parts in taken for kind, own in enumerate(parts) for name in own}
        spread = Counter(name for name, _ in {(name, owner) for owner, parts in taken for name in chain(*parts)})
        names = sorted(name for name, count in holders.items() if count >= fewest)
        places = {name: place for place, name in enumerate(names)}
        weights = [PART_WEIGHTS[kind_of[name]] * math.log1p((1 + len(intents)) / spread[name]) for name in names]
        rows = [[places[name] for name in chain(*parts) if name in places] for _, parts in taken]
        ends = np.cumsum([0, *map(len, rows)])
        columns = np.array(list(chain(*rows)), np.int32)
        data = np.array(weights, np.float32)[columns]
        written = np.array([kind_of[name] < _WRITTEN for name in names])
        shape = (len(rows), len(names))
        return cls(names, csr_matrix((data, columns, ends), shape), written, np.array([owner for owner, _ in taken]))


def train(material: Material, steps: int = STEPS, size: int = SIZE, seed: int = 20261122) -> Floats:
    """What each part counts for: a row of ``size`` numbers each."""
    choose = np.random.default_rng(seed)
    vectors = choose.normal(0, 0.3, (len(material.names), size)).astype(np.float32)
    climb = _Adam(vectors)
    starts = np.searchsorted(material.owners, np.arange(material.owners[-1] + 2))
    several = np.flatnonzero(np.diff(starts) > 1)
    alone = np.flatnonzero(np.diff(starts) == 1)
    for step in range(steps):
        chosen = choose.choice(several, min(INTENTS_A_STEP, len(several)), replace=False)
        lines = [choose.integers(starts[each], starts[each + 1], LINES_AN_INTENT) for each in chosen]
        lines.append(starts[_beside(chosen, alone)])
        drawn = np.unique(np.concatenate(lines))
        batch = _thinned(material.weighed[drawn], material.written, choose)
        touched, slope = _slope(batch, material.owners[drawn], vectors)
        climb.step(touched, slope, PACE * (1 - step / steps))
    return vectors


def _beside(chosen: NDArray[np.int64], alone: NDArray[np.int64]) -> NDArray[np.int64]:
    """The single lines that follow a chosen question in its file: they look like it and are not."""
    if not len(alone):
        return alone
    places = np.searchsorted(alone, chosen)
    near = places[:, None] + np.arange(3)
    fit = (near < len(alone)) & (alone[np.minimum(near, len(alone) - 1)] == chosen[:, None] + 1 + np.arange(3))
    return alone[near[fit]]


def _thinned(batch: csr_matrix, written: NDArray[np.bool_], choose: np.random.Generator) -> csr_matrix:
    """The lines without some of their parts, each brought to length 1."""
    heard = np.repeat(choose.random(batch.shape[0]) < ONLY_HEARD, np.diff(batch.indptr))
    kept = (choose.random(batch.nnz) > LEFT_OUT) & ~(heard & written[batch.indices])
    data = np.where(kept, batch.data, 0).astype(np.float32)
    lengths = np.sqrt(np.add.reduceat(np.append(data, 0) ** 2, batch.indptr[:-1]) + 1e-6)
    return csr_matrix((data / np.repeat(lengths, np.diff(batch.indptr)), batch.indices, batch.indptr), batch.shape)


def _slope(batch: csr_matrix, owners: NDArray[np.int64], vectors: Floats) -> tuple[NDArray[np.int32], Floats]:
    """The parts that the lines hold, and how the loss changes with each of their vectors."""
    touched, columns = np.unique(batch.indices, return_inverse=True)
    small = csr_matrix((batch.data, columns, batch.indptr), (batch.shape[0], len(touched)))
    plain = small @ vectors[touched]
    lengths = np.sqrt((plain * plain).sum(axis=1, keepdims=True) + 1e-6)
    gists = plain / lengths
    alike = SHARPNESS * (gists @ gists.T)
    np.fill_diagonal(alike, -np.inf)
    likely = np.exp(alike - alike.max(axis=1, keepdims=True))
    likely /= likely.sum(axis=1, keepdims=True)
    same = (owners[:, None] == owners).astype(np.float32)
    np.fill_diagonal(same, 0)
    partners = same.sum(axis=1, keepdims=True)
    error = np.where(partners > 0, likely - same / np.maximum(partners, 1), 0) / max(1, int((partners > 0).sum()))
    pull = SHARPNESS * ((error + error.T) @ gists)
    pull = (pull - gists * (pull * gists).sum(axis=1, keepdims=True)) / lengths
    return touched, np.asarray(small.T @ pull.astype(np.float32))


class _Adam:
    """Adaptive steps (Kingma and Ba 2015) for the rows that a batch touches; the others rest."""

    def __init__(self, place: Floats) -> None:
        self._place = place
        self._mean, self._square = np.zeros_like(place), np.zeros_like(place)
        self._steps = np.zeros((len(place), 1), np.float32)

    def step(self, rows: NDArray[np.int32], slope: Floats, pace: float) -> None:
        self._steps[rows] += 1
        mean = self._mean[rows] = 0.9 * self._mean[rows] + 0.1 * slope
        square = self._square[rows] = 0.99 * self._square[rows] + 0.01 * slope * slope
        count = self._steps[rows]
        unbiased = np.sqrt(square / (1 - 0.99**count)) + 1e-6
        self._place[rows] -= pace * (mean / (1 - 0.9**count)) / unbiased


def main() -> None:
    material = Material.of(all_intents(), shipped_speech())
    vectors = train(material)
    vectors *= np.asarray(material.weighed.max(axis=0).todense()).T.astype(np.float32)
    kept = np.flatnonzero(np.bincount(material.weighed.indices, minlength=len(vectors)) >= FEWEST_KEPT)
    keep(SHIPPED, [material.names[place] for place in kept.tolist()], vectors[kept])
    print(f"{len(kept)} parts of {material.weighed.shape[0]} lines: {SHIPPED.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
