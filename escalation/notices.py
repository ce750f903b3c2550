"""What staff are told about tickets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row

from bot.transaction import Transaction
from config.texts import Texts
from escalation import tickets
from escalation.cards import Cards, Change
from escalation.routing import Routing, address_of
from escalation.staff_room import StaffRooms
from escalation.tickets import BOT, RESIDENT, Ticket
from escalation.transcript import shortened, without_phones
from shop.directory import Community, Directory, Staff
from shop.hours import within_hours

_MOST_MESSAGES = 4
_MOST_FACTS = 8
_NO_CALL_NEEDED = frozenset({"kept", "notified", "session_person", "session_pool", "in_group", "answer_used"})
"""Causes for which there is something better than to telephone."""


class Notices:
    """Writes to the right members of staff and remembers who was told.

    A notice says the time to the second where two may otherwise read the same: WeCom drops a text that is sent to the
    same member twice within half an hour (developer.work.weixin.qq.com document 90236).
    """

    def __init__(self, directory: Directory, texts: Texts, timezone: ZoneInfo) -> None:
        self.directory = directory
        self.routing = Routing(directory, timezone)
        self.cards = Cards(texts)
        self.rooms = StaffRooms(directory, texts)
        self._texts = texts
        self._timezone = timezone

    def announce(
        self, tx: Transaction, ticket: Ticket, last_messages: Sequence[str], facts: Sequence[str]
    ) -> tuple[Staff, ...]:
        """Tells whoever is responsible of a new ticket; returns who was told, nobody when nobody can be reached."""
        told = self.routing.responsible(tx, ticket.community_id)
        if not told:
            tickets.add_event(tx, ticket.id, BOT, "unannounced")
        outline = self._outline(ticket, last_messages, facts)
        self._tell_card(tx, ticket, told, self._say("opened", **outline), outline)
        self.rooms.opened(tx, ticket, told)
        return told

    def remind(self, tx: Transaction, ticket: Ticket, reason: str) -> tuple[Staff, ...]:
        """Tells those concerned that there is one more reason for an open ticket; returns who was told."""
        told = self.routing.concerned(tx, ticket)
        text = self._say("repeated", label=ticket.label, name=ticket.name, reason=reason, time=self.second(tx.now))
        self._tell(tx, ticket, told, text)
        return told

    def reopened(
        self, tx: Transaction, ticket: Ticket, former: str | None, last_messages: Sequence[str]
    ) -> tuple[Staff, ...]:
        """Tells the supervisors, and whoever had the ticket, that the resident is not satisfied and what she says.

        Returns the supervisors who were told.
        """
        supervisors = self.routing.supervisors(tx)
        others = self.routing.concerned(tx, ticket) + self.routing.reachable(tx, [former], ticket.community_id)
        outline = self._outline(ticket, last_messages, ticket.facts)
        text = self._say("reopened", owner=self.person(former), **outline)
        readers = tuple({person.id: person for person in supervisors + others}.values())
        self._tell_card(tx, ticket, readers, text, outline)
        self.rooms.reopened(tx, ticket, supervisors)
        return supervisors

    def taken(self, tx: Transaction, ticket: Ticket, by: Staff) -> None:
        """Tells the others who were told of a ticket, and whoever had it so far, that somebody has it now."""
        others = dict.fromkeys([ticket.owner, *tickets.watchers(tx.connection, ticket.id)])
        self.news(tx, ticket, [staff_id for staff_id in others if staff_id != by.id], "taken", owner=by.name)

    def news(self, tx: Transaction, ticket: Ticket, staff_ids: Iterable[str | None], key: str, **values: Any) -> None:
        """Tells certain people one sentence about a ticket; who cannot be reached is passed over."""
        text = self._say(key, label=ticket.label, name=ticket.name, time=self.second(tx.now), **values)
        self._write(tx, ticket, self.routing.reachable(tx, staff_ids, ticket.community_id), text)

    def undelivered(self, tx: Transaction, ticket: Ticket, why: str, key: str | None) -> None:
        """Tells those concerned that the resident could not be reached, why, and what to do."""
        values = {"label": ticket.label, "name": ticket.name, "time": self.second(tx.now)}
        key_of_text = "waits" if why in _NO_CALL_NEEDED else "undelivered"
        text = self._say(key_of_text, why=self._say(why), **values)
        self._write(tx, ticket, self.routing.concerned(tx, ticket), text, key)

    def unnotified(self, tx: Transaction, ticket: Ticket, why: str, reader: Staff | None) -> None:
        """Tells others of an open ticket whose reader could not be reached; each of them once, so it comes to an end.

        ``reader`` is None when that person has left.
        """
        told = self.routing.substitutes(tx, ticket, reader)
        fact = self._texts.say("staff.event_unnotified", note=self._say(why))
        # They read how to take it, not how to go on with it.
        outline = self._outline(replace(ticket, status="waiting"), (), (fact, *ticket.facts))
        tickets.add_watchers(tx, ticket.id, [person.id for person in told])
        self._write(tx, ticket, told, self._say("opened", **outline), f"unnotified:{ticket.id}")
        self.rooms.unread(tx, ticket, told)

    def acted(self, tx: Transaction, ticket: Ticket, *, decided: str, tapped: str, for_all: bool) -> None:
        """Changes the cards of a ticket after whoever's turn this is has acted on it.

        ``decided``: approved or rejected, once a claim was; ``tapped``: the code of the card that was tapped.
        ``for_all``: something has changed, so everybody's card does; else only the tapped one.
        """
        self.cards.refresh(tx, ticket, self._change(ticket, decided, tapped=tapped, for_all=for_all))

    def card_arrived(self, tx: Transaction, card: Row[Any], code: str, ticket: Ticket, *, decided: str) -> None:
        """Changes a card, by its ``code``, when its ticket has become another while it was on its way."""
        owner = self.routing.owner(ticket)
        mine = owner is not None and address_of(tx, owner) == card.conversation_id
        self.cards.catch_up(tx, card, code, ticket, self._change(ticket, decided), mine=mine)

    def _change(self, ticket: Ticket, decided: str, *, tapped: str = "", for_all: bool = False) -> Change:
        over = decided and ticket.status != "held"
        key = decided if over else f"status_{ticket.status}"
        words = self._texts.say(f"card.{key}", owner=self.person(ticket.owner))
        return Change(words, self._outline(ticket, (), ticket.facts), bool(decided), tapped, for_all)

    def forward(self, tx: Transaction, conversation_id: int, words: str) -> None:
        """Hands a resident's words on to everybody who reads that conversation; phone numbers to an owner only."""
        matters = tickets.open_in(tx.connection, conversation_id)
        for person in self.routing.audience(tx, conversation_id):
            own = [ticket for ticket in matters if ticket.owner == person.id]
            text = self._forwarded(tx, own or matters, words if own else without_phones(words))
            about = tickets.about((own or matters)[0].id) if matters else None
            key = f"{tx.origin}:forward:{person.id}"
            tx.tell(address_of(tx, person), text, voice="notice", about=about, key=key)

    def warn(self, tx: Transaction, community: Community | None, words: str, account: str) -> None:
        """Tells whoever is responsible that somebody complains in a community's group; ``account`` is who."""
        place = community.name if community else self._say("no_community")
        text = self._texts.say(
            "group_staff.warning", community=place, words=words, account=account, time=self.second(tx.now)
        )
        for person in self.routing.responsible(tx, community.id if community else None):
            tx.tell(address_of(tx, person), text, voice="notice")

    def recalled(self, tx: Transaction, readers: Iterable[int]) -> None:
        """Tells those who have read a message, by their conversations, that the resident has taken it back."""
        matters = tickets.open_in(tx.connection, tx.conversation_id)
        text = self._forwarded(tx, matters, self._say("recalled"))
        about = tickets.about(matters[0].id) if matters else None
        for conversation_id in readers:
            tx.tell(conversation_id, text, voice="notice", about=about)

    def stays(self, tx: Transaction, ticket: Ticket) -> None:
        """Tells the owner that the chat did not go over to her, and how to go on."""
        self.news(tx, ticket, [ticket.owner], "session_stays", number=ticket.number)

    def _forwarded(self, tx: Transaction, matters: Sequence[Ticket], words: str) -> str:
        who = f"{matters[0].label} {matters[0].name}" if matters else self._say("somebody")
        return self._say("forwarded", who=who, time=self.second(tx.now), words=words)

    def at_work(self, staff: Sequence[Staff], now: datetime) -> bool:
        """Whether one of these people works at this time of day; who has no hours written down always does."""
        local = now.astimezone(self._timezone)
        return any(within_hours(person.hours, local) for person in staff)

    def how(self, ticket: Ticket) -> str:
        """The commands that answer a ticket as it stands."""
        in_hand = "_in_hand" if ticket.status == "held" and ticket.kind == "handoff" else ""
        return self._say(f"how_{ticket.kind}{in_hand}", number=ticket.number)

    def person(self, actor: str | None) -> str:
        """Who did something, by name."""
        if actor in (RESIDENT, BOT):
            return self._say(str(actor))
        staff = self.directory.staff_member(actor)
        return staff.name if staff else self._say("former_colleague")

    def minute(self, at: datetime, now: datetime) -> str:
        """A time of day, with the date when it is not today."""
        local, today = at.astimezone(self._timezone), now.astimezone(self._timezone).date()
        return f"{local:%H:%M}" if local.date() == today else f"{local.month}月{local.day}日 {local:%H:%M}"

    def second(self, at: datetime) -> str:
        return f"{at.astimezone(self._timezone):%H:%M:%S}"

    def community_of(self, ticket: Ticket) -> str:
        community = self.directory.community(ticket.community_id)
        return community.name if community else self._say("no_community")

    def urgency(self, ticket: Ticket) -> str:
        return self._say(f"urgency_{ticket.priority}")

    def _outline(self, ticket: Ticket, messages: Sequence[str], facts: Sequence[str]) -> dict[str, str]:
        quoted = [f"“{shortened(without_phones(words))}”" for words in messages[-_MOST_MESSAGES:]]
        lines = [f"· {shortened(fact)}" for fact in facts[:_MOST_FACTS]]
        if quoted:
            lines += [self._say("last_messages"), *quoted]
        return {
            "label": ticket.label,
            "urgency": self.urgency(ticket),
            "community": self.community_of(ticket),
            "name": ticket.name,
            "reason": ticket.reason,
            "details": "".join(f"{line}\n" for line in lines),
            "how": self.how(ticket),
        }

    def _tell_card(
        self, tx: Transaction, ticket: Ticket, staff: Sequence[Staff], text: str, outline: Mapping[str, str]
    ) -> None:
        tickets.add_watchers(tx, ticket.id, [person.id for person in staff])
        for person in staff:
            self.cards.tell(tx, address_of(tx, person), ticket, text, outline)

    def _tell(self, tx: Transaction, ticket: Ticket, staff: Sequence[Staff], text: str) -> None:
        tickets.add_watchers(tx, ticket.id, [person.id for person in staff])
        self._write(tx, ticket, staff, text)

    def _write(
        self, tx: Transaction, ticket: Ticket, staff: Sequence[Staff], text: str, key: str | None = None
    ) -> None:
        """With a ``key`` each person reads it once, however often it is said."""
        for person in staff:
            own_key = f"{key}:{person.id}" if key else None
            tx.tell(address_of(tx, person), text, voice="notice", about=tickets.about(ticket.id), key=own_key)

    def _say(self, key: str, **values: Any) -> str:
        return self._texts.say(f"notice.{key}", **values)
