"""Handing a resident over to people: the ticket, who is told, and what the resident is promised, in one commit."""

from __future__ import annotations

from collections.abc import Sequence

from bot.transaction import Transaction
from config.texts import Form, Texts
from escalation import sessions
from escalation.notices import Notices
from escalation.tickets import NewTicket, Ticket, open_ticket
from shop.directory import Staff
from shop.policy import Policy


def hand_over(
    tx: Transaction,
    *,
    new: NewTicket,
    last_messages: Sequence[str],
    form: Form,
    notices: Notices,
    texts: Texts,
    policy: Policy,
) -> Ticket:
    """Opens the ticket or adds to the open one, tells staff, and replies with the number and what happens next.

    ``form`` is how to speak to the resident, ``last_messages`` her own words, oldest first. The promise names a time
    only when somebody could be told. In a group it names nothing, and is made once.
    """
    ticket, newly = open_ticket(tx, new)
    tx.follow(ticket.conversation_id, True)
    if newly:
        told = notices.announce(tx, ticket, last_messages, new.facts)
        minutes = policy.first_response_minutes[ticket.priority] if notices.at_work(told, tx.now) else None
        tx.reply(promise(texts, form, ticket, told, minutes))
        sessions.let_wait(tx, ticket)
        return ticket
    told = notices.remind(tx, ticket, new.reason)
    if form != "group":  # there, once is enough
        key = "ticket.again" if told else "ticket.promise_to_nobody"
        tx.reply(texts.say(key, form, label=ticket.label, who=in_words(texts, told)))
    return ticket


def promise(texts: Texts, form: Form, ticket: Ticket, told: Sequence[Staff], minutes: int | None) -> str:
    """What the resident reads when a ticket is opened: its number, who has been told, and when to expect somebody.

    ``minutes`` is None outside the working hours of those who were told: then no time is promised.
    """
    if not told:
        return texts.say("ticket.promise_to_nobody", form, label=ticket.label)
    if minutes is None:
        return texts.say("ticket.promise_for_later", form, label=ticket.label, who=in_words(texts, told))
    hours, rest = divmod(minutes, 60)
    unit, number = ("minutes", minutes) if rest else ("hours", hours)
    within = texts.say(f"ticket.{unit}", form, number=number)
    return texts.say("ticket.promise", form, label=ticket.label, who=in_words(texts, told), within=within)


def in_words(texts: Texts, staff: Sequence[Staff]) -> str:
    """Who was told, as residents know them: a leader by name, others by what they do."""
    if staff and staff[0].role == "leader":
        return staff[0].name
    return texts.say(f"ticket.role_{staff[0].role if staff else 'agent'}")
