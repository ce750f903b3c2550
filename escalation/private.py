"""Where to speak with a resident whose ticket was opened in a group: in private, for there everybody reads."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Row, and_, exists, or_, select

from bot import reply_window
from bot.storage.tables import conversations
from bot.transaction import Transaction
from config.texts import Texts
from escalation import tickets
from escalation.tickets import Ticket
from shop.directory import Directory
from shop.kf_links import link_to
from shop.tables import resident_accounts


def place_of(tx: Transaction, ticket: Ticket) -> int | None:
    """The conversation in which to speak of a ticket.

    For one out of a group it is a private chat with the same account, or with the resident's others, in which something
    can be said now; None while there is none, and when the chat's channel is not there any more.
    """
    if not tx.is_in_group(ticket.conversation_id):
        return ticket.conversation_id if tx.is_configured(ticket.conversation_id) else None
    opened = _conversation(tx, ticket.conversation_id)
    own = and_(conversations.c.channel == opened.channel, conversations.c.account == opened.account)
    query = select(conversations).where(conversations.c.chat == "", or_(own, _of_resident(ticket)))
    known = tx.connection.execute(query.order_by(conversations.c.window_closes_at.desc(), conversations.c.id)).all()
    return next((row.id for row in known if row.channel in tx.capabilities and _is_open(tx, row)), None)


def show_the_way(tx: Transaction, ticket: Ticket, directory: Directory, texts: Texts) -> None:
    """Tells the resident in the group that there is news for her, and where; while something can be said there."""
    if not _is_open(tx, _conversation(tx, ticket.conversation_id)):
        return
    community = directory.community(ticket.community_id)
    link = link_to(tx.connection, community) if community else None
    text = texts.say("group.news", "group", link=link) if link else texts.say("group.news_without_link", "group")
    tx.tell(ticket.conversation_id, text, voice="person", about=tickets.about(ticket.id))


def _conversation(tx: Transaction, conversation_id: int) -> Row[Any]:
    return tx.connection.execute(select(conversations).where(conversations.c.id == conversation_id)).one()


def _of_resident(ticket: Ticket) -> ColumnElement[bool]:
    accounts = exists().where(
        resident_accounts.c.resident_id == ticket.resident_id,
        resident_accounts.c.channel == conversations.c.channel,
        resident_accounts.c.account == conversations.c.account,
    )
    return accounts if ticket.resident_id is not None else conversations.c.id.is_(None)


def _is_open(tx: Transaction, row: Row[Any]) -> bool:
    """Whether something said now would arrive."""
    rules = tx.capabilities.get(row.channel)
    if rules is None or row.session or not rules.pushes:
        return False
    return rules.window is None or (row.window_left > 0 and not reply_window.is_over(row, tx.now))
