"""A message that the platform had taken did not arrive after all."""

from __future__ import annotations

from bot.conversation import Turn
from bot.delivery import Delivery
from bot.effects import Effects
from bot.events import DELIVERY_FAILED
from bot.transaction import Transaction


def handle(turn: Turn, *, delivery: Delivery) -> Effects | None:
    """Marks the message; whoever is concerned is told why, as of everything that does not arrive."""
    if turn.message.event != DELIVERY_FAILED:
        return None
    key, code = str(turn.message.extra["key"]), str(turn.message.extra["code"])

    def mark(tx: Transaction) -> None:
        delivery.failed_later(tx, key, code)

    return Effects(records=(mark,), note=f"delivery_failed:{code}")
