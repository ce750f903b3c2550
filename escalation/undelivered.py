"""When a message did not reach its reader: the ticket shows it, and whoever is concerned is told what to do."""

from __future__ import annotations

from sqlalchemy import select

from bot.channels.channel import SESSION_STAYS
from bot.delivery import Undelivered
from bot.storage.tables import conversations
from bot.transaction import Transaction
from escalation import tickets
from escalation.notices import Notices
from escalation.tickets import BOT, Ticket

# Sources of the codes: developers.weixin.qq.com, Customer_Service_Messages; the others are the outbox's own.
_CAUSES = {
    "45015": "window_closed",
    "window_closed": "window_closed",
    "43101": "window_closed",  # nor had she agreed to a notification
    "45047": "window_used_up",
    "window_used_up": "window_used_up",
    "window_kept": "window_kept",
    "session_person": "session_person",
    "session_pool": "session_pool",
    "session_ended": "session_ended",
    "kept": "kept",
    "channel_gone": "channel_gone",
    "notified": "notified",
    "account_closed": "account_closed",
    "person_refuses": "person_refuses",
    "words_refused": "words_refused",
}


def on_undelivered(tx: Transaction, undelivered: Undelivered, notices: Notices) -> None:
    """Writes it down in every ticket concerned and tells staff.

    A notice to staff that failed is told to others, each of them once per ticket, so that failing can never go round
    in circles. What a person has said is reported each time; what the bot has said once per ticket and cause.
    """
    why = _why(tx, undelivered)
    for ticket in _concerned(tx, undelivered):
        if undelivered.error == SESSION_STAYS:
            notices.stays(tx, ticket)
            continue
        to_staff = undelivered.voice == "notice"
        tickets.add_event(tx, ticket.id, BOT, "unnotified" if to_staff else "undelivered", f"{why} {undelivered.error}")
        if to_staff:
            _tell_others(tx, undelivered, ticket, why, notices)
            continue
        key = None if undelivered.voice == "person" else f"undelivered:{ticket.id}:{why}"
        notices.undelivered(tx, ticket, why, key)


def _tell_others(tx: Transaction, undelivered: Undelivered, ticket: Ticket, why: str, notices: Notices) -> None:
    """Where the resident waits for the reader of a lost notice, somebody else has to know."""
    query = select(conversations.c.channel, conversations.c.account).where(
        conversations.c.id == undelivered.conversation_id
    )
    address = tx.connection.execute(query).one()
    reader = notices.directory.staff_by_account(address.channel, address.account)
    owner = notices.routing.owner(ticket)
    if ticket.is_open and (owner is None or owner == reader):
        notices.unnotified(tx, ticket, why, reader)


def _concerned(tx: Transaction, undelivered: Undelivered) -> list[Ticket]:
    """The ticket the message belongs to, else the open ones of the conversation."""
    ticket = tickets.find_about(tx.connection, undelivered.about)
    return [ticket] if ticket else tickets.open_in(tx.connection, undelivered.conversation_id)


def _why(tx: Transaction, undelivered: Undelivered) -> str:
    """The name of the sentence that explains the cause."""
    if undelivered.error in ("window_closed", "window_used_up"):
        window = tx.rules_of(undelivered.conversation_id).window
        if window is not None and window.messages == 1:
            return "answer_used"
    if undelivered.error in _CAUSES:
        return _CAUSES[undelivered.error]
    return undelivered.status if undelivered.status in ("uncertain", "expired") else "refused"
