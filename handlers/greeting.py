"""Greeting, help and thanks."""

from __future__ import annotations

from bot.conversation import Turn
from bot.effects import Effects
from handlers.reading import Readings
from handlers.speaker import Speakers
from understanding.skills import GREETING, HELP, THANKS

_SENTENCES = {GREETING: "greeting.hello", HELP: "greeting.help", THANKS: "greeting.thanks"}


def handle(turn: Turn, *, readings: Readings, speakers: Speakers) -> Effects | None:
    """Answers small talk; somebody who has just followed the account is welcomed."""
    if turn.message.event in ("subscribe", "scan"):
        return Effects(replies=(speakers.say(turn, "greeting.subscribed"),), note="greeting:subscribed")
    if not turn.message.text.strip():
        return None
    sentence = _SENTENCES.get(readings.of(turn).skill or "")
    if sentence is None:
        return None
    return Effects(replies=(speakers.say(turn, sentence),), note=sentence)
