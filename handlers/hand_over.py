"""Handing over to a person: at once for danger, on request, and when the mood is low; and what others hand over."""

from __future__ import annotations

from dataclasses import dataclass

from bot.conversation import Turn
from bot.effects import Effects, Record
from bot.transaction import Transaction
from config.texts import Texts
from escalation.handover import hand_over
from escalation.notices import Notices
from escalation.tickets import NewTicket
from handlers.reading import Readings
from handlers.speaker import Speakers
from handlers.state import drop_flow, last_messages
from shop.policy import Policy
from understanding.reader import Understanding
from understanding.skills import COMPLAINT, PERSON


@dataclass(frozen=True, slots=True)
class HandOver:
    """Opens tickets for handlers: the ticket is committed with the promise that names it, or neither is."""

    speakers: Speakers
    notices: Notices
    texts: Texts
    policy: Policy

    def record(self, turn: Turn, *, priority: str, reason: str, facts: tuple[str, ...] = ()) -> Record:
        """A record that opens the ticket, tells staff and promises the resident, all in the turn's transaction."""
        speaker = self.speakers.of(turn)
        new = NewTicket(
            kind="handoff",
            conversation_id=turn.conversation.id,
            priority=priority,
            reason=reason,
            resident_id=speaker.resident.id if speaker.resident else None,
            community_id=speaker.community.id if speaker.community else None,
            name=speaker.masked_name,
            facts=facts,
        )
        messages = last_messages(turn)

        def open_ticket(tx: Transaction) -> None:
            hand_over(
                tx,
                new=new,
                last_messages=messages,
                form=speaker.form,
                notices=self.notices,
                texts=self.texts,
                policy=self.policy,
            )

        return open_ticket


def handle(turn: Turn, *, readings: Readings, speakers: Speakers, handing_over: HandOver) -> Effects | None:
    """Danger, a call for a person, a low mood, or a complaint that only a person can settle."""
    if not turn.message.text.strip():
        return None
    reading = readings.of(turn)
    cause = _cause(reading, readings.is_low(reading))
    if cause is None:
        return None
    sentence, priority, plain_reason = cause
    drop_flow(turn)
    return Effects(
        replies=(speakers.say(turn, f"hand_over.{sentence}"),),
        records=(handing_over.record(turn, priority=priority, reason="，".join(reading.why) or plain_reason),),
        note=f"hand_over:{sentence}",
    )


def _cause(reading: Understanding, low: bool) -> tuple[str, str, str] | None:
    """Why a person is needed now: the name of the soothing sentence, the priority, and the reason for staff."""
    if reading.priority == "P0":
        return "danger", "P0", "可能涉及安全"
    if reading.skill == PERSON:
        return "wanted", reading.priority or "P2", "居民要找人工"
    if low:
        return "low_mood", reading.priority or "P1", "居民情绪不好"
    if reading.skill == COMPLAINT:
        return "complaint", reading.priority or "P1", "居民投诉"
    return None
