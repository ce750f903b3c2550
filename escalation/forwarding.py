"""Handing on what a resident writes to whoever waits for it."""

from __future__ import annotations

from bot.message import Message
from bot.transaction import Transaction
from config.texts import Texts
from escalation import tickets
from escalation.notices import Notices
from escalation.routing import address_of
from escalation.transcript import in_words


def words_to_staff(tx: Transaction, conversation_id: int, message: Message, notices: Notices, texts: Texts) -> None:
    """Tells the holder, the owners and those who were told of a waiting ticket what the resident has written."""
    notices.forward(tx, conversation_id, in_words(texts, message.kind, message.text))


def pictures_to_staff(tx: Transaction, conversation_id: int, attachment_id: int, notices: Notices) -> None:
    """Shows them a stored picture or voice message of that conversation, once each."""
    matters = tickets.open_in(tx.connection, conversation_id)
    about = tickets.about(matters[0].id) if matters else None
    for person in notices.routing.audience(tx, conversation_id):
        tx.show(address_of(tx, person), attachment_id, about=about, key=f"show:{attachment_id}:{person.id}")
