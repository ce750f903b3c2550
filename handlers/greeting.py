"""Greeting, help, thanks and good-bye."""

from __future__ import annotations

from bot.conversation import Turn
from bot.effects import Effects
from faq.knowledge import Knowledge
from handlers.reading import Readings
from handlers.speaker import Speakers

_SENTENCES = {
    "greeting": "greeting.hello",
    "help": "greeting.help",
    "thanks": "greeting.thanks",
    "bye": "greeting.bye",
    "about": "greeting.about",
}


def handle(turn: Turn, *, readings: Readings, speakers: Speakers, knowledge: Knowledge) -> Effects | None:
    """Answers small talk; somebody who has just followed the account is welcomed."""
    if turn.message.event in ("subscribe", "scan"):
        return Effects(replies=(speakers.say(turn, "greeting.subscribed"),), note="greeting:subscribed")
    if not turn.message.text.strip():
        return None
    reading = readings.of(turn)
    skill = knowledge.skill_of(reading.entry) if reading.decision == "skill" else None
    if skill not in _SENTENCES:
        return None
    return Effects(replies=(speakers.say(turn, _SENTENCES[skill]),), note=f"greeting:{skill}")
