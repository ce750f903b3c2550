"""While a person speaks with the resident in the platform's own client: what she does there counts as hers."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from bot.conversation import Turn
from bot.effects import Effects, Record
from bot.events import PERSON_SPOKE, SESSION_CHANGED
from bot.storage.tables import inbox
from bot.transaction import Transaction
from config.texts import Texts
from escalation import sessions, tickets
from escalation.forwarding import words_to_staff
from escalation.notices import Notices
from escalation.routing import holder_of
from escalation.takeover import Takeover
from escalation.tickets import Ticket
from escalation.transcript import in_words
from handlers.speaker import Speakers
from shop.directory import Staff

_LEFT = "in_client"
"""The note of what a resident wrote while the bot could say nothing; with a colon, of what others did there."""


def handle(turn: Turn, *, notices: Notices, texts: Texts, speakers: Speakers) -> Effects | None:
    """Takes what happens in the client, and what a resident writes while the bot can say nothing there.

    Whoever reads her words there needs no copy of them.
    """
    message, conversation = turn.message, turn.conversation
    if message.event in (SESSION_CHANGED, PERSON_SPOKE):
        account = str(message.extra.get("staff", ""))
        staff = notices.directory.staff_by_account(message.channel, account) if account else None
        client = _Client(turn, staff, notices, texts, speakers)
        if message.event == PERSON_SPOKE:
            return Effects(records=(client.spoke,), note="in_client:spoke")
        if message.extra.get("who") == "ended":
            return Effects(records=(client.ended,), note="in_client:ended")
        return Effects(records=(client.taken,), note="in_client:taken")
    if conversation.session in sessions.ELSEWHERE and message.kind != "event":
        return Effects(records=_left_to_them(turn, notices, texts), note=_LEFT)
    return None


def session_told(tx: Transaction, who: str) -> None:
    """The platform has told who speaks in this conversation.

    When it is the bot, its word that somebody had stopped was lost: what was left to that person since is thought
    about again.
    """
    if who == "":
        here = inbox.c.conversation_id == tx.conversation_id
        last_act = select(func.max(inbox.c.id)).where(here, inbox.c.note.like(f"{_LEFT}:%"))
        since = max(sessions.last_seen_elsewhere(tx), tx.connection.execute(last_act).scalar() or 0)
        query = select(inbox.c.id).where(here, inbox.c.id > since, inbox.c.note == _LEFT)
        left: list[int] = list(tx.connection.execute(query).scalars())
        if left:
            tx.think_again(tx.conversation_id, left)
            tx.set_state(tx.conversation_id, {"history": None})  # else they would be remembered twice


def _left_to_them(turn: Turn, notices: Notices, texts: Texts) -> tuple[Record, ...]:
    """While nobody there has taken her out of the queue, only the owner of her ticket can see to her."""
    if turn.conversation.session != "pool" or turn.conversation.holder is None:
        return (sessions.look,)
    return (sessions.look, words_to_staff(turn.message, notices, texts))


@dataclass(frozen=True, slots=True)
class _Client:
    """One thing that happened in the client; ``staff`` is None for somebody who is not in the list of staff."""

    turn: Turn
    staff: Staff | None
    notices: Notices
    texts: Texts
    speakers: Speakers

    def taken(self, tx: Transaction) -> None:
        """Somebody speaks there from now on; the ticket, if there is one, is hers."""
        tx.session(tx.conversation_id, "person")
        ticket = self._ticket(tx)
        if self.staff is not None and ticket is not None and self._may_have(ticket):
            self._takeover.take(tx, ticket, self.staff, introduce=False, over=True)

    def spoke(self, tx: Transaction) -> None:
        """Her words are a reply like any other, and the first one is the ticket's first response."""
        tx.session(tx.conversation_id, "person")
        ticket = self._ticket(tx)
        if self.staff is None or ticket is None or not self._may_have(ticket):
            return
        self._takeover.take(tx, ticket, self.staff, introduce=False)
        extra = self.turn.message.extra
        words = in_words(self.texts, str(extra.get("kind", "other")), str(extra.get("text", "")))
        tickets.add_event(tx, ticket.id, self.staff.id, "replied", words)

    def ended(self, tx: Transaction) -> None:
        """The chat is the bot's again. Whose ticket it was says that it is done; the resident is asked."""
        tx.session(tx.conversation_id, "ended")
        ticket = self._ticket(tx)
        if self.staff is not None and ticket is not None and ticket.owner == self.staff.id:
            self._takeover.solve_silently(tx, ticket, self.staff)
            self._ask(tx, ticket, self.staff)
            return
        if self.staff is None or holder_of(tx, tx.conversation_id) == self.staff.id:
            tx.hold(tx.conversation_id, None)
        if self.turn.message.reply_code:
            tx.reply(self.speakers.say(self.turn, "in_client.ended"))

    def _ask(self, tx: Transaction, ticket: Ticket, staff: Staff) -> None:
        """Without the code of the event nothing can be said in a session that has ended."""
        if self.turn.message.reply_code:
            tx.reply(self._takeover.question(tx, ticket, staff))

    def _ticket(self, tx: Transaction) -> Ticket | None:
        return tickets.open_handoff(tx.connection, tx.conversation_id)

    def _may_have(self, ticket: Ticket) -> bool:
        return self.staff is not None and self.notices.directory.may_see(self.staff, ticket.community_id)

    @property
    def _takeover(self) -> Takeover:
        return Takeover(self.notices, self.texts)
