"""From likeness to probability: how sure we may be that an entry is the right one, or that none is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from faq.features import Floats

CANDIDATES = 8
"""Only the best few entries are weighed against each other and against "none of them"."""

_PULL, _FIRM_PULL = 2.0, 20.0
"""Of the defaults on each coefficient of the logit, and of the certainty, for knowledge too small to learn from."""
_STEPS = 30
_SMALL = 1e-6
_NONE, _SCORES = 4, 3
_GRID = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for each entry and against all of them, for one message.

    ``features`` has a column per entry: strength, cover and kinship, and what a sentence model says where there is one.
    ``known`` is the known share of the message, ``size`` its length in characters.
    """

    features: Floats
    known: float
    size: int

    def with_meaning(self, likeness: Floats) -> Evidence:
        """The same with what a sentence model says of each entry."""
        return Evidence(np.vstack((self.features, likeness)), self.known, self.size)

    def best(self, entries: int, among: NDArray[np.intp] | None = None) -> NDArray[np.intp]:
        """The numbers of the strongest of the first ``entries``, strongest first, at most ``CANDIDATES``.

        ``among`` some of them only.
        """
        weakness = -self.features[:, :entries].sum(axis=0)
        if among is None:
            among = np.arange(entries)
        if len(among) > CANDIDATES:
            among = among[np.argpartition(weakness[among], CANDIDATES - 1)[:CANDIDATES]]
        return among[np.lexsort((among, weakness[among]))]


@dataclass(frozen=True, slots=True)
class Observation:
    """Evidence whose right entry is known; ``right`` is None when no entry is right.

    It is for the phrasing ``number``, as if those in ``left_out`` had not been stored, or for a ``near_miss`` of it.
    """

    evidence: Evidence
    right: int | None
    weight: float
    number: int
    left_out: slice
    near_miss: str | None = None


_PRIOR = {
    1: (1.5, 0.0, 5.6, 5.0, -0.6, 0.0, 0.4),
    3: (1.2, 0.5, 6.0, 5.5, -0.6, 0.0, 0.0),
    10: (0.95, 4.0, 4.2, 6.8, -1.6, 0.0, 1.3),
}
"""By phrasings an entry: the coefficients of strength, cover and kinship, and of "none of them": constant, unknown
share, strength of chatter, shortness. Fitted on 10 times 28 entries drawn from the shipped knowledge, with 30 % of the
questions about others: what knowledge that is too small to learn it from itself may believe."""
_LESS_KINSHIP, _PRIOR_ENTRIES = 1.1, 28
"""Among more entries some are always akin: so much less does kinship count for each e-fold of them, down to half. As
``_PRIOR``, fitted on 90 and on 220 entries."""
_MEANING = 3.0
"""Coefficient of what a sentence model says."""
_SURENESS = np.array([0.1, 0.75, 0.1, 0.0, -0.8])
"""What the confidence keeps of the logit: constant, log-odds of the best, its lead, unknown share, shortness."""
_LIKELIER_RIGHT = 0.5
UNLEARNT_THRESHOLD = 0.82
"""From which confidence knowledge that nothing could be learnt from answers."""


class Calibration:
    """A conditional logit: each candidate and "none of them" have a score; probabilities are their soft maximum.

    How sure we may be of the best one is then corrected by what was borne out. ``wrong_above`` is the share of all
    traffic that would be answered wrongly from each hundredth of confidence on.
    """

    def __init__(
        self, coefficients: Floats, certainty: Floats = _SURENESS, wrong_above: Floats | None = None, entries: int = 0
    ) -> None:
        self.coefficients, self.certainty, self.wrong_above = coefficients, certainty, wrong_above
        self._entries = entries

    @classmethod
    def fit(cls, observations: Iterable[Observation], features: int, entries: int, phrasings: float) -> Calibration:
        """Maximum likelihood with a pull towards the defaults, by Newton's method: the same input, the same result.

        ``entries``: how many of the columns of evidence can be answers; one more is chatter. ``phrasings``: how many
        an entry has.
        """
        sample = _Sample.of(observations, entries)
        start = _defaults(features, entries, phrasings)
        if not len(sample.truths) or not sample.weights.sum():
            return cls(start, entries=entries)
        coefficients = _climb(sample, start, _PULL)
        likely = _soft_maximum(sample.rows @ coefficients)
        best = likely[:, :-1].argmax(axis=1)
        right = best == sample.truths
        inputs = np.array([_doubts(chances, rows[-1]) for chances, rows in zip(likely, sample.rows, strict=True)])
        certainty = _climb(_Yes(inputs, right, sample.weights), _SURENESS, _FIRM_PULL)
        sure = np.minimum(_sigmoid(inputs @ certainty), _shared(likely))
        wrong = [float(sample.weights[(sure >= step) & ~right].sum()) for step in _GRID]
        return cls(coefficients, certainty, np.array(wrong) / sample.weights.sum(), entries)

    def threshold(self, tolerated_wrong: float) -> float:
        """The lowest confidence from which on no larger share of all messages is answered wrongly.

        Never one at which an answer is likelier wrong than right.
        """
        if self.wrong_above is None:
            return UNLEARNT_THRESHOLD
        fit = np.flatnonzero((self.wrong_above <= tolerated_wrong) & (_GRID >= _LIKELIER_RIGHT))
        return float(_GRID[fit[0]]) if len(fit) else 1.0

    def probabilities(self, evidence: Evidence, candidates: NDArray[np.intp]) -> Floats:
        """The probability that each candidate is right; what is missing to 1 is the chance that none is."""
        rows = _rows(evidence, candidates, self._entries)
        likely = _soft_maximum(rows @ self.coefficients)
        best = int(likely[:-1].argmax())
        sure = min(float(_sigmoid(_doubts(likely, rows[-1]) @ self.certainty)), float(_shared(likely)))
        others = np.minimum(likely[:-1] * ((1 - sure) / max(1 - likely[best], 1e-9)), sure)
        others[best] = sure
        return others


