"""What leaders, agents and supervisors type: 工单 看 接单 回复 同意 拒绝 解决 机器人 帮助."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.channels.channel import CARD_TAPPED
from bot.conversation import Turn
from bot.effects import Effects
from bot.transaction import Transaction
from claims.claims import Verdict, decide, verdict_on
from config.texts import Texts
from escalation import sessions, tickets
from escalation.commands import Command, Verb, parse
from escalation.notices import Notices
from escalation.routing import holder_of
from escalation.takeover import Takeover
from escalation.tickets import Ticket
from handlers.claim.submission import REFUSED_PHOTOS, expect_photos
from handlers.speaker import Speakers
from handlers.staff_tickets import TicketsInWords
from shop.directory import Staff

_LONGEST_READ_BACK = 20
_ONLY_STAFF = frozenset({"take", "reply", "approve", "reject", "bot_on", "bot_off"})


def handle(turn: Turn, *, notices: Notices, texts: Texts, speakers: Speakers) -> Effects | None:
    """Takes every private message from an account of staff; anybody else's words are no command."""
    message = turn.message
    staff = notices.directory.staff_by_account(message.channel, message.account)
    if message.chat:
        return None
    if staff is None:
        return _of_a_stranger(turn, texts, speakers)
    tapped = message.event == CARD_TAPPED
    if message.kind == "event" and not tapped:
        return Effects(note="staff:event")
    if message.kind not in ("text", "event"):
        return Effects(replies=(texts.say("staff.only_text"),), note="staff:no_text")
    command = parse(message.choice if tapped else message.text)
    code = str(message.extra.get("response_code", ""))

    def record(tx: Transaction) -> None:
        _Work(tx, staff, notices, texts, code).do(command)

    return Effects(records=(record,), note=f"staff:{command.verb if command else 'no_command'}")


def _of_a_stranger(turn: Turn, texts: Texts, speakers: Speakers) -> Effects | None:
    """A member of staff whom nobody has written down learns it; anybody else would hardly write such a command.

    A resident's words are hers, however they look ("同意15元"): whoever speaks with her, or the bot, has to hear them.
    """
    command = parse(turn.message.text)
    if command is None or command.verb not in _ONLY_STAFF or command.number is None:
        return None
    if command.wrong or command.doubtful or turn.conversation.holder is not None or speakers.of(turn).resident:
        return None
    return Effects(replies=(texts.say("staff.not_listed", account=turn.message.account),), note="staff:not_listed")


