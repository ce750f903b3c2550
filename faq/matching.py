"""Which entry a message means, and how sure we may be."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from faq.calibration import Calibration, Evidence, Observation
from faq.embedding import Meaning, SentenceModel
from faq.encoder import shipped_encoder
from faq.features import Anatomy, Lexicon, Postings, Vocabulary, Weighed
from faq.knowledge import Knowledge
from faq.learning import LEARNT_CELLS, LEARNT_ENTRIES, Lesson, Nearest, NearMiss, Taught, left_out
from faq.learnt import Arrays, LearntStore, key_of, packed, unpacked
from faq.near_misses import NearMisses
from faq.sounds import sounds_of, spelt
from faq.text import Speech

SHOWN = 4
"""How many entries a match names."""
_WORDLESS = "\ufffc"
"""What is stored of an entry without words ("？？"); no normalised message holds it."""
_VERBATIM = 0.97
"""Who says word for word what is stored for one entry only means that one."""


@dataclass(frozen=True, slots=True)
class Match:
    """An entry and the probability (0–1) that it is the right one."""

    entry_id: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Mind:
    """What one knowledge taught: how to read words, where evidence comes from, and how far to trust it.

    ``said``: the number of the entry that alone has a phrasing.
    """

    vocabulary: Vocabulary
    source: Taught | Nearest
    calibration: Calibration
    said: Mapping[str, int]
    meaning: Meaning | None = None

    def evidence(self, words: str) -> Evidence:
        """What speaks for each entry, for one normalised text."""
        evidence = self.source.evidence(self.vocabulary.weigh(words))
        return evidence if self.meaning is None else evidence.with_meaning(self.meaning.likeness(words))


class Matcher:
    """Compares messages with one snapshot of the knowledge.

    ``chatter`` holds everyday lines that no entry answers; ``learnt`` keeps what learning found for the next start.
    ``model`` is a sentence model that the operator supplies; without one, characters and sounds decide.
    ``ranks_only``: which entry is nearest is all that is asked; how sure one may be is not learnt, which takes longest.
    Nothing changes after construction, so one matcher serves all threads.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        speech: Speech | None = None,
        chatter: Iterable[str] = (),
        learnt: LearntStore | None = None,
        model: SentenceModel | None = None,
        ranks_only: bool = False,
    ) -> None:
        self._entries = knowledge.entries
        self._ranks_only = ranks_only
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
        chances = mind.calibration.probabilities(evidence, candidates)
        verbatim = candidates == mind.said.get(words, -1)
        if verbatim.any() and chances[verbatim][0] < _VERBATIM:
            chances = np.where(verbatim, _VERBATIM, chances * (1 - _VERBATIM))
        best = sorted(zip(chances.tolist(), candidates.tolist(), strict=True), key=itemgetter(0), reverse=True)[:SHOWN]
        return [Match(self._entries[number].id, chance) for chance, number in best]

    def threshold(self, tolerated_wrong: float) -> float:
        """The confidence from which on at most this share of all messages would be answered wrongly (0–1)."""
        return self._mind.calibration.threshold(tolerated_wrong) if self._mind else 1.0

    def _learn(self, chatter: Iterable[str], learnt: LearntStore | None, model: SentenceModel | None) -> Mind:
        said = [entry.phrasings for entry in self._entries]
        said.append((*chatter, *_bare_names(self._speech.sorts)))
        lexicons = Lexicon(self._speech.concepts), Lexicon(self._speech.sorts)
        if learnt is None:
            return self._taught(said, lexicons, model)[0]
        key = key_of(said, self._speech.lists, [shipped_encoder().key, model.key if model else ""])
        if mind := _recalled(learnt.load(key), lexicons, model):
            return mind
        with learnt.alone(key):
            if mind := _recalled(learnt.load(key), lexicons, model):  # another process has learnt it meanwhile
                return mind
            mind, kept = self._taught(said, lexicons, model)
            learnt.keep(key, kept)
        return mind

    def _taught(
        self, said: Sequence[Sequence[str]], lexicons: tuple[Lexicon, Lexicon], model: SentenceModel | None
    ) -> tuple[Mind, Arrays]:
        """Learns from what is said of each entry and, last, of none; and says what to keep of it."""
        normalised = [[words for line in own if (words := self._speech.normalise(line))] for own in said]
        normalised[:-1] = [own or [_WORDLESS] for own in normalised[:-1]]
        normalised = [list(dict.fromkeys(own)) for own in normalised]
        owners = [number for number, own in enumerate(normalised) for _ in own]
        texts = list(chain.from_iterable(normalised))
        return _taught(texts, owners, len(self._entries), lexicons, model, self._ranks_only)

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


