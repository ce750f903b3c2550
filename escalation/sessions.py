"""Where a channel lets a person go on in the platform's own client: handing a chat to her there, and taking it back.

By default nobody does: the bot passes words to and fro. A chat goes over only to the owner of its ticket who has an
account there; the row that asks for it leaves behind everything that was said before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update

from bot.errors import ResultUnknown
from bot.menu import Menu
from bot.storage.tables import conversations, outbox
from bot.transaction import Transaction
from bot.wording import parcels
from escalation import tickets
from escalation.tickets import Ticket
from shop.directory import Staff

SESSION = "session"
"""The kind of outbox rows that change who speaks on the platform."""

ELSEWHERE = ("person", "pool")
"""Sessions in which the bot can say nothing."""

_LOOKED_BACK = 100


def who_speaks(tx: Transaction, conversation_id: int) -> str:
    """Who speaks on the platform itself: "" the bot, "person", "pool" or "ended"."""
    query = select(conversations.c.session).where(conversations.c.id == conversation_id)
    session: str = tx.connection.execute(query).scalar_one()
    return session


def may_go_over(tx: Transaction, ticket: Ticket, staff: Staff) -> bool:
    """Whether this person has an account with which to speak in the platform's own client."""
    channel = tx.channel_of(ticket.conversation_id)
    rules = tx.capabilities.get(channel)
    return rules is not None and rules.hands_over and channel in staff.accounts


def hand_to(tx: Transaction, ticket: Ticket, staff: Staff) -> None:
    """Asks for the chat to go over to the ticket's owner, if she can speak there; where it does not, all stays."""
    if may_go_over(tx, ticket, staff):
        _ask(tx, ticket, {"to": "person", "staff": staff.accounts[tx.channel_of(ticket.conversation_id)]})


def let_wait(tx: Transaction, ticket: Ticket) -> None:
    """Puts the chat of a new ticket into the platform's queue, where the operator wants that; behind the replies."""
    if tx.rules_of(ticket.conversation_id).pools:
        tx.afterwards.append(lambda tx: _ask(tx, ticket, {"to": "pool"}))


def end(tx: Transaction, ticket: Ticket, question: Menu | None = None) -> None:
    """Takes the chat back from the client; ``question`` is the last thing said there."""
    words: Mapping[str, Any] = {}
    if question is not None:
        (_, words), *_ = parcels([question], tx.rules_of(ticket.conversation_id))
    _ask(tx, ticket, {"to": "ended", **words})


def keep_here(tx: Transaction, ticket: Ticket) -> bool:
    """Withdraws what would let the chat go over to a person or into the queue and has not been tried yet.

    False when the chat may be on its way there.
    """
    waits = (outbox.c.conversation_id == ticket.conversation_id, outbox.c.kind == SESSION)
    query = select(outbox).where(*waits, outbox.c.status.in_(("queued", "sending"))).with_for_update()
    leaving = [row for row in tx.connection.execute(query).all() if row.payload.get("to") in ELSEWHERE]
    untried = [row.id for row in leaving if row.status == "queued" and row.error != ResultUnknown.code]
    change = update(outbox).where(outbox.c.id.in_(untried))
    tx.connection.execute(change.values(status="withdrawn", error="kept_here"))
    return len(untried) == len(leaving)


def look(tx: Transaction) -> None:
    """Asks the platform who speaks in this turn's conversation, in case that its word was lost."""
    tx.put(tx.conversation_id, SESSION, {"look": tx.inbox_id}, voice="bot", key=f"look:{tx.inbox_id}")


def last_seen_elsewhere(tx: Transaction) -> int:
    """The id of the last message of this conversation that was written while the platform itself says that somebody
    else spoke there, or that nobody did yet; zero when there is none.
    """
    query = select(outbox.c.payload, outbox.c.receipt).where(
        outbox.c.conversation_id == tx.conversation_id, outbox.c.kind == SESSION, outbox.c.status == "sent"
    )
    rows = tx.connection.execute(query.order_by(outbox.c.id.desc()).limit(_LOOKED_BACK)).all()
    asked = [row.payload.get("look") or 0 for row in rows if (row.receipt or {}).get("session") in ELSEWHERE]
    return max(asked, default=0)


def _ask(tx: Transaction, ticket: Ticket, payload: Mapping[str, Any]) -> None:
    tx.put(ticket.conversation_id, SESSION, payload, voice="person", about=tickets.about(ticket.id))
