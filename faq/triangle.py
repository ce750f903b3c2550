"""A large symmetric positive definite matrix and its Cholesky factor, of which only the lower half is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from faq.ngrams import Floats

Rows = Callable[[int, int], Floats]
"""Gives some rows of the matrix, from one number up to another, as far as the last one's place on the diagonal."""


class Triangle:
    """The Cholesky factor, block by block, half as precise as it is reckoned with: a quarter of the usual memory.

    ``borders``: where the blocks begin, and the size at the end. ``damping`` is added to the diagonal.
    """

    def __init__(self, rows: Rows, borders: Sequence[int], damping: float) -> None:
        self._spans = [slice(start, end) for start, end in pairwise(borders)]
        self._size = borders[-1]
        self._factor: list[NDArray[np.float16]] = []
        self._inverse: list[Floats] = []
        for span in self._spans:
            self._add(rows(span.start, span.stop), span, damping)

    def _add(self, own: Floats, span: slice, damping: float) -> None:
        """Factors the rows of one more block, from left to right."""
        for number, left in enumerate(self._spans[: len(self._factor)]):
            done = self._factor[number].astype(np.float32)
            own[:, left] -= own[:, : left.start] @ done[:, : left.start].T
            own[:, left] = own[:, left] @ self._inverse[number].T
        corner = own[:, span] - own[:, : span.start] @ own[:, : span.start].T
        corner[np.diag_indices_from(corner)] += damping
        self._inverse.append(np.tril(np.linalg.inv(np.linalg.cholesky(corner))).astype(np.float32))
        self._factor.append(own[:, : span.start].astype(np.float16))

    def solve(self, right: Floats) -> Floats:
        """The inverse of the matrix times ``right``."""
        half = right.astype(np.float32)
        blocks = list(zip(self._spans, self._factor, self._inverse, strict=True))
        for span, factor, inverse in blocks:
            half[span] = inverse @ (half[span] - factor.astype(np.float32) @ half[: span.start])
        for span, factor, inverse in reversed(blocks):
            half[span] = inverse.T @ half[span]
            half[: span.start] -= factor.astype(np.float32).T @ half[span]
        return half

    def corner(self, border: int) -> Floats:
        """The inverse of the factor from the row and column of this border on.

        Its columns' products with each other are the same part of the inverse of the matrix.
        """
        half = np.zeros((self._size - border, self._size - border), np.float32)
        for span, factor, inverse in zip(self._spans, self._factor, self._inverse, strict=True):
            if span.start < border:
                continue
            rows = slice(span.start - border, span.stop - border)
            left = factor[:, border:].astype(np.float32) @ half[: rows.start, : rows.start]
            half[rows, : rows.start] = -inverse @ left
            half[rows, rows] = inverse
        return half
