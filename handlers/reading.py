"""What a turn's words mean, read once."""

from __future__ import annotations

from collections.abc import Callable

from bot.conversation import Turn
from faq.knowledge import Knowledge
from handlers.speaker import Speakers
from handlers.state import earlier_words
from understanding.reader import Reader, Understanding

_NAMES_NOTHING = frozenset({"水果", "果子", "菜", "蔬菜", "零食", "干货", "东西", "货"})


class Readings:
    """Reads a turn's words with the resident's earlier ones, once however many handlers ask.

    ``newest`` gives the reader in use; a turn stays with the one it began with, even if that is replaced meanwhile.
    """

    def __init__(self, newest: Callable[[], Reader], speakers: Speakers) -> None:
        self._newest = newest
        self._speakers = speakers

    def of(self, turn: Turn) -> Understanding:
        """The understanding of this turn's message.

        Within a dialogue the earlier words are left out: there, saying a thing again answers a question.
        """
        reading = turn.facts.get("reading")
        if reading is None:
            community = self._speakers.of(turn).community
            reading = turn.facts["reading"] = self._reader_of(turn).read(
                turn.message.text,
                group=bool(turn.message.chat),
                history=() if turn.conversation.state.get("flow") else earlier_words(turn),
                community=community.id if community else None,
            )
        assert isinstance(reading, Understanding)
        return reading

    def knowledge_of(self, turn: Turn) -> Knowledge:
        """The knowledge with which this turn's message was read."""
        return self._reader_of(turn).knowledge

    def _reader_of(self, turn: Turn) -> Reader:
        reader = turn.facts.setdefault("reader", self._newest())
        assert isinstance(reader, Reader)
        return reader


def product_of(reading: Understanding) -> str:
    """The product that the words name; empty when they name none, or nothing but "菜"."""
    product = str(reading.slots.get("product", ""))
    return "" if product in _NAMES_NOTHING else product
