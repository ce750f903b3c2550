"""What a turn's words mean, read once."""

from __future__ import annotations

from bot.conversation import Turn
from understanding.reader import Reader, Understanding

HISTORY = 6


class Readings:
    """Reads a turn's words with the resident's earlier ones, once however many handlers ask."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def of(self, turn: Turn) -> Understanding:
        """The understanding of this turn's message."""
        reading = turn.facts.get("reading")
        if reading is None:
            history = tuple(turn.conversation.state.get("history", ()))
            reading = self._reader.read(turn.message.text, group=bool(turn.message.chat), history=history)
            turn.facts["reading"] = reading
        assert isinstance(reading, Understanding)
        return reading
