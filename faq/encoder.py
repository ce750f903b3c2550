"""A sense for what a question is about, learnt beforehand from service questions of many shops.

Knowledge with three phrasings an entry cannot teach that "啥时候退回来" and "多久到账" ask the same. The encoder has
seen thousands of such pairs (``training/``), none of them from the shipped knowledge, and puts a text near others that
ask the same. It knows the parts of texts and no order: a message costs a few microseconds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faq.learnt import packed, unpacked

SHIPPED = Path(__file__).with_name("encoder.npz")

Gist = NDArray[np.float32]
"""A vector of length 1, or 0 for a text without a known part."""


class Encoder:
    """Turns the parts of a text into its gist.

    ``rows`` has a row of small whole numbers for each of ``names``; ``factors`` say what one of them counts.
    """

    def __init__(self, names: Sequence[str], rows: NDArray[np.int8], factors: NDArray[np.float32], key: str) -> None:
        self._places = dict(zip(names, range(len(names)), strict=True))
        self._rows, self._factors = rows, factors
        self.key = key
        """Names exactly this encoder."""

    @classmethod
    def load(cls, file: Path) -> Encoder:
        """Reads what ``keep`` wrote."""
        with np.load(file, allow_pickle=False) as kept:
            names, rows, factors = unpacked(kept["names"]), kept["rows"], kept["factors"]
        return cls(names, rows, factors, hashlib.sha256(file.read_bytes()).hexdigest())

    def gist(self, parts: Sequence[Sequence[str]]) -> Gist:
        """The gist of a text that ``Anatomy.parts`` took apart."""
        found = [place for place in map(self._places.get, chain.from_iterable(parts)) if place is not None]
        gist: Gist = self._factors[found] @ self._rows[found].astype(np.float32)
        length = float(np.sqrt(gist @ gist))
        return gist / np.float32(length) if length else gist


def keep(file: Path, names: Sequence[str], vectors: NDArray[np.float32]) -> None:
    """Writes an encoder whose parts count for these vectors, a row each, rounded to a byte a number."""
    factors = np.maximum(np.abs(vectors).max(axis=1), 1e-9) / 127
    rows = np.rint(vectors / factors[:, None]).astype(np.int8)
    np.savez_compressed(file, names=packed(names), rows=rows, factors=factors.astype(np.float32))


@cache
def shipped_encoder() -> Encoder:
    """The encoder that ships."""
    return Encoder.load(SHIPPED)
