"""Looks after the knowledge: what loads and still is not good."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from config.settings import Settings
from config.yaml_file import YamlFile, read_yaml
from faq.knowledge import Entry, Knowledge
from faq.text import Speech, plain
from faq.variables import COMMUNITY, names_in
from shop.policy import Policy
from understanding import skills
from understanding.reader import load_speech

FEWEST_PHRASINGS = 3
LONGEST_ANSWER = 150
"""Characters; longer texts are not read on a phone."""
LONGEST_ELDER = 60
ELDER_FROM = 40
"""An answer longer than this needs a short form for elderly residents."""


def check() -> int:
    """Prints what is wrong with the knowledge, each with file and line; 1 when there was anything, else 0.

    Raises ConfigError for knowledge that can't be used at all.
    """
    settings = Settings.load(os.environ, make_secret=True)
    knowledge = Knowledge.load(settings.files("faq"), settings.environ)
    policy = Policy.load(settings.file("policy.yaml"), settings.environ)

    def words(name: str) -> YamlFile:
        return read_yaml(settings.file(f"words/{name}.yaml"), settings.environ)

    findings = list(findings_in(knowledge, load_speech(words("speech"), words("produce")), policy.figures))
    for entry, finding in findings:
        print(f"{entry.file}:{entry.line}: {entry.id}: {finding}")
    print(f"{len(knowledge)} entries, {len(findings)} findings")
    return 1 if findings else 0


def findings_in(knowledge: Knowledge, speech: Speech, figures: Iterable[str]) -> Iterator[tuple[Entry, str]]:
    """Every entry that needs a look, and why."""
    told = set(figures)
    for entry in knowledge:
        findings = (*_of_phrasings(entry), *_of_forms(entry), *_of_values(entry, told))
        yield from ((entry, finding) for finding in findings)
    yield from _said_twice(knowledge, speech)


def _of_phrasings(entry: Entry) -> Iterator[str]:
    if len(entry.phrasings) < FEWEST_PHRASINGS:
        yield f"only {len(entry.phrasings)} phrasings; write at least {FEWEST_PHRASINGS}, the more the better"
    for phrasing in entry.phrasings:
        if not plain(phrasing):
            yield f"the phrasing {phrasing!r} holds no word; leave it out"


def _of_forms(entry: Entry) -> Iterator[str]:
    if entry.skill is not None and entry.skill not in skills.KNOWN:
        yield f"there is no skill {entry.skill}; use one of {', '.join(sorted(skills.KNOWN))}"
    if entry.answer is None:
        return
    if len(entry.answer) > LONGEST_ANSWER:
        yield f"the answer has {len(entry.answer)} characters; {LONGEST_ANSWER} are enough"
    if entry.group is None:
        yield "there is no group form; write what may be said in front of everybody"
    if entry.elder is None and len(entry.answer) > ELDER_FROM:
        yield f"there is no elder form; an answer of more than {ELDER_FROM} characters needs a short one"
    if entry.elder is not None and len(entry.elder) > LONGEST_ELDER:
        yield f"the elder form has {len(entry.elder)} characters; {LONGEST_ELDER} are enough"


def _of_values(entry: Entry, told: set[str]) -> Iterator[str]:
    texts = filter(None, (entry.answer, entry.elder, entry.group))
    asked = frozenset().union(*map(names_in, texts)) if entry.answer else frozenset()
    for name in sorted(asked - told):
        purpose = ", for residents whose community is not known" if name in COMMUNITY else ""
        yield f"the answer names {{{name}}}; write {name} below figures in policy.yaml{purpose}"


def _said_twice(knowledge: Knowledge, speech: Speech) -> Iterator[tuple[Entry, str]]:
    first: dict[str, Entry] = {}
    for entry in knowledge:
        for phrasing in dict.fromkeys(entry.phrasings):
            other = first.setdefault(speech.normalise(phrasing), entry)
            both_for_all = not other.communities and not entry.communities
            if other is not entry and (both_for_all or set(other.communities) & set(entry.communities)):
                yield entry, f"{phrasing!r} is also {other.id} ({other.file}:{other.line}); keep it in one of the two"
