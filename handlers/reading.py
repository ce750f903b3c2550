"""What a turn's words mean, read once."""

from __future__ import annotations

from bot.conversation import Turn
from handlers.speaker import Speakers
from understanding.reader import Reader, Understanding

HISTORY = 6


class Readings:
    """Reads a turn's words with the resident's earlier ones, once however many handlers ask."""

    def __init__(self, reader: Reader, speakers: Speakers) -> None:
        self._reader = reader
        self._speakers = speakers

    def of(self, turn: Turn) -> Understanding:
        """The understanding of this turn's message."""
        reading = turn.facts.get("reading")
        if reading is None:
            community = self._speakers.of(turn).community
            reading = turn.facts["reading"] = self._reader.read(
                turn.message.text,
                group=bool(turn.message.chat),
                history=tuple(turn.conversation.state.get("history", ())),
                community=community.id if community else None,
            )
        assert isinstance(reading, Understanding)
        return reading

    def is_low(self, reading: Understanding) -> bool:
        """Whether a person should take over because of how the resident feels."""
        return reading.low_mood >= self._reader.thresholds.low_mood
