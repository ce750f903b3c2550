"""What the platform says of something that it has taken: who speaks with a person now, or the code of a card."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from bot.channels.channel import Receipt
from bot.transaction import Transaction
from claims.claims import verdict_on
from escalation import tickets
from escalation.cards import CARD
from escalation.notices import Notices
from handlers import in_client


def on_sent(tx: Transaction, row: Row[Any], receipt: Receipt, *, notices: Notices) -> None:
    """``row`` is that of the outbox, ``receipt`` what the channel wants kept of it."""
    if "session" in receipt:
        in_client.session_told(tx, receipt["session"])
    code = receipt.get("response_code") if row.kind == CARD else None
    ticket = tickets.find_about(tx.connection, row.about) if code else None
    if ticket is not None:
        notices.card_arrived(tx, row, str(code), ticket, decided=verdict_on(tx.connection, ticket.id))
