"""What a run has left behind, checked in the database and in the platforms' own books."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, Table, func, select

from bot.storage.store import Store
from bot.storage.tables import conversations, inbox, jobs, outbox
from escalation.tables import ticket_events, tickets
from playground.phones import Person
from playground.wechat import WeChat
from playground.world import Bubble
from tests.faults.talk import Answers

FINAL = frozenset({"sent", "uncertain", "dead", "expired", "withdrawn"})
LOST = frozenset({"uncertain", "dead", "expired"})
ON_SCREEN = frozenset({"text", "menu", "card", "notification"})
CALLBACK_LASTS = timedelta(seconds=5)
TOLD = ("undelivered", "unnotified")


@dataclass(slots=True)
class Tally:
    """How one run went. ``answered`` are messages whose reply has left; ``broken`` are the promises that were not kept,
    in words.
    """

    messages: int = 0
    answered: int = 0
    uncertain: int = 0
    dead: int = 0
    expired: int = 0
    doubled: int = 0
    out_of_order: int = 0
    budgets_broken: int = 0
    broken: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


Accepted = Mapping[Person, Sequence[str]]
"""What each person wrote and the platform has told the bot, or will: every text once."""


class Books:
    """The database and the platforms from now on; what was before is not looked at."""

    def __init__(self, store: Store, wechat: WeChat, answers: Answers) -> None:
        """``answers``: what has to be answered to the questions that residents may ask."""
        self._store = store
        self._wechat = wechat
        self._answers = answers
        self._after = {table.name: self._highest(table) for table in (inbox, outbox)}
        self._bubbles = max((bubble.id for person in wechat.phones.values() for bubble in person.chat()), default=0)
        self._over_budget = self._beyond_budgets()

    # --- has everything come to its end?

    def open_work(self, accepted: Accepted) -> str:
        """What is still under way, in words; empty when everything has come to rest."""
        with self._store.read() as connection:

            def count(query: Any) -> int:
                return int(connection.execute(select(func.count()).select_from(query.subquery())).scalar_one())

            found = {
                "messages to think about": count(select(inbox.c.id).where(inbox.c.outcome == "waiting")),
                "messages to send": count(select(outbox.c.id).where(outbox.c.status.not_in(FINAL))),
                "jobs": count(select(jobs.c.id).where(jobs.c.status.in_(("queued", "running")))),
            }
        texts = {person: self._texts(person) for person in accepted}
        found["messages to fetch"] = sum((Counter(accepted[each]) - texts[each]).total() for each in accepted)
        return ", ".join(f"{number} {what}" for what, number in found.items() if number)

    # --- what came of it

    def tally(self, accepted: Accepted, *, loses: bool = False, silences: bool = False) -> Tally:
        """Goes through everything.

        ``loses``: words may be lost, or nobody knows; ``silences``: the platform may have told of messages as sent
        that never were.
        """
        found = Tally(messages=sum(len(texts) for texts in accepted.values()))
        if left := self.open_work(accepted):
            found.broken.append(f"left open: {left}")
        for person, texts in accepted.items():
            self._check_inbox(person, texts, found)
        for person in self._wechat.phones.values():
            self._check_screen(person, found, silences=silences)
        self._check_outcomes(found, loses=loses)
        found.budgets_broken = self._beyond_budgets() - self._over_budget
        if found.budgets_broken:
            found.broken.append(f"{found.budgets_broken} messages beyond a budget")
        return found

    def _check_inbox(self, person: Person, texts: Sequence[str], found: Tally) -> None:
        rows = [row for row in self._rows(inbox, person) if not row.dedupe_key.startswith("job:")]
        times = Counter(row.text for row in rows if row.kind == "text")
        for text in texts:
            if times[text] != 1:
                found.broken.append(f"{person.name}: {text!r} was taken {times[text]} times")
        failed = [row.text for row in rows if row.outcome not in ("handled", "ignored")]
        if failed:
            found.broken.append(f"{person.name}: not handled: {failed}")
        replies = self._rows(outbox, person)
        answered = {row.inbox_id for row in replies if row.status == "sent"}
        found.answered += sum(row.id in answered and row.text in texts for row in rows)
        for row in rows:
            said = "\n".join(_words(reply) for reply in replies if reply.inbox_id == row.id)
            if not any(answer in said for answer in self._answers.get(row.text, ("",))):
                found.broken.append(f"{person.name}: {row.text!r} was answered with {said!r}")

    def _check_screen(self, person: Person, found: Tally, *, silences: bool) -> None:
        rows = [row for row in self._rows(outbox, person) if row.kind in ON_SCREEN]
        bubbles = [bubble for bubble in person.chat(self._bubbles) if bubble.speaker == "bot"]
        shown: set[int] = set()
        last: Row[Any] | None = None
        for bubble in bubbles:
            spoken = _spoken(bubble, [row for row in rows if row.id not in shown])
            if not spoken:
                found.doubled += 1
                found.broken.append(f"{person.name} read once too often: {bubble.text!r}")
                continue
            if last is not None and spoken[0].id < last.id and not _at_once(spoken[0], last):
                found.out_of_order += 1
                found.broken.append(f"{person.name} read too late: {bubble.text!r}")
            last = max(last or spoken[-1], spoken[-1], key=lambda row: row.id)
            shown |= {row.id for row in spoken}
        self._check_shown(person, rows, shown, found, silences=silences)

    def _check_shown(
        self, person: Person, rows: Sequence[Row[Any]], shown: set[int], found: Tally, *, silences: bool
    ) -> None:
        read = {_words(row) for row in rows if row.id in shown}
        for row in rows:
            # Staff's app shows the same words once in half an hour, as we ask it to.
            unread = row.id not in shown and not (person.platform.name == "app" and _words(row) in read)
            if row.status == "sent" and unread and not silences:
                found.broken.append(f"{person.name} never read what was sent: {_words(row)!r}")
            if row.status in ("dead", "expired", "withdrawn") and row.id in shown:
                found.broken.append(f"{person.name} read what is {row.status} ({row.error}): {_words(row)!r}")

    def _check_outcomes(self, found: Tally, *, loses: bool) -> None:
        """What did not arrive, or perhaps not, is written down in its ticket."""
        rows = [row for row in self._new(outbox) if row.kind in ON_SCREEN]
        count = Counter(row.status for row in rows)
        found.uncertain, found.dead, found.expired = count["uncertain"], count["dead"], count["expired"]
        arrived = {(row.conversation_id, _words(row)) for row in rows if row.status == "sent"}
        told = self._told()
        concerned = self._tickets()
        for row in rows:
            if row.status not in LOST or (row.conversation_id, _words(row)) in arrived:
                continue  # of two sentences that are alike she has read one
            if not loses:
                found.broken.append(f"{row.status} ({row.error}): {_words(row)!r}")
            # What was lost before anybody was called is in no ticket.
            open_then = [each.id for each in concerned[row.conversation_id] if each.opened_at <= row.created_at]
            numbers = [_ticket_of(row)] if _ticket_of(row) else open_then
            silent = [number for number in numbers if not told[number]]
            if silent:
                found.broken.append(f"tickets {silent} do not show what is {row.status}: {_words(row)!r}")
        if stuck := [job for job in self._all(jobs) if job.status == "dead"]:
            found.broken.append(f"{len(stuck)} jobs are dead")

    # --- rows

    def _told(self) -> Counter[int]:
        events = self._all(ticket_events)
        return Counter(event.ticket_id for event in events if event.kind in TOLD)

    def _tickets(self) -> Mapping[int, list[Row[Any]]]:
        found: dict[int, list[Row[Any]]] = defaultdict(list)
        for ticket in self._all(tickets):
            if ticket.status in ("waiting", "held"):
                found[ticket.conversation_id].append(ticket)
        return found

    def _texts(self, person: Person) -> Counter[str]:
        rows = self._rows(inbox, person)
        return Counter(row.text for row in rows if row.outcome != "waiting")

    def _rows(self, table: Table, person: Person) -> list[Row[Any]]:
        query = select(table).join(conversations, conversations.c.id == table.c.conversation_id)
        place = (conversations.c.channel == person.platform.name, conversations.c.account == person.account)
        return self._read(query.where(*place, table.c.id > self._after[table.name]).order_by(table.c.id))

    def _new(self, table: Table) -> list[Row[Any]]:
        return self._read(select(table).where(table.c.id > self._after[table.name]).order_by(table.c.id))

    def _all(self, table: Table) -> list[Row[Any]]:
        return self._read(select(table).order_by(table.c.id))

    def _read(self, query: Any) -> list[Row[Any]]:
        with self._store.read() as connection:
            return list(connection.execute(query))

    def _highest(self, table: Table) -> int:
        with self._store.read() as connection:
            return int(connection.execute(select(func.max(table.c.id))).scalar() or 0)

    def _beyond_budgets(self) -> int:
        return sum(platform.ledger.broken for platform in self._wechat.platforms) + self._wechat.wecom.dropped


def _ticket_of(row: Row[Any]) -> int:
    kind, _, number = (row.about or "").partition(":")
    return int(number) if kind == "ticket" and number else 0


def _at_once(row: Row[Any], other: Row[Any]) -> bool:
    """Whether the platform may show either first: what it reads in HTTP answers that were under way together, and what
    was said in one turn, whose reply may go in its answer.
    """
    if row.created_at == other.created_at:
        return True
    in_answers = row.attempts == other.attempts == 0
    return in_answers and abs(row.created_at - other.created_at) < CALLBACK_LASTS


def _spoken(bubble: Bubble, rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    """The rows whose words a bubble shows: one, or several that left as one message."""
    for place, row in enumerate(rows):
        if _is_on(bubble, row):
            return [row]
        if row.kind == "text" and bubble.text.startswith(f"{_words(row)}\n"):
            found = _run(bubble.text, rows[place:])
            if found:
                return found
    return []


def _run(text: str, rows: Iterable[Row[Any]]) -> list[Row[Any]]:
    found: list[Row[Any]] = []
    for row in rows:
        together = "\n".join(_words(each) for each in (*found, row))
        if row.kind == "text" and (text == together or text.startswith(f"{together}\n")):
            found.append(row)
            if text == together:
                return found
    return []


def _is_on(bubble: Bubble, row: Row[Any]) -> bool:
    if row.kind == "card":
        return bubble.card is not None and bubble.card.task_id == row.payload["card"].get("task")
    if row.kind == "menu" and bubble.menu is not None:
        return bubble.menu.head == row.payload["head"]
    return bubble.text == _words(row)


def _words(row: Row[Any]) -> str:
    return str(row.payload.get("text", ""))