@dataclass(frozen=True, slots=True)
class _Work:
    """One command of one person, looked up, checked and carried out in one transaction."""

    tx: Transaction
    staff: Staff
    notices: Notices
    texts: Texts
    tapped: str = ""
    """The code of the card that was tapped; empty when the command was typed."""

    def do(self, command: Command | None) -> None:
        if command is None:
            self._no_command()
        elif command.wrong:
            self._say("write_like_this", how=self._how(command.verb, self._only_one(command)))
        elif command.verb == "help":
            self._say("help")
        elif command.verb == "list":
            mine = [*self._held(), *self._waiting()]
            self.tx.reply(self._words.listed(mine) if mine else self.texts.say("staff.no_tickets"))
        elif ticket := self._ticket(command):
            decided = verdict_on(self.tx.connection, ticket.id)
            _DOINGS[command.verb](self, ticket, command)
            self._refresh_cards(ticket, decided)

    def look(self, ticket: Ticket, command: Command) -> None:
        self.tx.reply(self._words.in_full(self.tx.connection, ticket, self.staff.id))

    def take(self, ticket: Ticket, command: Command) -> None:
        if not self._can_speak(ticket):
            self._say_elsewhere(ticket)
            return
        over = self.staff.role == "supervisor"
        if self._takeover.take(self.tx, ticket, self.staff, over=over):
            self._say_taken(ticket)
        elif self._has(ticket):
            self._say("already_yours", label=ticket.label, how=self._how("reply", ticket))

    def reply(self, ticket: Ticket, command: Command) -> None:
        # Whoever writes here goes on here: a chat that has not gone over yet stays.
        gone = sessions.who_speaks(self.tx, ticket.conversation_id) in sessions.ELSEWHERE
        hers = ticket.status == "waiting" or self._is_mine(ticket)
        if gone or (hers and not sessions.keep_here(self.tx, ticket)):
            self._say_elsewhere(ticket)
            return
        newly = self._takeover.take(self.tx, ticket, self.staff, introduce=False)
        if not newly and not self._has(ticket):
            return
        if self._takeover.reply(self.tx, ticket, self.staff, command.text):
            self._say("sending", label=ticket.label, name=ticket.name, text=_beginning(command.text))
        if newly:
            self._say_taken(ticket)

    def approve(self, ticket: Ticket, command: Command) -> None:
        self._decide(ticket, "approved", "")

    def reject(self, ticket: Ticket, command: Command) -> None:
        self._decide(ticket, "rejected", command.text)

    def solve(self, ticket: Ticket, command: Command) -> None:
        if ticket.status == "waiting" or self._inherits(ticket) or self._has(ticket):
            self._takeover.solve(self.tx, ticket, self.staff)
            self._say("solved", label=ticket.label, name=ticket.name)

    def bot_on(self, ticket: Ticket, command: Command) -> None:
        if ticket.status == "waiting" or self._inherits(ticket) or self._has(ticket):
            done = self._takeover.bot_on(self.tx, ticket, self.staff)
            self._say("bot_on" if done else "bot_is_on", label=ticket.label)

    def bot_off(self, ticket: Ticket, command: Command) -> None:
        if not self._can_speak(ticket):
            self._say_elsewhere(ticket)
        elif self._takeover.take(self.tx, ticket, self.staff):
            self._say_taken(ticket)
        elif self._has(ticket):
            self._takeover.bot_off(self.tx, ticket, self.staff)
            self._say("bot_off", label=ticket.label)

    def _refresh_cards(self, before: Ticket, decided_before: str) -> None:
        """All cards follow when the ticket has changed; one that was only tapped shows what is so now."""
        ticket = tickets.find(self.tx.connection, before.id) or before
        decided = verdict_on(self.tx.connection, ticket.id)
        changed = (ticket, decided) != (before, decided_before)
        if changed or self.tapped:
            self.notices.acted(self.tx, ticket, decided=decided, tapped=self.tapped, for_all=changed)

    @property
    def _takeover(self) -> Takeover:
        return Takeover(self.notices, self.texts)

    @property
    def _words(self) -> TicketsInWords:
        return TicketsInWords(self.notices, self.texts, self.tx.now)

    def _decide(self, ticket: Ticket, verdict: Verdict, reason: str) -> None:
        decision = decide(self.tx, ticket.id, verdict, self.staff.id, reason)
        if decision is None:
            self._say("not_a_claim", label=ticket.label, how=self._how("reply", ticket))
            return
        claim = decision.claim
        if not decision.new:
            when = self.notices.minute(claim.decided_at or self.tx.now, self.tx.now)
            owner = self.notices.person(claim.decided_by)
            self._say(f"already_{claim.status}", label=ticket.label, owner=owner, time=when)
            return
        mine = self._inherits(ticket) or self._is_mine(ticket)
        self._takeover.decide(self.tx, ticket, self.staff, verdict, reason=reason, wish=claim.wish)
        self._say(verdict, label=ticket.label, name=ticket.name)
        if verdict == "rejected":
            expect_photos(self.tx, claim.conversation_id, claim, REFUSED_PHOTOS)
        if mine:
            self._say("still_yours", how=self._how("solve", ticket))

    def _ticket(self, command: Command) -> Ticket | None:
        """The ticket that is meant and that this person may see; None when it was answered that there is none."""
        number = self._number(command)
        if number is None:
            return None
        ticket = tickets.lock(self.tx, number)
        if ticket is None or not self.notices.directory.may_see(self.staff, ticket.community_id):
            self._say("unknown", label=tickets.label(number))
            return None
        return ticket

    def _number(self, command: Command) -> int | None:
        """The number as written, else that of the one ticket it can be about; None when the person was asked for it."""
        held = [ticket.id for ticket in self._held()]
        likely = [ticket.id for ticket in _LIKELY[command.verb](self)]
        if command.number is not None and command.doubtful:
            in_sight = held or [ticket.id for ticket in self._waiting()]
            if command.number not in in_sight or len(held) > 1:
                self._say("write_number", how=self._how(command.verb))
                return None
        if command.number is not None:
            return command.number
        if len(likely) == 1:
            return likely[0]
        key = "which" if likely else "none_in_hand"
        self._say(key, numbers=_numbers(likely), how=self._how(command.verb))
        return None

    def _only_one(self, command: Command) -> Ticket | None:
        """The one ticket that a command can be about, if it is one."""
        likely = _LIKELY[command.verb](self) if command.verb in _LIKELY else []
        return likely[0] if len(likely) == 1 else None

    def _no_command(self) -> None:
        """Words without a command never reach a resident; the person learns how to send them."""
        held = self._held()
        if len(held) == 1:
            self._say("not_sent", how=self._how("reply", held[0]))
        elif held:
            numbers = _numbers([ticket.id for ticket in held])
            self._say("not_sent_which", numbers=numbers, how=self._how("reply"))
        else:
            self._say("no_command")

    def _is_mine(self, ticket: Ticket) -> bool:
        return ticket.status == "held" and ticket.owner == self.staff.id

    def _inherits(self, ticket: Ticket) -> bool:
        """Makes a ticket this person's whose owner has left; False when the owner is still there, or it has none."""
        left = self.notices.routing.is_left(ticket)
        return left and self._takeover.take(self.tx, ticket, self.staff, introduce=False)

    def _has(self, ticket: Ticket) -> bool:
        """Whether this person has the ticket in hand; says so when not."""
        if self._is_mine(ticket):
            return True
        if ticket.status == "waiting":
            self._say("nobodys", label=ticket.label, how=self._how("take", ticket))
        else:
            self.tx.reply(self._words.whose(ticket))
        return False

    def _can_speak(self, ticket: Ticket) -> bool:
        """Whether this person could say anything to the resident; not while she waits in the platform's own queue, out
        of which only somebody who serves there gets her.
        """
        waits = sessions.who_speaks(self.tx, ticket.conversation_id) == "pool"
        return not waits or sessions.may_go_over(self.tx, ticket, self.staff)

    def _say_elsewhere(self, ticket: Ticket) -> None:
        """The resident is served in the platform's own client, or about to be, where the bot can say nothing."""
        who = sessions.who_speaks(self.tx, ticket.conversation_id)
        speaks = who == "person" or (who == "" and ticket.status == "held")
        owner = self.notices.person(holder_of(self.tx, ticket.conversation_id) or ticket.owner)
        key = "speak_there" if speaks else "waits_there"
        self.tx.reply(self.texts.say(f"staff_client.{key}", label=ticket.label, name=ticket.name, owner=owner))

    def _say_taken(self, ticket: Ticket) -> None:
        holder = holder_of(self.tx, ticket.conversation_id)
        if holder == self.staff.id and sessions.may_go_over(self.tx, ticket, self.staff):
            words = self.texts.say("staff_client.taken", label=ticket.label, name=ticket.name, number=ticket.number)
            self.tx.reply(words)
            return
        key = "taken" if holder == self.staff.id else "taken_beside"
        owner = self.notices.person(holder)
        self._say(key, label=ticket.label, name=ticket.name, number=ticket.number, owner=owner)

    def _held(self) -> list[Ticket]:
        return self._visible(tickets.held_by(self.tx.connection, self.staff.id))

    def _waiting(self) -> list[Ticket]:
        return self._visible(tickets.waiting_for(self.tx.connection, self.staff.id))

    def _visible(self, found: list[Ticket]) -> list[Ticket]:
        """Without those of a community that this person leads no more."""
        return [ticket for ticket in found if self.notices.directory.may_see(self.staff, ticket.community_id)]

    def _in_sight(self) -> list[Ticket]:
        return self._held() or self._waiting()

    def _claims(self) -> list[Ticket]:
        return [ticket for ticket in (*self._held(), *self._waiting()) if ticket.kind == "claim"]

    def _how(self, verb: Verb, ticket: Ticket | None = None) -> str:
        return self.texts.say(f"staff.how_{verb}", number=ticket.number if ticket else "0123")

    def _say(self, key: str, **values: Any) -> None:
        self.tx.reply(self.texts.say(f"staff.{key}", **values))


# What each command does, and which tickets it can be about when the number is left out. Words for a resident go by
# what the person has in hand only, never by what has just come in.
_DOINGS: Mapping[Verb, Callable[[_Work, Ticket, Command], None]] = {
    "look": _Work.look,
    "take": _Work.take,
    "reply": _Work.reply,
    "approve": _Work.approve,
    "reject": _Work.reject,
    "solve": _Work.solve,
    "bot_on": _Work.bot_on,
    "bot_off": _Work.bot_off,
}
_LIKELY: Mapping[Verb, Callable[[_Work], list[Ticket]]] = {
    "look": _Work._in_sight,
    "take": _Work._waiting,
    "reply": _Work._held,
    "approve": _Work._claims,
    "reject": _Work._claims,
    "solve": _Work._held,
    "bot_on": _Work._held,
    "bot_off": _Work._held,
}


def _numbers(numbers: list[int]) -> str:
    return "、".join(f"{number:04d}" for number in numbers)


def _beginning(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_READ_BACK else f"{line[:_LONGEST_READ_BACK]}…"
