"""A port for a sentence model that the operator supplies: a folder with ``model.onnx`` and ``tokenizer.json``.

Off unless ``sentence_model`` in ``understanding.yaml`` names such a folder. What the model finds alike becomes one
more feature beside the characters and sounds, and how far to trust it is learnt from the knowledge like all else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from config.errors import ConfigError
from faq.features import Floats

_BATCH = 32
_LONGEST = 64
"""Tokens that are read of a text."""
_FILES = ("model.onnx", "tokenizer.json")


class SentenceModel:
    """Turns texts into vectors of length 1, in the middle of what the model says of their tokens."""

    def __init__(self, folder: Path) -> None:
        """Opens the model on one core. Raises ConfigError when the folder or the optional libraries are missing."""
        for name in _FILES:
            if not (folder / name).is_file():
                raise ConfigError(
                    f"sentence_model names {folder}, which holds no {name}",
                    f"put {' and '.join(_FILES)} there, or take sentence_model away",
                )
        try:
            from onnxruntime import InferenceSession, SessionOptions
            from tokenizers import Tokenizer
        except ImportError as error:
            raise ConfigError(
                f"sentence_model is set, but {error.name} is not installed",
                "run pip install -r requirements-embedding.txt, or take sentence_model away",
            ) from None
        options = SessionOptions()
        options.intra_op_num_threads = 1
        try:
            self._session = InferenceSession(folder / _FILES[0], options, providers=["CPUExecutionProvider"])
            self._tokenizer = Tokenizer.from_file(str(folder / _FILES[1]))
        except Exception as error:  # both libraries raise bare kinds of their own
            raise ConfigError(f"the model in {folder} cannot be opened: {error}", "supply it again") from error
        self._tokenizer.enable_truncation(_LONGEST)
        self._tokenizer.enable_padding()
        self._inputs = {given.name for given in self._session.get_inputs()}
        try:
            self.vectors(["你好"])
        except Exception as error:  # whatever a stranger's model may raise
            raise ConfigError(
                f"the model in {folder} turns no text into a vector: {error}", "supply one for sentences"
            ) from error
        digest = hashlib.sha256()
        for name in _FILES:
            digest.update((folder / name).read_bytes())
        self.key = digest.hexdigest()
        """Names exactly this model."""

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row per text."""
        parts = [self._batch(texts[start : start + _BATCH]) for start in range(0, len(texts), _BATCH)]
        return np.concatenate(parts)

    def _batch(self, texts: Sequence[str]) -> NDArray[np.float32]:
        read = self._tokenizer.encode_batch(list(texts))
        mask = np.array([each.attention_mask for each in read], np.int64)
        given: dict[str, Any] = {
            "input_ids": np.array([each.ids for each in read], np.int64),
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(mask),
        }
        said = self._session.run(None, {name: value for name, value in given.items() if name in self._inputs})[0]
        spread = (said * mask[:, :, None]).sum(axis=1) if said.ndim == 3 else said
        lengths = np.linalg.norm(spread, axis=1, keepdims=True)
        return np.asarray(spread / np.maximum(lengths, 1e-9), np.float32)


class Meaning:
    """The vectors of the stored phrasings."""

    def __init__(self, model: SentenceModel, vectors: NDArray[np.float32], owners: NDArray[np.int32]) -> None:
        self._model, self.vectors = model, vectors
        self._starts = np.flatnonzero(np.diff(owners, prepend=-1))

    def likeness(self, text: str) -> Floats:
        """For each entry how near its nearest phrasing comes, from -1 to 1."""
        return self._nearest(self.vectors @ self._model.vectors([text])[0])

    def likeness_without(self, phrasing: int | str, left_out: slice) -> Floats:
        """The same for a stored phrasing (by number) or another text, as if some phrasings had not been stored."""
        asked = self.vectors[phrasing] if isinstance(phrasing, int) else self._model.vectors([phrasing])[0]
        likeness = self.vectors @ asked
        likeness[left_out] = -1.0
        return self._nearest(likeness)

    def _nearest(self, likeness: Floats) -> Floats:
        return np.asarray(np.maximum.reduceat(likeness, self._starts), np.float64)
