"""Which entry a message means, and how sure we may be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from faq.calibration import Calibration, Evidence, Observation
from faq.embedding import Meaning, SentenceModel
from faq.knowledge import Knowledge
from faq.learning import (
    LEARNT_ENTRIES,
    LEARNT_UP_TO,
    Lesson,
    Nearest,
    Taught,
    left_out,
)
from faq.learnt import Arrays, LearntStore, key_of, packed, unpacked
from faq.ngrams import Postings, Vocabulary
from faq.sounds import sounds_of, spelt
from faq.text import Speech

SHOWN = 4
"""How many entries a match names."""


@dataclass(frozen=True, slots=True)
class Match:
    """An entry and the probability (0–1) that it is the right one."""

    entry_id: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Mind:
    """What one knowledge taught: how to read words, where evidence comes from, and how far to trust it."""

    vocabulary: Vocabulary
    source: Taught | Nearest
    calibration: Calibration
    meaning: Meaning | None = None

    def evidence(self, words: str) -> Evidence:
        """What speaks for each entry, for one normalised text."""
        evidence = self.source.evidence(self.vocabulary.weigh(words))
        return evidence if self.meaning is None else evidence.with_meaning(self.meaning.likeness(words))


class Matcher:
    """Compares messages with one snapshot of the knowledge.

    ``chatter`` holds everyday lines that no entry answers; ``learnt`` keeps what learning found for the next start.
    ``model`` is a sentence model that the operator supplies; without one, characters and sounds decide.
    Nothing changes after construction, so one matcher serves all threads.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        speech: Speech | None = None,
        chatter: Iterable[str] = (),
        learnt: LearntStore | None = None,
        model: SentenceModel | None = None,
    ) -> None:
        self._entries = knowledge.entries
        self._speech = speech or Speech()
        self._serving = self._numbers_by_community()
        self._mind = self._learn(chatter, learnt, model) if self._entries else None

    def match(self, text: str, community: str | None = None) -> list[Match]:
        """The best entries for a message, best first, at most ``SHOWN``; empty only without words or knowledge.

        Entries that are bound to other communities than the given one are left out.
        """
        words = self._speech.normalise(text)
        if not words or self._mind is None:
            return []
        mind = self._mind
        evidence = mind.evidence(words)
        candidates = evidence.best(len(self._entries), self._serving.get(community, self._serving[None]))
        if not len(candidates):
            return []
        chances = zip(mind.calibration.probabilities(evidence, candidates).tolist(), candidates.tolist(), strict=True)
        best = sorted(chances, key=itemgetter(0), reverse=True)[:SHOWN]
        return [Match(self._entries[number].id, chance) for chance, number in best]

    def threshold(self, tolerated_wrong: float) -> float:
        """The confidence from which on at most this share of all messages would be answered wrongly (0–1)."""
        return self._mind.calibration.threshold(tolerated_wrong) if self._mind else 1.0

    def _learn(self, chatter: Iterable[str], learnt: LearntStore | None, model: SentenceModel | None) -> Mind:
        texts, owners = self._phrasings(chatter)
        key = key_of(texts, owners, len(self._entries), model.key if model else "")
        if learnt and (kept := learnt.load(key)) and (mind := _recalled(kept, owners, len(self._entries), model)):
            return mind
        mind, kept = _taught(texts, owners, len(self._entries), model)
        if learnt:
            learnt.keep(key, kept)
        return mind

    def _phrasings(self, chatter: Iterable[str]) -> tuple[list[str], list[int]]:
        """What is learnt from, and the number of the entry of each; chatter comes last, as one entry more."""
        said = [[self._speech.normalise(phrasing) for phrasing in entry.phrasings] for entry in self._entries]
        said.append([words for line in chatter if (words := self._speech.normalise(line))])
        said = [list(dict.fromkeys(own)) for own in said]
        if len(said) <= LEARNT_ENTRIES:
            most = _most_each(list(map(len, said)))
            said = [own[:most] for own in said]
        owners = [number for number, own in enumerate(said) for _ in own]
        return list(chain.from_iterable(said)), owners

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


def _most_each(sizes: Sequence[int]) -> int:
    """How many phrasings of each entry can be learnt from."""
    most = max(sizes)
    while most > 1 and sum(min(size, most) for size in sizes) > LEARNT_UP_TO:
        most -= 1
    return most


def _taught(
    texts: Sequence[str], owners: Sequence[int], entries: int, model: SentenceModel | None
) -> tuple[Mind, Arrays]:
    """Learns, and says what to keep of it."""
    signs = spelt()
    vocabulary = Vocabulary.of(texts, owners, sounds_of(signs))
    weighed = [vocabulary.weigh(text) for text in texts]
    postings = Postings.of(weighed, len(vocabulary.names))
    numbers = np.array(owners, np.int32)
    chatter = entries if owners[-1] == entries else None
    kept: Arrays = {
        "signs": packed(signs), "names": packed(vocabulary.names), "weights": vocabulary.weights,
        "unseen": np.array(vocabulary.unseen),
    }  # fmt: skip
    source: Taught | Nearest
    if entries < LEARNT_ENTRIES:
        lesson = Lesson(weighed, postings, numbers, chatter)
        source, observed = lesson.taught, lesson.observations()
        kept |= {"rows": source.rows, "factors": source.factors, "strength": source.strength, "held": source.held}
    else:
        source = Nearest(postings, numbers)
        observed = left_out(source, weighed, chatter)
        kept |= {"ends": postings.ends, "phrasings": postings.rows, "parts": postings.parts}
    meaning = Meaning(model, model.vectors(texts), numbers) if model else None
    if meaning:
        kept["vectors"] = meaning.vectors
        observed = _with_meaning(observed, meaning)
    calibration = Calibration.fit(observed, 3 if meaning else 2, entries)
    kept |= {"coefficients": calibration.coefficients, "certainty": calibration.certainty}
    if calibration.wrong_above is not None:
        kept["wrong_above"] = calibration.wrong_above
    return Mind(vocabulary, source, calibration, meaning), kept


def _with_meaning(observed: Iterable[Observation], meaning: Meaning) -> Iterator[Observation]:
    for each in observed:
        likeness = meaning.likeness_without(each.number, each.left_out)
        yield replace(each, evidence=each.evidence.with_meaning(likeness))


def _recalled(kept: Arrays, owners: Sequence[int], entries: int, model: SentenceModel | None) -> Mind | None:
    """What was learnt before; None when the file lacks something."""
    try:
        signs = "".join(unpacked(kept["signs"]))
        vocabulary = Vocabulary(unpacked(kept["names"]), kept["weights"], float(kept["unseen"]), sounds_of(signs))
        source: Taught | Nearest
        if "strength" in kept:
            source = Taught(kept["rows"], kept["factors"], kept["strength"], kept["held"])
        else:
            postings = Postings(kept["ends"], kept["phrasings"], kept["parts"], len(owners))
            source = Nearest(postings, np.array(owners, np.int32))
        calibration = Calibration(kept["coefficients"], kept["certainty"], kept.get("wrong_above"), entries)
        meaning = Meaning(model, kept["vectors"], np.array(owners, np.int32)) if model else None
        return Mind(vocabulary, source, calibration, meaning)
    except KeyError:
        return None
