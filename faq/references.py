"""What entries refer to outside of the knowledge: skills that take over, and the policy's figures."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from config.errors import ConfigError
from faq.knowledge import Entry, Knowledge
from faq.variables import COMMUNITY, names_in


def missing_of(entry: Entry, skills: Collection[str], figures: Collection[str]) -> Iterator[tuple[str, str]]:
    """What an entry refers to and is not there: the problem and its remedy.

    A community's own words count as a figure, which is said to residents whose community is not known.
    """
    if entry.skill is not None and entry.skill not in skills:
        yield f"there is no skill {entry.skill}", f"use one of {', '.join(sorted(skills))}"
    texts = filter(None, (entry.answer, entry.elder, entry.group))
    for name in sorted(frozenset().union(*map(names_in, texts)) - frozenset(figures)):
        purpose = " for residents whose community is not known" if name in COMMUNITY else ""
        yield f"it names {{{name}}}, which policy.yaml does not hold{purpose}", f"write {name} below figures there"


def refuse_missing(knowledge: Knowledge, skills: Collection[str], figures: Collection[str]) -> None:
    """Raises ConfigError for the first entry that refers to a skill or a figure that is not there."""
    for entry in knowledge.written:
        for problem, remedy in missing_of(entry, skills, figures):
            where = "" if entry.file else " (approved with ./qunda faq gaps)"
            if entry.skill is None:
                remedy = f"{remedy} and start Qunda again, or take it out of the answer"
            raise ConfigError(f"{entry.id}{where}: {problem}", remedy, file=entry.file or None, line=entry.line or None)
