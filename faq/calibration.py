"""From likeness to probability: how sure we may be that an entry is the right one, or that none is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faq.ngrams import Floats

CANDIDATES = 8
"""Only the best few entries are weighed against each other and against "none of them"."""

_PULL = 2.0
"""Of the defaults on each coefficient, for knowledge too small to learn from."""
_STEPS = 30
_SMALL = 1e-6


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for each entry and against all of them, for one message.

    ``features`` has a column per entry: strength and cover. ``known`` is the known share of the message.
    """

    features: Floats
    known: float

    def best(self, among: NDArray[np.intp] | None = None) -> NDArray[np.intp]:
        """The numbers of the strongest entries, strongest first, at most ``CANDIDATES``; of all, or ``among`` some."""
        weakness = -self.features.sum(axis=0)
        if among is None:
            return weakness.argsort(kind="stable")[:CANDIDATES]
        return among[weakness[among].argsort(kind="stable")[:CANDIDATES]]


@dataclass(frozen=True, slots=True)
class Observation:
    """Evidence whose right entry is known; ``right`` is None when no entry is right."""

    evidence: Evidence
    right: int | None
    weight: float


DEFAULTS = np.array([9.8, 2.8, 3.2, 1.0])
"""Coefficients of strength and cover, and of "none": constant and unknown share.

Fitted on the shipped knowledge."""

TRUST = 0.75
"""How much of its own certainty the logit keeps: 1 all of it, 0 none. Fitted on the shipped knowledge."""
_TRUSTS = [step / 20 for step in range(6, 31)]


class Calibration:
    """A conditional logit: each candidate and "none of them" have a score; probabilities are their soft maximum."""

    def __init__(self, coefficients: Floats = DEFAULTS, trust: float = TRUST) -> None:
        self.coefficients, self.trust = coefficients, trust

    @classmethod
    def fit(cls, observations: Iterable[Observation]) -> Calibration:
        """Maximum likelihood with a pull towards the defaults, by Newton's method: the same input, the same result."""
        sample = _Sample.of(observations)
        if not len(sample.truths):
            return cls()
        coefficients, likelihood = DEFAULTS, sample.likelihood(DEFAULTS)
        for _ in range(_STEPS):
            step = sample.newton_step(coefficients)
            while (better := sample.likelihood(coefficients + step)) < likelihood and np.abs(step).max() > _SMALL:
                step = step / 2
            if np.abs(step).max() <= _SMALL:
                break
            coefficients, likelihood = coefficients + step, better
        return cls(coefficients, sample.trust(coefficients))

    def probabilities(self, evidence: Evidence, candidates: NDArray[np.intp]) -> Floats:
        """The probability that each candidate is right; what is missing to 1 is the chance that none is."""
        return _tempered(_soft_maximum(_rows(evidence, candidates) @ self.coefficients), self.trust)[:-1]


@dataclass(frozen=True, slots=True)
class _Sample:
    """The inputs of all candidates of all observations, the place of the right one, and the weights."""

    rows: Floats
    truths: NDArray[np.intp]
    weights: Floats

    @classmethod
    def of(cls, observations: Iterable[Observation]) -> _Sample:
        rows, truths, weights = [], [], []
        for each in observations:
            best = each.evidence.best()
            found = np.flatnonzero(best == (-1 if each.right is None else each.right))
            rows.append(_rows(each.evidence, best))
            truths.append(int(found[0]) if len(found) else len(best))
            weights.append(each.weight)
        return cls(np.array(rows), np.array(truths, np.intp), np.array(weights))

    def likelihood(self, coefficients: Floats) -> float:
        """The logarithm of the likelihood, less the pull towards the defaults."""
        likely = _soft_maximum(self.rows @ coefficients)[np.arange(len(self.truths)), self.truths]
        away = coefficients - DEFAULTS
        return float(self.weights @ np.log(likely + 1e-12) - _PULL * (away @ away) / 2)

    def newton_step(self, coefficients: Floats) -> Floats:
        """The way to the top of the parabola that fits the likelihood here."""
        likely = _soft_maximum(self.rows @ coefficients)
        mean = np.einsum("oc,ocf->of", likely, self.rows)
        right = self.rows[np.arange(len(self.truths)), self.truths]
        slope = self.weights @ (right - mean) - _PULL * (coefficients - DEFAULTS)
        spread = self.rows - mean[:, None]
        curve = np.einsum("oc,ocf,ocg->fg", self.weights[:, None] * likely, spread, spread) + _PULL * np.eye(
            len(DEFAULTS)
        )
        return np.asarray(np.linalg.solve(curve, slope))

    def trust(self, coefficients: Floats) -> float:
        """How much certainty about the best candidate is borne out here."""
        likely = _soft_maximum(self.rows @ coefficients)
        best = likely[:, :-1].argmax(axis=1)
        right = best == self.truths
        odds = likely[np.arange(len(best)), best]

        def borne_out(trust: float) -> float:
            chance = _tempered(odds, trust)
            return float(self.weights @ np.log(np.where(right, chance, 1 - chance) + 1e-12))

        return max(_TRUSTS, key=borne_out)


def _tempered(chance: Floats, trust: float) -> Floats:
    """Moves probabilities towards one half (trust below 1) or away from it."""
    raised, other = chance**trust, (1 - chance) ** trust
    return np.asarray(raised / (raised + other))


def _rows(evidence: Evidence, candidates: NDArray[np.intp]) -> Floats:
    """One row of inputs per candidate, and a last one for "none of them"."""
    rows = np.zeros((len(candidates) + 1, len(DEFAULTS)))
    rows[:-1, :2] = evidence.features[:, candidates].T
    rows[-1, 2:] = 1.0, 1.0 - evidence.known
    return rows


def _soft_maximum(scores: Floats) -> Floats:
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))
