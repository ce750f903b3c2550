"""What leaders, agents and supervisors type: 工单 看 接单 回复 同意 拒绝 解决 机器人 帮助."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.conversation import Turn
from bot.effects import Effects
from bot.transaction import Transaction
from claims.claims import decide
from config.texts import Texts
from escalation import tickets
from escalation.commands import Command, Verb, parse
from escalation.notices import Notices
from escalation.routing import holder_of
from escalation.takeover import Takeover
from escalation.tickets import Ticket
from escalation.transcript import last_lines, shortened, without_phones
from shop.directory import Staff

_MOST_LISTED = 10
_LAST_LINES = 5
_LAST_EVENTS = 8
_QUOTED = 20


def handle(turn: Turn, *, notices: Notices, texts: Texts) -> Effects | None:
    """Takes every private message from an account of staff; anybody else's words are no command."""
    message = turn.message
    staff = notices.directory.staff_by_account(message.channel, message.account)
    if staff is None or message.chat:
        return None
    if message.kind == "event":
        return Effects(note="staff:event")
    if message.kind != "text":
        return Effects(replies=(texts.say("staff.only_text"),), note="staff:no_text")
    command = parse(message.text)

    def record(tx: Transaction) -> None:
        _Work(tx, staff, notices, texts).do(command)

    return Effects(records=(record,), note=f"staff:{command.verb if command else 'no_command'}")


@dataclass(frozen=True, slots=True)
class _Work:
    """One command of one person, looked up, checked and carried out in one transaction."""

    tx: Transaction
    staff: Staff
    notices: Notices
    texts: Texts

    def do(self, command: Command | None) -> None:
        if command is None:
            self._no_command()
        elif command.wrong:
            self._say("write_like_this", how=self._how(command.verb))
        elif command.verb == "help":
            self._say("help")
        elif command.verb == "list":
            self._list()
        elif ticket := self._ticket(command):
            _DOINGS[command.verb](self, ticket, command)

    def look(self, ticket: Ticket, command: Command) -> None:
        own = ticket.owner == self.staff.id
        lines = []
        for line in last_lines(self.tx.connection, self.texts, ticket.conversation_id, _LAST_LINES):
            words = line.words if own else without_phones(line.words)
            lines.append(f"{self._when(line.at)} {shortened(words)}")
        self._say(
            "ticket",
            label=ticket.label,
            urgency=self.notices.urgency(ticket),
            community=self.notices.community_of(ticket),
            name=ticket.name,
            status=self._status(ticket),
            reason=ticket.reason,
            facts="".join(f"\n· {fact}" for fact in ticket.facts),
            messages="".join(f"\n{line}" for line in lines),
            events="".join(f"\n{line}" for line in self._events(ticket)),
            how=f"\n{self.notices.how(ticket)}" if ticket.is_open else "",
        )

    def take(self, ticket: Ticket, command: Command) -> None:
        if self._takeover.take(self.tx, ticket, self.staff):
            self._say_taken(ticket)
        elif ticket.status == "held" and ticket.owner == self.staff.id:
            self._say("already_yours", label=ticket.label, number=ticket.number)
        else:
            self._say_whose(ticket)

    def reply(self, ticket: Ticket, command: Command) -> None:
        newly = self._takeover.take(self.tx, ticket, self.staff, introduce=False)
        if not newly and not self._has(ticket):
            return
        self._takeover.reply(self.tx, ticket, self.staff, command.text)
        self._say("sending", name=ticket.name, label=ticket.label, text=_beginning(command.text))
        if newly:
            self._say_taken(ticket)

    def solve(self, ticket: Ticket, command: Command) -> None:
        if ticket.status == "waiting" or self._has(ticket):
            self._takeover.solve(self.tx, ticket, self.staff)
            self._say("solved", label=ticket.label, name=ticket.name)

    def bot_on(self, ticket: Ticket, command: Command) -> None:
        if ticket.status == "waiting":
            self._say("bot_is_on", label=ticket.label)
        elif self._has(ticket):
            done = self._takeover.bot_on(self.tx, ticket, self.staff)
            self._say("bot_on" if done else "bot_is_on", label=ticket.label)

    def bot_off(self, ticket: Ticket, command: Command) -> None:
        if self._takeover.take(self.tx, ticket, self.staff):
            self._say_taken(ticket)
        elif self._has(ticket):
            self._takeover.bot_off(self.tx, ticket, self.staff)
            self._say("bot_off", label=ticket.label)

    def approve(self, ticket: Ticket, command: Command) -> None:
        self._decide(ticket, "approved", "")

    def reject(self, ticket: Ticket, command: Command) -> None:
        self._decide(ticket, "rejected", command.text)
