"""Who speaks with the resident: a person from taking the ticket until it is solved, the bot at all other times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sqlalchemy import select

from bot.menu import Choice, Menu
from bot.storage.tables import outbox
from bot.transaction import Transaction
from config.texts import Form, Texts
from escalation import private, sessions, tickets
from escalation.notices import Notices
from escalation.routing import holder_of
from escalation.tickets import Ticket
from shop.directory import Staff
from shop.residents import find_by_id

Verdict = Literal["approved", "rejected"]

SETTLE = "settle"
"""The key in the conversation's state under which stands the ticket that the resident was asked about."""

ASIDE = "settle_aside"
"""The key in the state that says: something else has been spoken of since that question."""

_JUST_OPENED = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Takeover:
    """What a member of staff does with a ticket, and what the resident hears of it.

    The tickets handed in are locked (:func:`escalation.tickets.lock`) and visible to that person.
    """

    notices: Notices
    texts: Texts

    def take(
        self, tx: Transaction, ticket: Ticket, staff: Staff, *, introduce: bool = True, over: bool = False
    ) -> bool:
        """Makes the ticket this person's and lets her speak instead of the bot; False when it is not to be had.

        To be had is what waits, and what belongs to somebody who has left; with ``over`` also what a colleague has in
        hand. ``introduce``: tell the resident who is there now; not needed when a reply follows at once, nor when she
        has only just read the promise of this person: platforms let few messages through to her.
        """
        left = self.notices.routing.is_left(ticket)
        if not tickets.take(tx, ticket.id, staff.id, over=left or (over and ticket.owner != staff.id)):
            return False
        self._hold(tx, ticket, staff)
        self.notices.taken(tx, ticket, staff)
        sessions.keep_here(tx, ticket)  # whoever has it need not wait in the platform's queue
        if introduce and not self._is_promised(tx, ticket, staff):
            self.tell_resident(tx, ticket, "taken", owner=staff.name)
        if introduce:
            # Whoever begins with an answer through the bot goes on so.
            sessions.hand_to(tx, ticket, staff)
        return True

    def _is_in_client(self, tx: Transaction, ticket: Ticket) -> bool:
        """Whether the resident is served in the platform's own client."""
        speaks = sessions.who_speaks(tx, ticket.conversation_id)
        return speaks == "person" and tx.is_configured(ticket.conversation_id)

    def _is_promised(self, tx: Transaction, ticket: Ticket, staff: Staff) -> bool:
        """Whether the resident has just read that this person will come: leaders are named, others are not."""
        leader = self.notices.directory.leader_of(ticket.community_id)
        named = ticket.owner is None and leader is not None and leader.id == staff.id
        return named and tx.now - ticket.opened_at < _JUST_OPENED and _has_been_answered(tx, ticket)

    def reply(self, tx: Transaction, ticket: Ticket, staff: Staff, text: str) -> bool:
        """Passes a person's own words on to the resident; False when there is no private chat with her yet."""
        tickets.add_event(tx, ticket.id, staff.id, "replied", text)
        return self.tell_resident(tx, ticket, "person", owner=staff.name, text=text)

    def solve(self, tx: Transaction, ticket: Ticket, staff: Staff) -> bool:
        """Marks the ticket as solved, gives the conversation back to the bot and asks the resident whether it is so."""
        if not self.solve_silently(tx, ticket, staff):
            return False
        if self._is_in_client(tx, ticket):
            sessions.end(tx, ticket, self.question(tx, ticket, staff))
        else:
            self.tell_resident(tx, ticket, "settled_question", outcome=True, owner=staff.name)
        return True

    def solve_silently(self, tx: Transaction, ticket: Ticket, staff: Staff) -> bool:
        """Does what ``solve`` does, and leaves it to the caller to ask the resident."""
        if not tickets.solve(tx, ticket.id, staff.id):
            return False
        self._release(tx, ticket, staff)
        if place := private.place_of(tx, ticket):
            tx.set_state(place, {SETTLE: ticket.id, ASIDE: None})
        return True

    def question(self, tx: Transaction, ticket: Ticket, staff: Staff) -> Menu:
        """Asks whether it is solved, to be answered with a tap."""
        form = _form(tx, ticket)
        choices = [
            Choice(f"{name}:{ticket.id}", self.texts.say(f"in_client.choice_{name}", form))
            for name in ("settled", "not_settled")
        ]
        head = self.texts.say("in_client.settled_question", form, owner=staff.name, label=ticket.label)
        return Menu(head, tuple(choices))

    def decide(
        self, tx: Transaction, ticket: Ticket, staff: Staff, verdict: Verdict, *, reason: str, wish: str
    ) -> None:
        """Tells the resident how a claim was decided; a ticket that nobody holds is solved by that.

        ``wish`` is what she asked for: refund, replacement, coupon, or any. ``reason`` becomes part of a sentence.
        """
        tickets.add_event(tx, ticket.id, staff.id, verdict, reason)
        if ticket.status == "waiting":
            tickets.solve(tx, ticket.id, staff.id)
            tx.follow(ticket.conversation_id, bool(tickets.open_in(tx.connection, ticket.conversation_id)))
        key = f"approved_{wish}" if verdict == "approved" else "rejected"
        self.tell_resident(tx, ticket, key, outcome=True, owner=staff.name, reason=reason.rstrip("。.！!；; "))
        if ticket.owner and ticket.owner != staff.id:
            self.notices.news(tx, ticket, [ticket.owner], verdict, owner=staff.name)

    def bot_on(self, tx: Transaction, ticket: Ticket, staff: Staff) -> bool:
        """Lets the bot answer again while the person keeps the ticket; False when she was not speaking."""
        if holder_of(tx, ticket.conversation_id) != staff.id:
            return False
        tx.hold(ticket.conversation_id, None)
        tickets.add_event(tx, ticket.id, staff.id, "bot_on")
        if self._is_in_client(tx, ticket):
            sessions.end(tx, ticket)
        return True

    def bot_off(self, tx: Transaction, ticket: Ticket, staff: Staff) -> None:
        """Silences the bot again in the conversation of a ticket that this person has."""
        self._hold(tx, ticket, staff)
        tickets.add_event(tx, ticket.id, staff.id, "bot_off")

    def reopen(
        self, tx: Transaction, ticket: Ticket, last_messages: Sequence[str]
    ) -> tuple[Ticket, tuple[Staff, ...]] | None:
        """The resident is not satisfied: the ticket that is open for it now, and the supervisors who were told.

        ``last_messages`` are her own words, oldest first. None when the ticket is not solved any more.
        """
        reopened = tickets.reopen(tx, ticket)
        if reopened is None:
            return None
        tx.follow(ticket.conversation_id, True)
        return reopened, self.notices.reopened(tx, reopened, ticket.owner, last_messages)

    def tell_resident(
        self, tx: Transaction, ticket: Ticket, key: str, *, outcome: bool = False, **values: object
    ) -> bool:
        """Says something to the resident on behalf of a person, whether or not the bot is silent there.

        ``outcome``: this is how the matter ends. What was begun in a group goes on in a private chat. While there is
        none the resident is shown the way there; then, and when the channel is gone, the ticket's people are told, and
        it is False.
        """
        place = private.place_of(tx, ticket)
        if place is None:
            if key != "taken":
                self._tell_of_no_place(tx, ticket)
            return False
        text = self.texts.say(f"ticket.{key}", _form(tx, ticket), label=ticket.label, **values)
        tx.tell(place, text, voice="person", about=tickets.about(ticket.id), outcome=outcome)
        return True

    def _tell_of_no_place(self, tx: Transaction, ticket: Ticket) -> None:
        in_group = tx.is_in_group(ticket.conversation_id)
        if in_group:
            private.show_the_way(tx, ticket, self.notices.directory, self.texts)
        self.notices.undelivered(tx, ticket, "in_group" if in_group else "channel_gone", None)

    def _hold(self, tx: Transaction, ticket: Ticket, staff: Staff) -> None:
        """Whoever speaks already, on another ticket of the same resident, goes on speaking while she is there."""
        holder = holder_of(tx, ticket.conversation_id)
        if holder == ticket.owner or not self.notices.routing.entitled([holder], ticket.community_id):
            tx.hold(ticket.conversation_id, staff.id)

    def _release(self, tx: Transaction, ticket: Ticket, staff: Staff) -> None:
        """The next person who has a ticket of this resident speaks, else the bot."""
        remaining = tickets.open_in(tx.connection, ticket.conversation_id)
        tx.follow(ticket.conversation_id, bool(remaining))
        if holder_of(tx, ticket.conversation_id) != staff.id:
            return
        owners = [owner.id for other in remaining if (owner := self.notices.routing.owner(other))]
        tx.hold(ticket.conversation_id, staff.id if staff.id in owners else next(iter(owners), None))


def _has_been_answered(tx: Transaction, ticket: Ticket) -> bool:
    """Whether all that the bot has said since the ticket was opened is out: what still waits will be withdrawn."""
    said = (outbox.c.conversation_id == ticket.conversation_id, outbox.c.voice == "bot")
    query = select(outbox.c.status).where(*said, outbox.c.created_at >= ticket.opened_at).distinct()
    statuses: set[str] = set(tx.connection.execute(query).scalars())
    return bool(statuses) and statuses <= {"sent", "offered"}


def _form(tx: Transaction, ticket: Ticket) -> Form:
    resident = find_by_id(tx.connection, ticket.resident_id) if ticket.resident_id is not None else None
    return "elder" if resident and resident.elder else "plain"
