"""Tickets as staff read them in the chat: one in full, or many in one line each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from config.texts import Texts
from escalation import tickets
from escalation.notices import Notices
from escalation.tickets import Event, Ticket
from escalation.transcript import last_lines, shortened, without_phones

_MOST_LISTED = 10
_LAST_LINES = 5
_LAST_EVENTS = 8


@dataclass(frozen=True, slots=True)
class TicketsInWords:
    """Renders tickets for staff at a given time."""

    notices: Notices
    texts: Texts
    now: datetime

    def in_full(self, connection: Connection, ticket: Ticket, staff_id: str) -> str:
        """Everything about one ticket; phone numbers in the resident's words are masked for all but the owner."""
        lines = last_lines(connection, self.texts, ticket.conversation_id, _LAST_LINES)
        own = ticket.owner == staff_id
        quoted = [f"{self._when(one.at)} {shortened(one.words if own else without_phones(one.words))}" for one in lines]
        return self._say(
            "ticket",
            label=ticket.label,
            urgency=self.notices.urgency(ticket),
            community=self.notices.community_of(ticket),
            name=ticket.name,
            status=self._status(ticket),
            reason=ticket.reason,
            facts=_lines([f"· {fact}" for fact in ticket.facts]),
            messages=_lines(quoted),
            events=_lines([self._event(event) for event in tickets.events(connection, ticket.id, _LAST_EVENTS)]),
            how=_lines([self.notices.how(ticket)] if ticket.is_open else []),
        )

    def listed(self, mine: list[Ticket]) -> str:
        """At most ten, the most urgent first, and how many more there are."""
        ordered = sorted(mine, key=lambda ticket: (ticket.priority, ticket.opened_at, ticket.id))
        lines = [self._in_one_line(ticket) for ticket in ordered[:_MOST_LISTED]]
        if len(ordered) > _MOST_LISTED:
            lines.append(self._say("more_tickets", count=len(ordered) - _MOST_LISTED))
        return "\n".join(lines)

    def whose(self, ticket: Ticket) -> str:
        """Who has a ticket that is not waiting, or who has solved it and when."""
        key = "held_by" if ticket.status == "held" else "already_solved"
        when = self._when(ticket.solved_at or self.now)
        return self._say(key, label=ticket.label, owner=self.notices.person(ticket.owner), time=when)

    def _in_one_line(self, ticket: Ticket) -> str:
        return self._say(
            f"listed_{ticket.status}",
            number=ticket.number,
            urgency=self.notices.urgency(ticket),
            name=ticket.name,
            reason=shortened(ticket.reason),
            minutes=self._minutes(ticket),
        )

    def _status(self, ticket: Ticket) -> str:
        owner = self.notices.person(ticket.owner) if ticket.owner else ""
        when = self._when(ticket.confirmed_at or ticket.solved_at or ticket.opened_at)
        return self._say(f"status_{ticket.status}", owner=owner, time=when, minutes=self._minutes(ticket))

    def _event(self, event: Event) -> str:
        actor, cause = self.notices.person(event.actor), event.note.partition(" ")[0]
        failed = event.kind in ("undelivered", "unnotified")
        note = self.texts.say(f"notice.{cause}") if failed else shortened(event.note)
        return f"{self._when(event.at)} {self._say(f'event_{event.kind}', actor=actor, note=note)}"

    def _minutes(self, ticket: Ticket) -> int:
        return int((self.now - ticket.opened_at).total_seconds() // 60)

    def _when(self, at: datetime) -> str:
        return self.notices.minute(at, self.now)

    def _say(self, key: str, **values: Any) -> str:
        return self.texts.say(f"staff.{key}", **values)


def _lines(lines: list[str]) -> str:
    return "".join(f"\n{line}" for line in lines)
