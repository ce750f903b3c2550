"""Routine questions: the entry's answer, one clarifying question, or a person."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from bot.conversation import Turn
from bot.effects import Effects
from claims.words import is_question
from faq.gaps import ANSWERED
from faq.knowledge import Knowledge
from handlers.clarify import ask
from handlers.hand_over import HandOver
from handlers.reading import Readings
from handlers.speaker import Speakers
from shop.directory import Directory
from shop.policy import Policy

_SAYS_NOTHING = re.compile(r"[\W_]*\d{0,3}[\W_]*")
"""A bare "1" answers a question that nobody has asked."""


def handle(
    turn: Turn,
    *,
    readings: Readings,
    speakers: Speakers,
    policy: Policy,
    directory: Directory,
    handing_over: HandOver,
) -> Effects | None:
    """The last handler for words: whoever wrote them gets an answer, a question back, or a ticket.

    While somebody is on the matter already, what the bot does not understand simply reaches that person.
    """
    if not turn.message.text.strip():
        return None
    reading = readings.of(turn)
    if reading.entry is None:
        return None
    if reading.decision == "answer":
        knowledge, community = readings.knowledge_of(turn), speakers.of(turn).community
        values = answer_values(turn, speakers, policy, directory)
        place = community.id if community else None
        entries = (reading.entry, *reading.also)
        text = "\n\n".join(knowledge.answer_for(entry, speakers.of(turn).form, values, place) for entry in entries)
        return Effects(replies=(text,), note=note_of(entries, knowledge, place))
    if _SAYS_NOTHING.fullmatch(turn.message.text):
        return None
    if turn.conversation.followed and (reading.decision == "handoff" or not is_question(turn.message.text)):
        return Effects(replies=(speakers.say(turn, "general.passed_on"),), note="passed_on")
    if reading.decision == "clarify":
        return ask(turn, reading, speakers=speakers, knowledge=readings.knowledge_of(turn))
    return Effects(
        replies=(speakers.say(turn, "general.not_understood"),),
        records=(handing_over.unsure(turn),),
        note="hand_over:unsure",
    )


def note_of(entries: Sequence[str], knowledge: Knowledge, community: str | None) -> str:
    """How the log explains an answer: the entry that holds in the community, the knowledge's version, further entries.

    ``faq:refund-arrival 1a2b3c4d``, or ``faq:refund-arrival 1a2b3c4d also pickup-time``.
    """
    first, *others = (knowledge.held_in(entry, community).id for entry in entries)
    also = f" also {' '.join(others)}" if others else ""
    return f"{ANSWERED}{first} {knowledge.version}{also}"


def answer_values(turn: Turn, speakers: Speakers, policy: Policy, directory: Directory) -> Mapping[str, object]:
    """What answers may name: the shop's figures, and the speaker's own pick-up point, hours and leader."""
    community = speakers.of(turn).community
    if community is None:
        return policy.figures
    leader = directory.leader_of(community.id)
    own = {
        "pickup_point": community.pickup_point,
        "pickup_hours": community.pickup_hours,
        "leader": leader.name if leader else None,
    }
    return {**policy.figures, **{name: value for name, value in own.items() if value}}