def _taught(
    texts: Sequence[str], owners: Sequence[int], entries: int, lexicons: tuple[Lexicon, Lexicon],
    model: SentenceModel | None, ranks_only: bool,
) -> tuple[Mind, Arrays]:  # fmt: skip
    """Learns, and says what to keep of it."""
    signs = spelt()
    few = entries < LEARNT_ENTRIES
    most = LEARNT_CELLS // (entries + 1) if few else sys.maxsize
    vocabulary, weighed = Vocabulary.of(texts, owners, Anatomy(*lexicons, sounds_of(signs)), shipped_encoder(), most)
    numbers = np.array(owners, np.int32)
    chatter = entries if owners[-1] == entries else None
    kept: Arrays = {
        "entries": np.array(entries), "owners": numbers,
        "signs": packed(signs), "names": packed(vocabulary.names), "weights": vocabulary.weights,
        "unseen": np.array(vocabulary.unseen), "texts": packed(texts),
    }  # fmt: skip
    source: Taught | Nearest
    observed: list[Observation] = []
    if few:
        lesson = Lesson(weighed, numbers, len(vocabulary.names), chatter)
        if not ranks_only:
            observed = list(lesson.observations(_near_misses(texts, owners, lexicons[1], vocabulary)))
        learnt = lesson.taught()
        source = Taught(learnt.strength.astype(np.float16), learnt.held, learnt.leaning, learnt.middle)
        kept |= {
            "strength": source.strength, "held": source.held, "leaning": source.leaning, "middle": source.middle,
        }  # fmt: skip
    else:
        postings = Postings.of(weighed, len(vocabulary.names))
        source = Nearest(postings, numbers, np.array([each.gist for each in weighed]))
        if not ranks_only:
            near_miss = _near_misses(texts, owners, lexicons[1], vocabulary)
            observed = list(left_out(source, weighed, near_miss, chatter))
        kept |= {"ends": postings.ends, "phrasings": postings.rows, "shares": postings.shares, "gists": source.gists}
    meaning = Meaning(model, model.vectors(texts), numbers) if model else None
    if meaning:
        kept["vectors"] = meaning.vectors
        observed = list(_with_meaning(observed, meaning))
    phrasings = float(np.median(np.bincount(numbers, minlength=entries)[:entries])) or 1.0
    calibration = Calibration.fit(observed, 4 if meaning else 3, entries, phrasings)
    kept |= {"coefficients": calibration.coefficients, "certainty": calibration.certainty}
    if calibration.wrong_above is not None:
        kept["wrong_above"] = calibration.wrong_above
    return Mind(vocabulary, source, calibration, _said_of_one(texts, owners, entries), meaning), kept


def _near_misses(texts: Sequence[str], owners: Sequence[int], goods: Lexicon, vocabulary: Vocabulary) -> NearMiss:
    made_of = NearMisses(texts, owners, goods.meanings)

    def near_miss(number: int) -> tuple[str, Weighed] | None:
        return (made, vocabulary.weigh(made)) if (made := made_of.of(number)) else None

    return near_miss


def _said_of_one(texts: Sequence[str], owners: Sequence[int], entries: int) -> dict[str, int]:
    """The phrasings that one entry alone has, and its number; lines that no entry answers are nobody's."""
    owner_of: dict[str, int] = {}
    for text, owner in zip(texts, owners, strict=True):
        owner_of[text] = owner if owner_of.get(text, owner) == owner < entries else -1
    return owner_of


def _with_meaning(observed: Iterable[Observation], meaning: Meaning) -> Iterator[Observation]:
    for each in observed:
        likeness = meaning.likeness_without(each.near_miss or each.number, each.left_out)
        yield replace(each, evidence=each.evidence.with_meaning(likeness))


def _recalled(kept: Arrays | None, lexicons: tuple[Lexicon, Lexicon], model: SentenceModel | None) -> Mind | None:
    """What was learnt before; None when there is nothing or the file lacks something."""
    if kept is None:
        return None
    try:
        owners = kept["owners"]
        anatomy = Anatomy(*lexicons, sounds_of("".join(unpacked(kept["signs"]))))
        names, unseen = unpacked(kept["names"]), float(kept["unseen"])
        vocabulary = Vocabulary(names, kept["weights"], unseen, anatomy, shipped_encoder())
        source: Taught | Nearest
        if "strength" in kept:
            source = Taught(kept["strength"], kept["held"], kept["leaning"], kept["middle"])
        else:
            postings = Postings(kept["ends"], kept["phrasings"], kept["shares"], len(owners))
            source = Nearest(postings, owners, kept["gists"])
        wrong_above, entries = kept.get("wrong_above"), int(kept["entries"])
        calibration = Calibration(kept["coefficients"], kept["certainty"], wrong_above, entries)
        meaning = Meaning(model, kept["vectors"], owners) if model else None
        said = _said_of_one(unpacked(kept["texts"]), owners.tolist(), entries)
        return Mind(vocabulary, source, calibration, said, meaning)
    except KeyError:
        return None


def _bare_names(sorts: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Some products of each sort by their name alone, which does not say what is wanted."""
    for products in sorts.values():
        yield from products[:4]
        yield from (f"那{product}" for product in products[4:7])
