"""While a person speaks with the resident: the bot is silent, and every word reaches that person."""

from __future__ import annotations

from bot.conversation import Turn
from bot.effects import Effects
from config.texts import Texts
from escalation.forwarding import words_to_staff
from escalation.notices import Notices


def handle(turn: Turn, *, notices: Notices, texts: Texts) -> Effects | None:
    """Takes everything in a conversation that a person holds."""
    if turn.conversation.holder is None:
        return None
    if turn.message.kind == "event":
        return Effects(note="held:event")
    return Effects(records=(words_to_staff(turn.message, notices, texts),), note="held")
