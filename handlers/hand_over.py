"""Handing over to a person: at once for danger, on request, and when the mood is low; and what others hand over."""

from __future__ import annotations

from dataclasses import dataclass

from bot.conversation import Turn
from bot.effects import Effects, Record
from bot.storage.store import Store
from bot.transaction import Transaction
from config.settings import Settings
from config.texts import Texts
from escalation.handover import hand_over
from escalation.notices import Notices
from escalation.priorities import higher
from escalation.tickets import NewTicket
from escalation.transcript import shortened, without_phones
from handlers.claim.in_words import told_so_far
from handlers.claim.lines import Lines
from handlers.reading import Readings
from handlers.speaker import Speakers
from handlers.state import drop_flow, forget_words, last_messages
from shop.policy import Policy
from understanding.reader import Understanding
from understanding.skills import COMPLAINT, PERSON

_NOT_FOR_STAFF = ("最接近的问题", "消息里没有文字", "平静")
"""How those of the bot's reasons begin that say nothing to staff: about its knowledge, or of a tone that is none."""

_HARMLESS_TO_HEALTH = frozenset({"harassment", "privacy_leak"})
"""What is as urgent as an illness, but for which nobody needs a doctor."""


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
            community_id=speaker.served_by.id if speaker.served_by else None,
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

    def unsure(self, turn: Turn) -> Record:
        """A record for words that the bot can make nothing of; staff read them as they were said."""
        words = shortened(without_phones(turn.message.text))
        return self.record(turn, priority="P2", reason=self.texts.say("reason.unsure", words=words))


def handle(
    turn: Turn,
    *,
    readings: Readings,
    speakers: Speakers,
    handing_over: HandOver,
    store: Store,
    policy: Policy,
    settings: Settings,
) -> Effects | None:
    """Danger, a call for a person, a low mood, or a complaint that only a person can settle."""
    if not turn.message.text.strip():
        return None
    reading = readings.of(turn)
    cause = cause_of(reading)
    if cause is None:
        return None
    sentence, priority = cause
    facts = told_so_far(turn, Lines(turn, store, speakers, policy, settings.timezone), handing_over.texts)
    priority = higher(priority, "P1") if facts else priority
    reason = reason_of(reading) or handing_over.texts.say(f"reason.{sentence}")
    drop_flow(turn)
    forget_words(turn)
    return Effects(
        replies=(speakers.say(turn, f"hand_over.{sentence}"),),
        records=(handing_over.record(turn, priority=priority, reason=reason, facts=facts),),
        note=f"hand_over:{sentence}",
    )


def cause_of(reading: Understanding) -> tuple[str, str] | None:
    """Why a person is needed now, which is also the name of the soothing sentence, and how urgent it is."""
    if reading.priority == "P0":
        return ("complaint" if _HARMLESS_TO_HEALTH.issuperset(reading.kinds or ("",)) else "danger"), "P0"
    if reading.skill == PERSON:
        return "wanted", reading.priority or "P2"
    if reading.upset:
        return "worried" if reading.mood == "anxious" else "low_mood", reading.priority or "P1"
    if reading.skill == COMPLAINT:
        return "complaint", reading.priority or "P1"
    return None


def reason_of(reading: Understanding) -> str:
    """What staff can use of the bot's reasons: feelings, threats, what was asked for and what is wrong."""
    return "；".join(why for why in reading.why if not why.startswith(_NOT_FOR_STAFF))
