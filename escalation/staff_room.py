"""Alerts to the staff's own groups: what is urgent, or has nobody, is seen by all; never who complains or of what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.transaction import Transaction
from config.texts import Texts
from escalation.tickets import Ticket, about
from shop.directory import Directory, Staff

_URGENT = frozenset({"P0", "P1"})
_ROOM = "room"
"""The account of the only conversation there is in a room."""


@dataclass(frozen=True, slots=True)
class StaffRooms:
    """Writes to every configured room; without one, nothing happens."""

    directory: Directory
    texts: Texts

    def opened(self, tx: Transaction, ticket: Ticket, told: Iterable[Staff]) -> None:
        """A new ticket: urgent ones, and those of which nobody could be told."""
        told = tuple(told)
        if not told:
            self._alert(tx, ticket, "nobody", self.directory.supervisors())
        elif ticket.priority in _URGENT:
            self._alert(tx, ticket, "opened", told)

    def reopened(self, tx: Transaction, ticket: Ticket, told: Iterable[Staff]) -> None:
        """A resident who is not satisfied."""
        self._alert(tx, ticket, "reopened", tuple(told))

    def unread(self, tx: Transaction, ticket: Ticket, told: Iterable[Staff]) -> None:
        """The notice of a ticket did not arrive; ``told``: who got it instead."""
        self._alert(tx, ticket, "unread", tuple(told))

    def _alert(self, tx: Transaction, ticket: Ticket, cause: str, staff: tuple[Staff, ...]) -> None:
        community = self.directory.community(ticket.community_id)
        values = {
            "label": ticket.label,
            "urgency": self.texts.say(f"notice.urgency_{ticket.priority}"),
            "community": community.name if community else self.texts.say("notice.no_community"),
            "kind": self._say(f"kind_{ticket.kind}"),
            "owners": "、".join(person.name for person in staff) or self._say("nobody_there"),
        }
        text = self._say(cause, **values)
        # That something was not read is said once: it may be the room itself that nothing reaches.
        occasion = "once" if cause == "unread" else tx.origin
        for room in _rooms(tx):
            tx.tell(
                tx.conversation_with(room, _ROOM),
                text,
                voice="notice",
                about=about(ticket.id),
                key=f"room:{room}:{cause}:{ticket.id}:{occasion}",
                mentions=_members(tx, staff),
            )

    def _say(self, key: str, **values: str) -> str:
        return self.texts.say(f"room.{key}", "plain", **values)


def _rooms(tx: Transaction) -> list[str]:
    return [name for name, rules in tx.capabilities.items() if rules.writes_groups and not rules.reads_groups]


def _members(tx: Transaction, staff: Iterable[Staff]) -> list[str]:
    """The accounts by which these people can be mentioned."""
    channels = [name for name, rules in tx.capabilities.items() if rules.of_members]
    found = (person.accounts.get(name) for person in staff for name in channels)
    return list(dict.fromkeys(account for account in found if account))
