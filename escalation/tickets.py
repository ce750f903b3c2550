"""Tickets: opening, taking, solving, and finding them.

Every change names the status that it expects, so of two people who act at once exactly one succeeds. Changes of one
conversation's tickets also queue behind the lock of the conversation's row (:func:`lock`), which a resident's own turn
holds as well; so locks are always taken in the same order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, func, insert, literal, select, update

from bot.storage.tables import conversations
from bot.storage.types import Instant
from bot.transaction import Transaction, ignoring_repeats
from escalation.priorities import higher, one_step_up
from escalation.tables import ticket_events, ticket_watchers, tickets

Kind = Literal["handoff", "claim"]
Actor = str
"""A staff id, or one of the two below."""

RESIDENT: Actor = "resident"
BOT: Actor = "bot"

OPEN = ("waiting", "held")
_LONGEST_REASON = 300
_LONGEST_NOTE = 500
_MOST_FACTS = 12
_MOST_FOUND = 20
_QUOTED = 120
_FEWEST_WITHDRAWN = 2
_WITHDRAWN = "…"


@dataclass(frozen=True, slots=True)
class NewTicket:
    """What a ticket is opened with.

    ``name`` is masked. ``facts`` are lines for whoever takes it, in order.
    """

    kind: Kind
    conversation_id: int
    priority: str
    reason: str
    resident_id: int | None
    community_id: str | None
    name: str
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as stored. ``status``: waiting, held, solved or confirmed; ``owner``: the person who took it."""

    id: int
    kind: str
    conversation_id: int
    resident_id: int | None
    community_id: str | None
    name: str
    status: str
    priority: str
    reason: str
    facts: tuple[str, ...] = field(repr=False)
    owner: str | None
    opened_at: datetime
    solved_at: datetime | None
    confirmed_at: datetime | None

    @property
    def label(self) -> str:
        return label(self.id)

    @property
    def number(self) -> str:
        """The number as it is typed: 0123."""
        return f"{self.id:04d}"

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    def belongs_to(self, conversation_id: int, resident_id: int | None) -> bool:
        """Whether it is the matter of the resident who writes there."""
        return self.conversation_id == conversation_id or (resident_id is not None and self.resident_id == resident_id)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a ticket."""

    at: datetime
    actor: Actor
    kind: str
    note: str


def label(number: int) -> str:
    """A ticket's number as people read it everywhere: 工单 0123."""
    return f"工单 {number:04d}"


def about(ticket_id: int) -> str:
    """How an outgoing message names the ticket it belongs to."""
    return f"ticket:{ticket_id}"


def find_about(connection: Connection, about: str | None) -> Ticket | None:
    """The ticket that an outgoing message belongs to, if it does to one."""
    kind, _, number = (about or "").partition(":")
    return find(connection, int(number)) if kind == "ticket" and number.isdecimal() else None


def open_ticket(tx: Transaction, new: NewTicket) -> tuple[Ticket, bool]:
    """The ticket for a new matter, and whether it was made now.

    A conversation has one open hand-off: a second reason is added to it, and the higher of both priorities stays.
    """
    if new.kind == "handoff" and (known := open_handoff(tx.connection, new.conversation_id)):
        return _add_reason(tx, known, new), False
    values = {
        "kind": new.kind,
        "conversation_id": new.conversation_id,
        "resident_id": new.resident_id,
        "community_id": new.community_id,
        "name": new.name,
        "status": "waiting",
        "priority": new.priority,
        "reason": new.reason[:_LONGEST_REASON],
        "facts": list(new.facts[:_MOST_FACTS]),
        "opened_at": tx.now,
        "reopened": 0,
    }
    ticket_id: int = tx.connection.execute(insert(tickets).values(values).returning(tickets.c.id)).scalar_one()
    add_event(tx, ticket_id, BOT, "opened", new.reason)
    return _get(tx.connection, ticket_id), True


def _add_reason(tx: Transaction, ticket: Ticket, new: NewTicket) -> Ticket:
    reason = ticket.reason if new.reason in ticket.reason else f"{ticket.reason}；{new.reason}"
    facts = dict.fromkeys((*ticket.facts, *new.facts))
    _change(
        tx,
        ticket.id,
        OPEN,
        reason=reason[:_LONGEST_REASON],
        facts=list(facts)[:_MOST_FACTS],
        priority=higher(ticket.priority, new.priority),
    )
    add_event(tx, ticket.id, BOT, "repeated", new.reason)
    return _get(tx.connection, ticket.id)


