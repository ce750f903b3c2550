"""Which entry a message means, and how sure we may be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from faq.calibration import Calibration
from faq.knowledge import Knowledge
from faq.learning import LEARNT_UP_TO, Lesson, Nearest, Taught
from faq.learnt import Learnt, LearntStore, key_of
from faq.ngrams import PhrasingIndex
from faq.text import Speech

SHOWN = 4
"""How many entries a match names."""


@dataclass(frozen=True, slots=True)
class Match:
    """An entry and the probability (0–1) that it is the right one."""

    entry_id: str
    confidence: float


class Matcher:
    """Compares messages with one snapshot of the knowledge.

    ``chatter`` holds everyday lines that no entry answers; ``learnt`` keeps what learning found for the next start.
    Nothing changes after construction, so one matcher serves all threads.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        speech: Speech | None = None,
        chatter: Iterable[str] = (),
        learnt: LearntStore | None = None,
    ) -> None:
        self._learnt = learnt
        self._entries = knowledge.entries
        self._speech = speech or Speech()
        self._serving = self._numbers_by_community()
        self._calibration = Calibration()
        self._source = self._learn([words for line in chatter if (words := self._speech.normalise(line))])

    def match(self, text: str, community: str | None = None) -> list[Match]:
        """The best entries for a message, best first, at most ``SHOWN``; empty only without words or knowledge.

        Entries that are bound to other communities than the given one are left out.
        """
        words = self._speech.normalise(text)
        if not words or self._source is None:
            return []
        evidence = self._source.evidence(words)
        candidates = evidence.best(among=self._serving.get(community, self._serving[None]))
        chances = zip(self._calibration.probabilities(evidence, candidates).tolist(), candidates.tolist(), strict=True)
        best = sorted(chances, key=itemgetter(0), reverse=True)[:SHOWN]
        return [Match(self._entries[number].id, chance) for chance, number in best]

    def _phrasings(self) -> tuple[list[str], list[int]]:
        texts: list[str] = []
        owners: list[int] = []
        for number, entry in enumerate(self._entries):
            own = list(dict.fromkeys(map(self._speech.normalise, entry.phrasings)))
            texts += own
            owners += [number] * len(own)
        return texts, owners

    def _learn(self, chatter: Sequence[str]) -> Nearest | Taught | None:
        """Where the evidence comes from; None without knowledge. Fits the calibration when there is not too much."""
        texts, owners = self._phrasings()
        if not texts:
            return None
        index = PhrasingIndex(texts, owners)
        if len(texts) > LEARNT_UP_TO:
            return Nearest(index)
        key = key_of(texts, owners, chatter)
        if self._learnt and (kept := self._learnt.load(key)):
            self._calibration = Calibration(kept.coefficients, kept.trust)
            return Taught(index, kept.shares)
        lesson = Lesson(index, texts)
        taught = Taught(index, lesson.shares)
        self._calibration = Calibration.fit(lesson.observations(map(taught.evidence, chatter)))
        if self._learnt:
            found = Learnt(lesson.shares, self._calibration.coefficients, self._calibration.trust)
            self._learnt.keep(key, found)
        return taught

    def _numbers_by_community(self) -> dict[str | None, NDArray[np.intp] | None]:
        """The numbers of the entries that hold in each community that has its own; None: in all others."""
        named = {community for entry in self._entries for community in entry.communities}
        if not named:
            return {None: None}
        return {
            community: np.array(
                [number for number, entry in enumerate(self._entries) if entry.serves(community)], np.intp
            )
            for community in (None, *named)
        }
