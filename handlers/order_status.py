"""Order status: a bound account sees its own orders at once, an unknown one proves who it is first."""

from __future__ import annotations

from bot.conversation import Turn
from bot.effects import Effects
from bot.storage.store import Store
from config.settings import Settings
from handlers.identify import ask_for_proof
from handlers.orders_in_words import orders_in_words
from handlers.proof import read_proof
from handlers.reading import Readings, product_of
from handlers.speaker import Speakers
from understanding.reader import Understanding
from understanding.skills import BIND, ORDER_STATUS


def handle(turn: Turn, *, readings: Readings, speakers: Speakers, store: Store, settings: Settings) -> Effects | None:
    """Answers "where is my order" for whoever may know; the number of one's own order alone asks the same."""
    if not turn.message.text.strip():
        return None
    reading = readings.of(turn)
    speaker = speakers.of(turn)
    asked = reading.skill in (ORDER_STATUS, BIND)
    if speaker.resident is None:
        return ask_for_proof(turn, speakers=speakers, product=product_of(reading)) if asked else None
    if not asked and not _is_an_order_number(turn, reading):
        return None
    text = orders_in_words(
        turn,
        speaker,
        speakers=speakers,
        store=store,
        zone=settings.timezone,
        product=product_of(reading),
        order_no=str(reading.slots.get("order_no", "")),
    )
    return Effects(replies=(text,), note="order_status")


def _is_an_order_number(turn: Turn, reading: Understanding) -> bool:
    """Whether the message is hardly more than an order's number."""
    unclear = reading.decision in ("clarify", "handoff")
    return unclear and bool(reading.slots.get("order_no")) and read_proof(turn.message.text).stands_by_itself
