"""Handing on what a resident writes to whoever waits for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.effects import Record
from bot.message import Message
from bot.transaction import Transaction
from config.texts import Texts
from escalation import tickets
from escalation.notices import Notices
from escalation.routing import address_of
from escalation.transcript import in_words
from shop.directory import Staff


def words_to_staff(message: Message, notices: Notices, texts: Texts) -> Record:
    """Tells the holder, the owners and those who were told of a waiting ticket what the resident has written."""
    words = in_words(texts, message.kind, message.text)
    return lambda tx: notices.forward(tx, tx.conversation_id, words)


def pictures_to_staff(tx: Transaction, conversation_id: int, attachment_ids: Sequence[int], notices: Notices) -> None:
    """Shows stored pictures or voice messages to everybody who reads that conversation."""
    if attachment_ids:
        matters = tickets.open_in(tx.connection, conversation_id)
        audience = notices.routing.audience(tx, conversation_id)
        _show(tx, audience, attachment_ids, matters[0].id if matters else None)


def pictures_of_ticket(tx: Transaction, ticket_id: int, attachment_ids: Sequence[int], notices: Notices) -> None:
    """Shows stored pictures to whoever is concerned with a ticket."""
    ticket = tickets.find(tx.connection, ticket_id) if attachment_ids else None
    if ticket is not None:
        _show(tx, notices.routing.concerned(tx, ticket), attachment_ids, ticket.id)


def _show(tx: Transaction, staff: Iterable[Staff], attachment_ids: Sequence[int], ticket_id: int | None) -> None:
    """Each picture reaches each person once for the same ticket, whichever way it has come to be shown."""
    about = tickets.about(ticket_id) if ticket_id is not None else None
    for person in staff:
        for attachment_id in attachment_ids:
            key = f"show:{ticket_id}:{attachment_id}:{person.id}"
            tx.show(address_of(tx, person), attachment_id, about=about, key=key)
