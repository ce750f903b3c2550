"""What was learnt from a knowledge, kept beside the data: only the first start with it takes the time."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_KEPT = 12
"""Files, three for a configuration; an operator who edits the knowledge leaves old ones behind."""
_CODE = (
    "calibration", "embedding", "encoder", "features", "learning", "learnt",
    "matching", "near_misses", "sounds", "text",
)  # fmt: skip

Arrays = dict[str, NDArray[Any]]


class LearntStore:
    """Folders of learnt knowledge, the best one first: the first that can be written to is written to.

    Whatever is wrong with a file in them, the knowledge is learnt anew.
    """

    def __init__(self, *folders: Path) -> None:
        self._folders = folders

    def load(self, key: str) -> Arrays | None:
        """What was kept under this key; None when there is nothing, or nothing that can be read."""
        for folder in self._folders:
            try:
                with np.load(folder / f"{key}.npz", allow_pickle=False) as kept:
                    return dict(kept)
            except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
                continue
        return None

    def keep(self, key: str, learnt: Mapping[str, NDArray[Any]]) -> None:
        """Writes it for the next start; where nothing can be written, that start takes its time, no more."""
        for folder in self._folders:
            try:
                _write(folder, key, learnt)
            except OSError:
                continue
            return

    @contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """Only one process at a time learns this; another waits here and finds it kept."""
        with ExitStack() as held:
            for folder in self._folders:
                try:
                    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                    lock = held.enter_context((folder / f"{key}.lock").open("w"))
                    fcntl.flock(lock, fcntl.LOCK_EX)
                except OSError:
                    continue
                held.callback((folder / f"{key}.lock").unlink, missing_ok=True)
                break
            yield


def _write(folder: Path, key: str, learnt: Mapping[str, NDArray[Any]]) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as file:
        np.savez(file, allow_pickle=False, **learnt)
    os.replace(file.name, folder / f"{key}.npz")
    kept = sorted(folder.glob("*.npz"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in kept[_KEPT:]:
        old.unlink(missing_ok=True)


def key_of(said: Sequence[Sequence[str]], lists: object, models: Sequence[str]) -> str:
    """Names exactly this knowledge, learnt by exactly this code with these word lists and these models."""
    digest = hashlib.sha256(json.dumps([said, lists, models]).encode())
    for name in _CODE:
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return digest.hexdigest()


def packed(names: Sequence[str]) -> NDArray[np.uint8]:
    """Texts without line breaks as one array that takes a byte for a byte."""
    return np.frombuffer("\n".join(names).encode("utf-8", "surrogatepass"), np.uint8)


def unpacked(kept: NDArray[Any]) -> list[str]:
    """What ``packed`` packed."""
    return kept.astype(np.uint8).tobytes().decode("utf-8", "surrogatepass").split("\n")
