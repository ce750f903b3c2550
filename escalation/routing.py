"""Who hears of a ticket, and of what the resident writes while it is open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import select

from bot.storage.tables import conversations
from bot.transaction import Transaction
from escalation import tickets
from escalation.tickets import Ticket
from shop.directory import Directory, Staff
from shop.hours import within_hours


@dataclass(frozen=True, slots=True)
class Routing:
    """Finds the staff for a matter; only people who can be reached through a configured channel count."""

    directory: Directory
    timezone: ZoneInfo

    def responsible(self, tx: Transaction, community_id: str | None) -> tuple[Staff, ...]:
        """Who is told of a new matter: the community's leader, else one agent, else the supervisors.

        The agent is one on duty if there is any, and of these the one with the fewest tickets.
        """
        leader = self.directory.leader_of(community_id)
        if leader is not None and _channel(tx, leader):
            return (leader,)
        agents = [agent for agent in self.directory.agents() if _channel(tx, agent)]
        if not agents:
            return self.supervisors(tx)
        local = tx.now.astimezone(self.timezone)

        def inconvenience(agent: Staff) -> tuple[bool, int]:
            return not within_hours(agent.hours, local), tickets.burden(tx.connection, agent.id)

        return (min(agents, key=inconvenience),)

    def supervisors(self, tx: Transaction) -> tuple[Staff, ...]:
        return tuple(person for person in self.directory.supervisors() if _channel(tx, person))

    def concerned(self, tx: Transaction, ticket: Ticket) -> tuple[Staff, ...]:
        """Who is told of news about a ticket: its owner, else everybody who was told of it.

        When all of them have left or may no longer see it, it is whoever is responsible now.
        """
        staff_ids = [ticket.owner] if ticket.owner else tickets.watchers(tx.connection, ticket.id)
        return self.reachable(tx, staff_ids, ticket.community_id) or self.responsible(tx, ticket.community_id)

    def substitutes(self, tx: Transaction, ticket: Ticket, reader: Staff | None) -> tuple[Staff, ...]:
        """Who can act on a ticket instead of somebody who cannot be reached.

        That is the agents, or for a ticket in somebody's hands the supervisors, who may take it over; else the others.
        """
        agents = tuple(person for person in self.directory.agents() if _channel(tx, person) and person != reader)
        supervisors = tuple(person for person in self.supervisors(tx) if person != reader)
        return (supervisors or agents) if self.owner(ticket) else (agents or supervisors)

    def audience(self, tx: Transaction, conversation_id: int) -> tuple[Staff, ...]:
        """Who reads what a resident writes: the holder of the conversation, and everybody concerned with a ticket."""
        holder = holder_of(tx, conversation_id)
        matters = tickets.open_in(tx.connection, conversation_id)
        communities = {ticket.community_id for ticket in matters} or {None}
        found = [person for community_id in communities for person in self.reachable(tx, [holder], community_id)]
        for ticket in matters:
            found += self.concerned(tx, ticket)
        return tuple({person.id: person for person in found}.values())

    def owner(self, ticket: Ticket) -> Staff | None:
        """Who has a ticket in hand; None also when that person has left or may no longer see the community."""
        return next(iter(self.entitled([ticket.owner], ticket.community_id)), None) if ticket.status == "held" else None

    def is_left(self, ticket: Ticket) -> bool:
        """Whether a ticket is in the hands of somebody who can do nothing for it any more."""
        return ticket.status == "held" and self.owner(ticket) is None

    def entitled(self, staff_ids: Iterable[str | None], community_id: str | None) -> tuple[Staff, ...]:
        """Those of the named people who are still staff and may see what belongs to a community."""
        known = (self.directory.staff_member(staff_id) for staff_id in staff_ids)
        return tuple(person for person in known if person and self.directory.may_see(person, community_id))

    def reachable(
        self, tx: Transaction, staff_ids: Iterable[str | None], community_id: str | None
    ) -> tuple[Staff, ...]:
        """The entitled of the named people who have an account on a configured channel."""
        return tuple(person for person in self.entitled(staff_ids, community_id) if _channel(tx, person))


def address_of(tx: Transaction, staff: Staff) -> int:
    """The conversation through which a reachable member of staff is told things."""
    channel = _channel(tx, staff)
    assert channel is not None
    return tx.conversation_with(channel, staff.accounts[channel])


def holder_of(tx: Transaction, conversation_id: int) -> str | None:
    """The id of the person who speaks in a conversation instead of the bot."""
    query = select(conversations.c.holder).where(conversations.c.id == conversation_id)
    holder: str | None = tx.connection.execute(query).scalar_one()
    return holder


def _channel(tx: Transaction, staff: Staff) -> str | None:
    """The configured channel on which to reach a person; one that needs no word from the reader first goes before.

    An account in a platform's own client is none: she speaks there, but cannot be written to.
    """
    known = [name for name in staff.accounts if name in tx.capabilities and not tx.capabilities[name].hands_over]
    return min(known, key=lambda name: tx.capabilities[name].window is not None, default=None)