def lock(tx: Transaction, ticket_id: int) -> Ticket | None:
    """A ticket that nobody else changes until this transaction ends; None when there is none with this number."""
    query = select(tickets.c.conversation_id).where(tickets.c.id == ticket_id)
    conversation_id = tx.connection.execute(query).scalar()
    if conversation_id is None:
        return None
    row = select(conversations.c.id).where(conversations.c.id == conversation_id)
    # Not the key: messages that refer to the conversation may still be queued meanwhile.
    tx.connection.execute(row.with_for_update(key_share=True)).one()
    return find(tx.connection, ticket_id)


def take(tx: Transaction, ticket_id: int, staff_id: str, *, over: bool = False) -> bool:
    """Makes a waiting ticket this person's; False when somebody else was faster.

    ``over``: also one that somebody else has in hand; the ticket must be locked.
    """
    expected = OPEN if over else ("waiting",)
    taken = _change(tx, ticket_id, expected, status="held", owner=staff_id, first_response_at=_first(tx))
    if taken:
        add_event(tx, ticket_id, staff_id, "taken")
    return taken


def solve(tx: Transaction, ticket_id: int, actor: Actor) -> bool:
    """Marks an open ticket as solved by a person or by the bot; False when it is not open any more.

    What nobody had taken becomes the ticket of whoever solved it.
    """
    owner = func.coalesce(tickets.c.owner, actor)
    solved = _change(tx, ticket_id, OPEN, status="solved", owner=owner, solved_at=tx.now, first_response_at=_first(tx))
    if solved:
        add_event(tx, ticket_id, actor, "solved")
    return solved


def confirm(tx: Transaction, ticket_id: int) -> bool:
    """Closes a solved ticket on the resident's word."""
    confirmed = _change(tx, ticket_id, ("solved",), status="confirmed", confirmed_at=tx.now)
    if confirmed:
        add_event(tx, ticket_id, RESIDENT, "confirmed")
    return confirmed


def reopen(tx: Transaction, ticket: Ticket) -> Ticket | None:
    """Opens a solved ticket again, one priority step up, for whoever takes it; None when it is not solved.

    Where the conversation has another open hand-off by now, that one is raised instead, so that the resident has one
    number to ask for.
    """
    other = open_handoff(tx.connection, ticket.conversation_id) if ticket.kind == "handoff" else None
    raised = one_step_up(ticket.priority)
    if other is not None:
        _change(tx, other.id, OPEN, priority=higher(other.priority, raised))
        add_event(tx, other.id, RESIDENT, "reopened", ticket.label)
        return _get(tx.connection, other.id)
    values = {"status": "waiting", "priority": raised, "owner": None, "solved_at": None}
    if not _change(tx, ticket.id, ("solved",), reopened=tickets.c.reopened + 1, **values):
        return None
    add_event(tx, ticket.id, RESIDENT, "reopened")
    return _get(tx.connection, ticket.id)


def add_event(tx: Transaction, ticket_id: int, actor: Actor, kind: str, note: str = "") -> None:
    """Writes down what happened to a ticket."""
    values = {"ticket_id": ticket_id, "at": tx.now, "actor": actor, "kind": kind, "note": note[:_LONGEST_NOTE]}
    tx.connection.execute(insert(ticket_events), values)


def withdraw_words(tx: Transaction, conversation_id: int, words: str) -> None:
    """Takes a resident's words, or what is quoted of them, out of the open tickets of a conversation."""
    quoted = " ".join(words.split())[:_QUOTED]
    if len(quoted) < _FEWEST_WITHDRAWN:
        return
    for ticket in open_in(tx.connection, conversation_id):
        facts = [_without(fact, words, quoted) for fact in ticket.facts]
        _change(tx, ticket.id, OPEN, reason=_without(ticket.reason, words, quoted), facts=facts)
        query = select(ticket_events.c.id, ticket_events.c.note).where(ticket_events.c.ticket_id == ticket.id)
        for event in tx.connection.execute(query).all():
            note = _without(event.note, words, quoted)
            if note != event.note:
                change = update(ticket_events).where(ticket_events.c.id == event.id)
                tx.connection.execute(change.values(note=note))


def _without(text: str, words: str, quoted: str) -> str:
    return text.replace(words, _WITHDRAWN).replace(quoted, _WITHDRAWN)


def add_watchers(tx: Transaction, ticket_id: int, staff_ids: Sequence[str]) -> None:
    """Remembers who was told of a ticket."""
    for staff_id in staff_ids:
        statement = ignoring_repeats(tx.connection, ticket_watchers)
        tx.connection.execute(statement, {"ticket_id": ticket_id, "staff_id": staff_id})


