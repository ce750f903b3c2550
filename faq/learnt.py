"""What was learnt from a knowledge, kept beside the data: only the first start with it takes the time."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_KEPT = 4
"""Files; an operator who edits the knowledge leaves old ones behind."""
_CODE = ("calibration", "embedding", "learning", "learnt", "matching", "ngrams", "sounds", "triangle")

Arrays = dict[str, NDArray[Any]]


class LearntStore:
    """A folder of learnt knowledge. Whatever is wrong with a file in it, the knowledge is learnt anew."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, key: str) -> Arrays | None:
        """What was kept under this key; None when there is nothing, or nothing that can be read."""
        try:
            with np.load(self._folder / f"{key}.npz", allow_pickle=False) as kept:
                return dict(kept)
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
            return None

    def keep(self, key: str, learnt: Mapping[str, NDArray[Any]]) -> None:
        """Writes it for the next start; a folder that cannot be written to costs that start its time, no more."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".part", delete=False) as file:
                np.savez(file, allow_pickle=False, **learnt)
            os.replace(file.name, self._folder / f"{key}.npz")
            kept = sorted(self._folder.glob("*.npz"), key=lambda path: path.stat().st_mtime, reverse=True)
            for old in kept[_KEPT:]:
                old.unlink(missing_ok=True)
        except OSError:
            return


def key_of(texts: Sequence[str], owners: Sequence[int], entries: int, model: str) -> str:
    """Names exactly this knowledge, learnt by exactly this code with this sentence model."""
    digest = hashlib.sha256(json.dumps([texts, owners, entries, model]).encode())
    for name in _CODE:
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return digest.hexdigest()


def packed(names: Sequence[str]) -> NDArray[np.uint8]:
    """Texts without line breaks as one array that takes a byte for a byte."""
    return np.frombuffer("\n".join(names).encode("utf-8", "surrogatepass"), np.uint8)


def unpacked(kept: NDArray[Any]) -> list[str]:
    """What ``packed`` packed."""
    return kept.astype(np.uint8).tobytes().decode("utf-8", "surrogatepass").split("\n")
