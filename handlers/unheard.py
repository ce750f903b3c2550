"""Messages without words that the bot can read: a voice message goes to a person, the rest gets a kind answer."""

from __future__ import annotations

from bot.conversation import Turn
from bot.effects import Effects
from handlers.hand_over import HandOver
from handlers.speaker import Speakers

_UNREADABLE = {"video": "video", "file": "file", "location": "other", "link": "other", "other": "other"}


def handle_voice(turn: Turn, *, speakers: Speakers, handing_over: HandOver) -> Effects | None:
    """A voice message without a transcript: never lost, never answered with silence."""
    if turn.message.kind != "voice" or turn.message.text.strip():
        return None
    return Effects(
        replies=(speakers.say(turn, "unheard.voice"),),
        records=(handing_over.record(turn, priority="P1", reason="语音消息，需要人来听"),),
        note="unheard:voice",
    )


def handle_other(turn: Turn, *, speakers: Speakers) -> Effects | None:
    """A video, a file, a place, a link, or nothing but emoji: says what the bot can read instead."""
    if turn.message.kind == "event":
        return None
    name = _UNREADABLE.get(turn.message.kind)
    if name is None and turn.message.text.strip():
        return None
    return Effects(replies=(speakers.say(turn, f"unheard.{name or 'no_words'}"),), note="unheard")
