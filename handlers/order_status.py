"""Order status: a bound account sees its own orders at once, an unknown one proves who it is first."""

from __future__ import annotations

from bot.conversation import Turn
from bot.effects import Effects
from bot.storage.store import Store
from config.settings import Settings
from handlers.identify import ask_for_proof
from handlers.orders_in_words import orders_in_words
from handlers.reading import Readings
from handlers.speaker import Speakers
from understanding.skills import BIND, ORDER_STATUS


def handle(turn: Turn, *, readings: Readings, speakers: Speakers, store: Store, settings: Settings) -> Effects | None:
    """Answers "where is my order" for whoever may know."""
    if not turn.message.text.strip():
        return None
    reading = readings.of(turn)
    if reading.skill not in (ORDER_STATUS, BIND):
        return None
    speaker = speakers.of(turn)
    if speaker.resident is None:
        return ask_for_proof(turn, speakers=speakers, product=reading.slots.get("product"))
    text = orders_in_words(
        turn, speaker, speakers=speakers, store=store, zone=settings.timezone, product=reading.slots.get("product")
    )
    return Effects(replies=(text,), note="order_status")
