"""Small talk: greeting, help, thanks, good-bye, and who the bot is."""

from __future__ import annotations

from bot.conversation import Turn
from bot.effects import Effects
from handlers.reading import Readings
from handlers.speaker import Speakers
from understanding.skills import ABOUT, BYE, GREETING, HELP, THANKS

SENTENCES = {
    GREETING: "greeting.hello",
    HELP: "greeting.help",
    THANKS: "greeting.thanks",
    BYE: "greeting.bye",
    ABOUT: "greeting.about",
}


def handle(turn: Turn, *, readings: Readings, speakers: Speakers) -> Effects | None:
    """Answers small talk; somebody who has just followed the account is welcomed."""
    if turn.message.event in ("subscribe", "scan", "enter_chat"):
        return Effects(replies=(speakers.say(turn, "greeting.subscribed"),), note="greeting:subscribed")
    if not turn.message.text.strip():
        return None
    sentence = SENTENCES.get(readings.of(turn).skill or "")
    if sentence is None:
        return None
    if turn.conversation.followed and sentence == "greeting.hello":
        sentence = "greeting.waiting"
    return Effects(replies=(speakers.say(turn, sentence),), note=sentence)