def find(connection: Connection, ticket_id: int) -> Ticket | None:
    row = connection.execute(select(*_COLUMNS).where(tickets.c.id == ticket_id)).first()
    return _as_ticket(row) if row else None


def open_handoff(connection: Connection, conversation_id: int) -> Ticket | None:
    """The conversation's open hand-off; there is one at most."""
    found = _select(connection, tickets.c.conversation_id == conversation_id, tickets.c.kind == "handoff", _is_open())
    return found[0] if found else None


def open_in(connection: Connection, conversation_id: int) -> list[Ticket]:
    """The open tickets of a conversation, the most urgent first."""
    return _select(connection, tickets.c.conversation_id == conversation_id, _is_open())


def held_by(connection: Connection, staff_id: str) -> list[Ticket]:
    """What a person has in hand, the most urgent first."""
    return _select(connection, tickets.c.owner == staff_id, tickets.c.status == "held")


def waiting_for(connection: Connection, staff_id: str) -> list[Ticket]:
    """Tickets that nobody has taken and that this person was told of, the most urgent first."""
    watched = select(ticket_watchers.c.ticket_id).where(ticket_watchers.c.staff_id == staff_id)
    return _select(connection, tickets.c.status == "waiting", tickets.c.id.in_(watched))


def of_resident(connection: Connection, conversation_id: int, resident_id: int | None) -> list[Ticket]:
    """The last tickets of a conversation or of the resident who writes there, the newest first."""
    theirs = tickets.c.conversation_id == conversation_id
    if resident_id is not None:
        theirs = theirs | (tickets.c.resident_id == resident_id)
    rows = connection.execute(select(*_COLUMNS).where(theirs).order_by(tickets.c.id.desc()).limit(_MOST_FOUND))
    return [_as_ticket(row) for row in rows]


def watchers(connection: Connection, ticket_id: int) -> list[str]:
    """The staff who were told of a ticket, in the order in which they were."""
    query = select(ticket_watchers.c.staff_id).where(ticket_watchers.c.ticket_id == ticket_id)
    return list(connection.execute(query.order_by(ticket_watchers.c.id)).scalars())


def events(connection: Connection, ticket_id: int, limit: int) -> list[Event]:
    """The last things that happened to a ticket, oldest first."""
    columns = (ticket_events.c.at, ticket_events.c.actor, ticket_events.c.kind, ticket_events.c.note)
    query = select(*columns).where(ticket_events.c.ticket_id == ticket_id)
    rows = connection.execute(query.order_by(ticket_events.c.id.desc()).limit(limit)).all()
    return [Event(**row._mapping) for row in reversed(rows)]


def burden(connection: Connection, staff_id: str) -> int:
    """How many tickets this person has in hand or was told of."""
    return len(held_by(connection, staff_id)) + len(waiting_for(connection, staff_id))


_COLUMNS = (
    tickets.c.id,
    tickets.c.kind,
    tickets.c.conversation_id,
    tickets.c.resident_id,
    tickets.c.community_id,
    tickets.c.name,
    tickets.c.status,
    tickets.c.priority,
    tickets.c.reason,
    tickets.c.facts,
    tickets.c.owner,
    tickets.c.opened_at,
    tickets.c.solved_at,
    tickets.c.confirmed_at,
)


def _select(connection: Connection, *conditions: ColumnElement[bool]) -> list[Ticket]:
    query = select(*_COLUMNS).where(*conditions).order_by(tickets.c.priority, tickets.c.opened_at, tickets.c.id)
    return [_as_ticket(row) for row in connection.execute(query)]


def _get(connection: Connection, ticket_id: int) -> Ticket:
    return _as_ticket(connection.execute(select(*_COLUMNS).where(tickets.c.id == ticket_id)).one())


def _as_ticket(row: Any) -> Ticket:
    return Ticket(**{**row._mapping, "facts": tuple(row.facts)})


def _is_open() -> ColumnElement[bool]:
    return tickets.c.status.in_(OPEN)


def _first(tx: Transaction) -> Any:
    return func.coalesce(tickets.c.first_response_at, literal(tx.now, Instant()))


def _change(tx: Transaction, ticket_id: int, expected: Sequence[str], **values: Any) -> bool:
    query = update(tickets).where(tickets.c.id == ticket_id, tickets.c.status.in_(expected)).values(**values)
    return tx.connection.execute(query).rowcount == 1
