"""Where a channel lets a person go on in the platform's own client: handing a chat to her there, and taking it back.

By default nobody does: the bot passes words to and fro. A chat goes over only to the owner of its ticket who has an
account there; the row that asks for it leaves behind everything that was said before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from bot.channels.capabilities import Capabilities
from bot.menu import Menu
from bot.storage.tables import conversations
from bot.transaction import Transaction
from bot.wording import parcels
from escalation import tickets
from escalation.tickets import Ticket
from shop.directory import Staff

SESSION = "session"
"""The kind of outbox rows that change who speaks on the platform."""

ELSEWHERE = ("person", "pool")
"""Sessions in which the bot can say nothing."""


def who_speaks(tx: Transaction, conversation_id: int) -> str:
    """Who speaks on the platform itself: "" the bot, "person", "pool" or "ended"."""
    query = select(conversations.c.session).where(conversations.c.id == conversation_id)
    session: str = tx.connection.execute(query).scalar_one()
    return session


def may_go_over(tx: Transaction, ticket: Ticket, staff: Staff) -> bool:
    """Whether this person has an account with which to speak in the platform's own client."""
    channel, rules = _rules(tx, ticket.conversation_id)
    return rules.hands_over and channel in staff.accounts


def hand_to(tx: Transaction, ticket: Ticket, staff: Staff) -> None:
    """Asks for the chat to go over to the ticket's owner, if she can speak there; where it does not, all stays."""
    if may_go_over(tx, ticket, staff):
        channel, _ = _rules(tx, ticket.conversation_id)
        _ask(tx, ticket, {"to": "person", "staff": staff.accounts[channel]})


def let_wait(tx: Transaction, ticket: Ticket) -> None:
    """Puts the chat of a new ticket into the platform's queue, where the operator wants that; behind the replies."""
    if _rules(tx, ticket.conversation_id)[1].pools:
        tx.afterwards.append(lambda tx: _ask(tx, ticket, {"to": "pool"}))


def end(tx: Transaction, ticket: Ticket, question: Menu | None = None) -> None:
    """Takes the chat back from the client; ``question`` is the last thing said there."""
    words: Mapping[str, Any] = {}
    if question is not None:
        (_, words), *_ = parcels([question], _rules(tx, ticket.conversation_id)[1])
    _ask(tx, ticket, {"to": "ended", **words})


def look(tx: Transaction) -> None:
    """Asks the platform who speaks in this turn's conversation; once an hour, in case that its word was lost."""
    key = f"look:{tx.conversation_id}:{tx.now:%Y%m%d%H}"
    tx.put(tx.conversation_id, SESSION, {"look": True}, voice="bot", key=key)


def _ask(tx: Transaction, ticket: Ticket, payload: Mapping[str, Any]) -> None:
    tx.put(ticket.conversation_id, SESSION, payload, voice="person", about=tickets.about(ticket.id))


def _rules(tx: Transaction, conversation_id: int) -> tuple[str, Capabilities]:
    query = select(conversations.c.channel).where(conversations.c.id == conversation_id)
    channel: str = tx.connection.execute(query).scalar_one()
    return channel, tx.capabilities[channel]
