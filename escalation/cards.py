"""Tickets as cards with buttons, for staff whose channel has them.

A button's key is the command as it would be typed ("接单 0123"), so a tap does exactly what typing does. Each reader's
card is a message of its own, with a code of its own by which it can be changed once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, select, update

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
_LAST_BUTTONS = ("look",)


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
        if change.tapped:
            _change(tx, tx.conversation_id, change.tapped, self._changed(ticket, change, mine=True))
        if not change.for_all:
            return
        _withdraw_waiting(tx, ticket)
        for conversation_id, code in _codes(tx, ticket, passing_over=tx.conversation_id if change.tapped else None):
            mine = conversation_id == tx.conversation_id
            _change(tx, conversation_id, code, self._changed(ticket, change, mine=mine))

    def catch_up(
        self, tx: Transaction, card: Row[Any], code: str, ticket: Ticket, change: Change, *, mine: bool
    ) -> None:
        """Changes a card that was on its way while something happened to its ticket; ``mine``: its owner reads it."""
        now = self._card(ticket, change.outline, decided=change.decided)
        if [list(button) for button in now["buttons"]] == card.payload["card"]["buttons"] and ticket.is_open:
            return
        _mark_used(tx, card)
        _change(tx, card.conversation_id, code, self._changed(ticket, change, mine=mine))

    def _changed(self, ticket: Ticket, change: Change, *, mine: bool) -> Mapping[str, Any]:
        """The card as it is now: with buttons for whoever goes on with the ticket, else with words in their place."""
        card = self._card(ticket, change.outline, decided=change.decided)
        return card if mine and ticket.is_open else {**card, "replaced": change.words}

    def _card(self, ticket: Ticket, outline: Mapping[str, str], *, decided: bool = False) -> dict[str, Any]:
        kind = "handoff" if decided else ticket.kind
        text = self.texts.say("card.text", reason=outline["reason"], details=outline["details"]).strip()
        return {
            "title": self.texts.say("card.title", label=ticket.label, urgency=outline["urgency"]),
            "description": self.texts.say("card.description", community=outline["community"], name=ticket.name),
            "text": text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…",
            # The platform takes no card without buttons, not even with words in their place.
            "buttons": [self._button(verb, ticket) for verb in _BUTTONS.get((kind, ticket.status), _LAST_BUTTONS)],
        }

    def _button(self, verb: str, ticket: Ticket) -> Sequence[str]:
        return (self.texts.say(f"card.{verb}_typed", number=ticket.number), self.texts.say(f"card.{verb}"))


def _change(tx: Transaction, conversation_id: int, code: str, card: Mapping[str, Any]) -> None:
    if tx.is_configured(conversation_id):
        key = f"card:{hashlib.sha256(code.encode()).hexdigest()}"
        tx.put(conversation_id, CARD_UPDATE, {"code": code, "card": dict(card)}, voice="notice", key=key)


def _withdraw_waiting(tx: Transaction, ticket: Ticket) -> None:
    """What has not left yet would offer what is over; its readers are told in words what has happened since."""
    waits = (outbox.c.about == tickets.about(ticket.id), outbox.c.kind == CARD, outbox.c.status == "queued")
    tx.connection.execute(update(outbox).where(*waits).values(status="withdrawn", error="ticket_changed"))


def _mark_used(tx: Transaction, card: Row[Any]) -> None:
    tx.connection.execute(update(outbox).where(outbox.c.id == card.id).values(receipt={"used": True}))


def _codes(tx: Transaction, ticket: Ticket, passing_over: int | None) -> list[tuple[int, str]]:
    """The readers of a ticket's cards with a code each, which is marked as used."""
    query = (
        select(outbox)
        .where(outbox.c.about == tickets.about(ticket.id), outbox.c.kind == CARD)
        .where(outbox.c.status.in_(("sending", "sent")), outbox.c.sent_at > tx.now - CODE_LIVES)
        .where(outbox.c.conversation_id != (passing_over or 0))
        .order_by(outbox.c.id)
        .with_for_update()  # one that is being sent is waited for, or catches up when it is
    )
    found = []
    for row in tx.connection.execute(query).all():
        if code := (row.receipt or {}).get("response_code"):
            _mark_used(tx, row)
            found.append((row.conversation_id, code))
    return found
