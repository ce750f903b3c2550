"""Remembers, masked, what the knowledge could not answer, so that somebody may add it."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.conversation import Turn
from bot.effects import Effects, Record
from bot.transaction import Transaction
from claims.words import is_question
from escalation.tickets import open_handoff
from faq import gaps
from faq.gaps import ANSWERED, Gap, Kind
from handlers.clarify import CHOSEN, says_neither
from handlers.reading import Readings
from handlers.speaker import Speakers

_NOT_MEANT = re.compile(
    "答非所问|没回答我|回答错|[答说]的?(?:都|根本)?不对|不是(?:问|说|讲)(?:的是)?这个|不是这个(?:意思|问题)"
    "|[问说](?:的)?不是(?:这个|这)|我问的是|我是问"
)


def note(turn: Turn, effects: Effects, *, readings: Readings, speakers: Speakers) -> Effects:
    """An afterthought: adds the record of a gap to a turn that shows one."""
    record = _record(turn, effects, readings, speakers)
    return replace(effects, records=(*effects.records, record)) if record else effects


def _record(turn: Turn, effects: Effects, readings: Readings, speakers: Speakers) -> Record | None:
    text, said = turn.message.text, effects.note
    if not text.strip() or not said:
        return None
    if chosen := turn.facts.get(CHOSEN):
        return lambda tx: gaps.record_choice(tx.connection, tx.conversation_id, chosen)
    if said.startswith("clarify:"):
        return _asked(turn, "clarified", readings, speakers)
    if said == "hand_over:unclear":
        return _not_cleared(turn, readings, speakers)
    if said == "hand_over:unsure" or (said == "passed_on" and is_question(text)):
        return _asked(turn, "unanswered", readings, speakers)
    if said.startswith((ANSWERED, "hand_over:")) and _NOT_MEANT.search(text):
        return _corrected(turn, speakers)
    return None


def _asked(turn: Turn, kind: Kind, readings: Readings, speakers: Speakers) -> Record:
    reading, community = readings.of(turn), speakers.of(turn).community

    def record(tx: Transaction) -> None:
        if tx.inbox_id is None:
            return
        ticket = open_handoff(tx.connection, tx.conversation_id) if kind == "unanswered" else None
        gap = Gap(
            inbox_id=tx.inbox_id,
            conversation_id=tx.conversation_id,
            asked_at=turn.now,
            words=turn.message.text,
            kind=kind,
            entry_id=reading.entry,
            confidence=reading.confidence,
            community_id=community.id if community else None,
            ticket_id=ticket.id if ticket else None,
        )
        gaps.record(tx.connection, gap)

    return record


def _not_cleared(turn: Turn, readings: Readings, speakers: Speakers) -> Record:
    """The question asked back did not help: the first question waits for a person, and so do new words for it."""
    again = None if says_neither(turn.message.text) else _asked(turn, "unanswered", readings, speakers)

    def record(tx: Transaction) -> None:
        ticket = open_handoff(tx.connection, tx.conversation_id)
        gaps.record_hand_off(tx.connection, tx.conversation_id, ticket.id if ticket else None)
        if again is not None:
            again(tx)

    return record


def _corrected(turn: Turn, speakers: Speakers) -> Record:
    community = speakers.of(turn).community

    def record(tx: Transaction) -> None:
        if tx.inbox_id is not None:
            place = community.id if community else None
            gaps.record_correction(tx.connection, tx.conversation_id, tx.inbox_id, place)

    return record
