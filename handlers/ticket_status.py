"""How a ticket stands, asked by the resident whose matter it is."""

from __future__ import annotations

import re

from bot.conversation import Turn
from bot.effects import Effects
from bot.storage.store import Store
from escalation import tickets
from escalation.notices import Notices
from escalation.tickets import Ticket
from handlers.reading import Readings
from handlers.speaker import Speakers
from understanding.skills import TICKET_STATUS

_MOST_TOLD = 3
_NUMBER = re.compile(r"工[单單]号?\s*[:：是为#＃]?\s*(\d{1,9})(?!\d)")
_WITHOUT_NUMBER = re.compile(
    r"我的?工[单單]|查.{0,6}工[单單]|^\W*工[单單]\W*$|工[单單].{0,6}(?:到哪|进[度展]|怎么样|咋样|怎样|处理|呢|状态|在哪|查)"
)
_BARE_NUMBER = re.compile(r"\s*[#＃]?\s*(0\d{3,8})[\s?？。]*")
_LONGEST = 60


def handle(turn: Turn, *, store: Store, readings: Readings, speakers: Speakers, notices: Notices) -> Effects | None:
    """Tells the status of the named ticket, or of the resident's own open ones.

    Somebody else's ticket gets the same answer as a number that does not exist. A number alone counts only when it is
    the number of a ticket of hers.
    """
    text = turn.message.text[:_LONGEST]
    named, alone = _NUMBER.search(text), _BARE_NUMBER.fullmatch(text)
    number = named or alone
    if number is None and not _asks_for_own(turn, text, readings):
        return None
    told = _told(turn, int(number[1]) if number else None, store, speakers)
    if not told and alone and not named:
        return None
    replies = [_status(turn, ticket, speakers, notices) for ticket in told]
    if not replies and number:
        replies = [speakers.say(turn, "ticket.unknown", label=tickets.label(int(number[1])))]
    return Effects(replies=tuple(replies) or (speakers.say(turn, "ticket.none"),), note="ticket_status")


def _told(turn: Turn, number: int | None, store: Store, speakers: Speakers) -> list[Ticket]:
    """The speaker's ticket with this number; without a number her open ones, else the last."""
    resident = speakers.of(turn).resident
    resident_id = resident.id if resident else None
    with store.read() as connection:
        if number is not None:
            named = tickets.find(connection, number)
            return [named] if named and named.belongs_to(turn.conversation.id, resident_id) else []
        own = tickets.of_resident(connection, turn.conversation.id, resident_id)
    return [ticket for ticket in own if ticket.is_open][:_MOST_TOLD] or own[:1]


def _asks_for_own(turn: Turn, text: str, readings: Readings) -> bool:
    if not text.strip():
        return False
    return bool(_WITHOUT_NUMBER.search(text)) or readings.of(turn).skill == TICKET_STATUS


def _status(turn: Turn, ticket: Ticket, speakers: Speakers, notices: Notices) -> str:
    since = ticket.confirmed_at or ticket.solved_at or ticket.opened_at
    return speakers.say(
        turn,
        f"ticket.status_{ticket.status}",
        label=ticket.label,
        owner=notices.person(ticket.owner) if ticket.owner else "",
        time=notices.minute(since, turn.now),
    )
