"""What was learnt from a knowledge, kept beside the data: only the first start with it takes the time."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faq.ngrams import Floats

_KEPT = 4
"""Files; an operator who edits the knowledge leaves old ones behind."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """``shares``: phrasings × entries, see ``faq.learning``; ``coefficients`` and ``trust`` of the calibration."""

    shares: NDArray[np.float32]
    coefficients: Floats
    trust: float


class LearntStore:
    """A folder of learnt knowledge. Whatever is wrong with a file in it, the knowledge is learnt anew."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, key: str) -> Learnt | None:
        """What was kept under this key; None when there is nothing, or nothing that can be read."""
        try:
            with np.load(self._folder / f"{key}.npz", allow_pickle=False) as kept:
                return Learnt(kept["shares"], kept["coefficients"], float(kept["trust"]))
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
            return None

    def keep(self, key: str, learnt: Learnt) -> None:
        """Writes it for the next start; a folder that cannot be written to costs that start its time, no more."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".part", delete=False) as file:
                np.savez(file, shares=learnt.shares, coefficients=learnt.coefficients, trust=learnt.trust)
            os.replace(file.name, self._folder / f"{key}.npz")
            kept = sorted(self._folder.glob("*.npz"), key=lambda path: path.stat().st_mtime, reverse=True)
            for old in kept[_KEPT:]:
                old.unlink(missing_ok=True)
        except OSError:
            return


def key_of(texts: Sequence[str], owners: Sequence[int], chatter: Sequence[str]) -> str:
    """Names exactly this knowledge, learnt by exactly this code."""
    digest = hashlib.sha256(json.dumps([texts, owners, chatter]).encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()
