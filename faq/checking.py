"""What can be loaded and still is not good: mistakes in single entries, and entries that get in each other's way."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from faq.knowledge import Entry, Knowledge
from faq.matching import Matcher
from faq.references import missing_of
from faq.text import Speech, plain

FEWEST_PHRASINGS = 3
LONGEST_ANSWER = 150
"""Characters; longer texts are not read on a phone."""
LONGEST_ELDER = 60
ELDER_FROM = 40
"""An answer longer than this needs a short form for elderly residents."""

_FOLDS = 4
_FEWEST_STOLEN = 3
_STOLEN_SHARE = 0.2
"""An entry that loses so many of its questions to one other is hard to reach."""

_SMALL_WORDS = re.compile("请问|一下|可不可以|能不能|[的了吗呢啊呀吧嘛么哦噢哈啦我你您们俺咱就还都会能可以]")
"""What may be put in or left out without asking something else."""
_SHORTEST_CORE = 4

_GLUED = re.compile("[|;；]|##")
"""What other tools put between the phrasings of one cell."""
_LONGEST_PHRASING = 60

Finding = tuple[Entry, str]


@dataclass(frozen=True, slots=True)
class Known:
    """What entries may refer to: the policy's figures, skills, and communities (None: not known, so not checked)."""

    figures: Collection[str]
    skills: Collection[str]
    communities: Collection[str] | None = None


def place_of(entry: Entry) -> str:
    """Where an entry stands, as editors understand it."""
    return f"{entry.file}:{entry.line}" if entry.file else "approved with ./qunda faq gaps"


def findings_in(knowledge: Knowledge, speech: Speech, known: Known) -> Iterator[Finding]:
    """Every entry that needs a look, and why; without what takes long."""
    for entry in knowledge.written:
        findings = (*_of_phrasings(entry), *_of_forms(entry), *_of_references(entry, known))
        yield from ((entry, finding) for finding in findings)
    yield from _said_twice(knowledge, speech)
    yield from _nearly_said_twice(knowledge, speech)


@dataclass(frozen=True, slots=True)
class Theft:
    """Phrasings of one entry that find another when they are not stored, as a resident's new words would."""

    entry: Entry
    thief: Entry
    phrasings: tuple[str, ...]


def thefts_in(knowledge: Knowledge, matcher_of: Callable[[Knowledge], Matcher]) -> list[Theft]:
    """Pairs of entries that steal each other's questions, the worst first.

    Cross-validation: a quarter of the phrasings is left out and asked of a matcher that ``matcher_of`` makes of the
    rest, four times, so this takes four times as long as loading.
    """
    stolen: dict[tuple[str, str], list[str]] = defaultdict(list)
    for fold in range(_FOLDS):
        matcher = matcher_of(Knowledge(_without_fold(knowledge.entries, fold)))
        for entry in knowledge.entries:
            for phrasing in _in_fold(entry, fold):
                matches = matcher.match(phrasing, next(iter(entry.communities), None))
                if matches and matches[0].entry_id != entry.id:
                    stolen[entry.id, matches[0].entry_id].append(phrasing)
    thefts = [Theft(knowledge[loser], knowledge[thief], tuple(lost)) for (loser, thief), lost in stolen.items()]
    serious = [each for each in thefts if len(each.phrasings) >= _fewest(each.entry)]
    return sorted(serious, key=lambda each: (-len(each.phrasings) / len(each.entry.phrasings), each.entry.id))


def _fewest(entry: Entry) -> float:
    return max(_FEWEST_STOLEN, _STOLEN_SHARE * len(entry.phrasings))


def _in_fold(entry: Entry, fold: int) -> Sequence[str]:
    return entry.phrasings[fold::_FOLDS] if len(entry.phrasings) > _FOLDS else ()


def _without_fold(entries: Iterable[Entry], fold: int) -> Iterator[Entry]:
    for entry in entries:
        left_out = set(_in_fold(entry, fold))
        question, *variants = [phrasing for phrasing in entry.phrasings if phrasing not in left_out] or entry.phrasings
        yield replace(entry, question=question, variants=tuple(variants))


def _of_phrasings(entry: Entry) -> Iterator[str]:
    phrasings = Counter(entry.phrasings)
    if len(phrasings) < FEWEST_PHRASINGS and "@" not in entry.id:
        yield f"only {len(phrasings)} phrasings; write at least {FEWEST_PHRASINGS}, the more the better"
    for phrasing, count in phrasings.items():
        if not plain(phrasing):
            yield f"the phrasing {phrasing!r} holds no word; leave it out"
        if count > 1:
            yield f"the phrasing {phrasing!r} stands twice; keep it once"
        if len(phrasing) > _LONGEST_PHRASING or _GLUED.search(phrasing):
            yield f"the phrasing {phrasing!r} looks like several; write each by itself"


def _of_forms(entry: Entry) -> Iterator[str]:
    if entry.answer is None:
        return
    if len(entry.answer) > LONGEST_ANSWER:
        yield f"the answer has {len(entry.answer)} characters; {LONGEST_ANSWER} are enough"
    if len(entry.group or "") > LONGEST_ANSWER:
        yield f"the group form has {len(entry.group or '')} characters; {LONGEST_ANSWER} are enough"
    if entry.group is None:
        yield "there is no group form; write what may be said in front of everybody"
    if entry.elder is None and len(entry.answer) > ELDER_FROM:
        yield f"there is no elder form; an answer of more than {ELDER_FROM} characters needs a short one"
    if entry.elder is not None and len(entry.elder) > LONGEST_ELDER:
        yield f"the elder form has {len(entry.elder)} characters; {LONGEST_ELDER} are enough"


def _of_references(entry: Entry, known: Known) -> Iterator[str]:
    for problem, remedy in missing_of(entry, known.skills, known.figures):
        yield f"{problem}; {remedy}"
    if known.communities is not None:
        for community in sorted(set(entry.communities) - set(known.communities)):
            yield f"there is no community {community} in people.yaml; nobody will read this entry there"


def _said_twice(knowledge: Knowledge, speech: Speech) -> Iterator[Finding]:
    first: dict[str, Entry] = {}
    for entry in knowledge:
        for phrasing in dict.fromkeys(entry.phrasings):
            other = first.setdefault(speech.normalise(phrasing), entry)
            if other is not entry and _meet(entry, other):
                yield entry, f"{phrasing!r} is also {other.id} ({place_of(other)}); keep it in one of the two"


def _nearly_said_twice(knowledge: Knowledge, speech: Speech) -> Iterator[Finding]:
    """Phrasings that differ in small words only and are answered differently: the bot can only guess."""
    first: dict[str, tuple[Entry, str]] = {}
    for entry in knowledge:
        for phrasing in dict.fromkeys(entry.phrasings):
            words = speech.normalise(phrasing)
            core = _SMALL_WORDS.sub("", words)
            if len(core) < _SHORTEST_CORE:
                continue
            other, said = first.setdefault(core, (entry, words))
            if other is not entry and words != said and _meet(entry, other) and _differ(entry, other):
                where = f"{other.id} ({place_of(other)})"
                yield entry, f"{phrasing!r} is nearly what {where} has, which answers differently; keep one of the two"


def _meet(one: Entry, other: Entry) -> bool:
    """Whether there is a community in which both may be asked."""
    for_all = not one.communities or not other.communities
    return for_all or bool(set(one.communities) & set(other.communities))


def _differ(one: Entry, other: Entry) -> bool:
    return (one.answer, one.skill) != (other.answer, other.skill)