class _Curve(Protocol):
    """Something to be climbed: a likelihood and its slope and curvature."""

    def likelihood(self, at: Floats) -> float: ...

    def bend(self, at: Floats) -> tuple[Floats, Floats]: ...


def _climb(curve: _Curve, start: Floats, pull: float) -> Floats:
    """The top of the likelihood, less a pull towards the start."""

    def height(at: Floats) -> float:
        return curve.likelihood(at) - pull * float((at - start) @ (at - start)) / 2

    place, reached = start, height(start)
    for _ in range(_STEPS):
        slope, bend = curve.bend(place)
        step = np.linalg.solve(bend + pull * np.eye(len(start)), slope - pull * (place - start))
        while (higher := height(place + step)) < reached and np.abs(step).max() > _SMALL:
            step = step / 2
        if np.abs(step).max() <= _SMALL:
            break
        place, reached = place + step, higher
    return place


@dataclass(frozen=True, slots=True)
class _Sample:
    """The inputs of all candidates of all observations, the place of the right one, and the weights."""

    rows: Floats
    truths: NDArray[np.intp]
    weights: Floats

    @classmethod
    def of(cls, observations: Iterable[Observation], entries: int) -> _Sample:
        rows, truths, weights = [], [], []
        for each in observations:
            best = each.evidence.best(entries)
            if len(best) == 0:
                continue
            found = np.flatnonzero(best == (-1 if each.right is None else each.right))
            filled = _rows(each.evidence, best, entries)
            missing = np.repeat(filled[:1], min(entries, CANDIDATES) - len(best), axis=0)
            rows.append(np.concatenate((filled[:-1], missing, filled[-1:])))
            truths.append(int(found[0]) if len(found) else len(best))
            weights.append(each.weight)
        return cls(np.array(rows), np.array(truths, np.intp), np.array(weights))

    def likelihood(self, at: Floats) -> float:
        likely = _soft_maximum(self.rows @ at)[np.arange(len(self.truths)), self.truths]
        return float(self.weights @ np.log(likely + 1e-12))

    def bend(self, at: Floats) -> tuple[Floats, Floats]:
        likely = _soft_maximum(self.rows @ at)
        mean = np.einsum("oc,ocf->of", likely, self.rows)
        right = self.rows[np.arange(len(self.truths)), self.truths]
        spread = self.rows - mean[:, None]
        weighed = spread * (self.weights[:, None] * likely)[:, :, None]
        return self.weights @ (right - mean), np.tensordot(weighed, spread, ((0, 1), (0, 1)))


@dataclass(frozen=True, slots=True)
class _Yes:
    """Whether the best candidate was right, and what there was to doubt it."""

    inputs: Floats
    right: NDArray[np.bool_]
    weights: Floats

    def likelihood(self, at: Floats) -> float:
        chance = _sigmoid(self.inputs @ at)
        return float(self.weights @ np.log(np.where(self.right, chance, 1 - chance) + 1e-12))

    def bend(self, at: Floats) -> tuple[Floats, Floats]:
        chance = _sigmoid(self.inputs @ at)
        weighed = self.inputs * (self.weights * chance * (1 - chance))[:, None]
        return (self.weights * (self.right - chance)) @ self.inputs, weighed.T @ self.inputs


def _defaults(features: int, entries: int, phrasings: float) -> Floats:
    nearest = min(_PRIOR, key=lambda known: abs(np.log(known / phrasings)))
    strength, cover, kinship, *none = _PRIOR[nearest]
    less = _LESS_KINSHIP * max(float(np.log(entries / _PRIOR_ENTRIES)), 0.0)
    return np.array((strength, cover, max(kinship - less, kinship / 2), *(_MEANING,) * (features - _SCORES), *none))


def _doubts(likely: Floats, none: Floats) -> Floats:
    """Constant, log-odds of the best candidate, its lead over the second, unknown share, shortness."""
    ordered = np.sort(likely[:-1])[::-1]
    best, second = float(ordered[0]), float(ordered[1]) if len(ordered) > 1 else 0.0
    odds = np.log((best + 1e-9) / (1 - best + 1e-9))
    return np.array((1.0, odds, np.log((best + 1e-3) / (second + 1e-3)) - 3.0, none[-3], none[-1]))


def _shared(likely: Floats) -> Floats:
    """What the best candidate can be given at most, because the second has its part."""
    ordered = np.sort(likely[..., :-1], axis=-1)
    second = ordered[..., -2] if ordered.shape[-1] > 1 else 0.0
    return np.asarray(ordered[..., -1] / (ordered[..., -1] + second + 1e-12))


def _rows(evidence: Evidence, candidates: NDArray[np.intp], entries: int) -> Floats:
    """One row of inputs per candidate, and a last one for "none of them"."""
    features = evidence.features
    rows = np.zeros((len(candidates) + 1, len(features) + _NONE))
    rows[:-1, : len(features)] = features[:, candidates].T
    chatter = float(features[0, entries]) if features.shape[1] > entries else 0.0
    rows[-1, len(features) :] = 1.0, 1.0 - evidence.known, chatter, 1.0 / max(evidence.size, 1)
    return rows


def _soft_maximum(scores: Floats) -> Floats:
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def _sigmoid(score: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-score)))
