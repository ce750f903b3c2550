"""Tickets as cards with buttons, for staff whose channel has them.

A button's key is the command as it would be typed ("接单 0123"), so a tap does exactly what typing does. Each reader's
card is a message of its own, with a code of its own by which it can be changed once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from bot.storage.tables import outbox
from bot.transaction import Transaction
from config.texts import Texts
from escalation import tickets
from escalation.tickets import Ticket

CARD, CARD_UPDATE = "card", "card_update"
CODE_LIVES = timedelta(hours=72)
"""Source: developer.work.weixin.qq.com document 94888."""
_LONGEST_TEXT = 160
"""Characters that a card shows well."""

_BUTTONS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("handoff", "waiting"): ("take", "look", "solve"),
    ("handoff", "held"): ("look", "solve", "bot_on"),
    ("claim", "waiting"): ("approve", "reject", "take", "look"),
    ("claim", "held"): ("approve", "reject", "look", "solve"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """What has become of a ticket. ``words`` stand where the buttons were.

    ``decided``: its claim was; ``tapped``: the code of the card that was tapped, empty when a command was typed;
    ``for_all``: everybody's card changes, else only the tapped one.
    """

    words: str
    outline: Mapping[str, str]
    decided: bool
    tapped: str
    for_all: bool


@dataclass(frozen=True, slots=True)
class Cards:
    """Sends a ticket's cards and changes them when something has happened to it."""

    texts: Texts

    def tell(
        self, tx: Transaction, conversation_id: int, ticket: Ticket, text: str, outline: Mapping[str, str]
    ) -> None:
        """Queues a ticket's card to somebody of staff; ``text`` is what is sent where a card cannot be shown."""
        about = tickets.about(ticket.id)
        if CARD not in tx.rules_of(conversation_id).sends:
            tx.tell(conversation_id, text, voice="notice", about=about)
            return
        task = f"ticket-{ticket.id}-{conversation_id}-{int(tx.now.timestamp() * 1000)}"
        card = {**self._card(ticket, outline), "task": task}
        tx.put(conversation_id, CARD, {"text": text, "card": card}, voice="notice", about=about)

    def refresh(self, tx: Transaction, ticket: Ticket, change: Change) -> None:
        """Changes a ticket's cards; whoever's turn this is goes on with the buttons for what comes next."""
        card = self._card(ticket, change.outline, decided=change.decided)
        done = {**card, "replaced": change.words}
        mine = card if card["buttons"] else done
        if change.tapped:
            _change(tx, tx.conversation_id, change.tapped, mine)
        if not change.for_all:
            return
        for conversation_id, code in _codes(tx, ticket, passing_over=tx.conversation_id if change.tapped else None):
            _change(tx, conversation_id, code, mine if conversation_id == tx.conversation_id else done)

    def _card(self, ticket: Ticket, outline: Mapping[str, str], *, decided: bool = False) -> dict[str, Any]:
        kind = "handoff" if decided else ticket.kind
        text = self.texts.say("card.text", reason=outline["reason"], details=outline["details"]).strip()
        return {
            "title": self.texts.say("card.title", label=ticket.label, urgency=outline["urgency"]),
            "description": self.texts.say("card.description", community=outline["community"], name=ticket.name),
            "text": text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…",
            "buttons": [self._button(verb, ticket) for verb in _BUTTONS.get((kind, ticket.status), ())],
        }

    def _button(self, verb: str, ticket: Ticket) -> Sequence[str]:
        return (self.texts.say(f"card.{verb}_typed", number=ticket.number), self.texts.say(f"card.{verb}"))


def _change(tx: Transaction, conversation_id: int, code: str, card: Mapping[str, Any]) -> None:
    tx.put(conversation_id, CARD_UPDATE, {"code": code, "card": dict(card)}, voice="notice", key=f"card:{code[:100]}")


def _codes(tx: Transaction, ticket: Ticket, passing_over: int | None) -> list[tuple[int, str]]:
    """The readers of a ticket's cards with a code each, which is marked as used."""
    query = (
        select(outbox)
        .where(outbox.c.about == tickets.about(ticket.id), outbox.c.kind == CARD, outbox.c.status == "sent")
        .where(outbox.c.sent_at > tx.now - CODE_LIVES, outbox.c.conversation_id != (passing_over or 0))
        .order_by(outbox.c.id)
    )
    found = []
    for row in tx.connection.execute(query).all():
        if code := (row.receipt or {}).get("response_code"):
            tx.connection.execute(update(outbox).where(outbox.c.id == row.id).values(receipt={"used": True}))
            found.append((row.conversation_id, code))
    return found
