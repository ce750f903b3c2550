"""When a handler breaks: the message is kept, and a person gets it."""

from __future__ import annotations

from bot.conversation import Turn
from bot.effects import Effects
from handlers.hand_over import HandOver
from handlers.speaker import Speakers
from shop.directory import Directory


def answer(turn: Turn, *, speakers: Speakers, directory: Directory, handing_over: HandOver) -> Effects:
    """Says that something went wrong, and opens a ticket for a resident."""
    apology = speakers.say(turn, "general.failed")
    if turn.message.kind == "event":
        return Effects(note="failed")
    if directory.staff_by_account(turn.message.channel, turn.message.account):
        return Effects(replies=(apology,), note="failed")
    record = handing_over.record(turn, priority="P2", reason=handing_over.texts.say("reason.failed"))
    return Effects(replies=(apology,), records=(record,), note="failed")
