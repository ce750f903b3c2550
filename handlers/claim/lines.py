"""Which order line a resident means, and how it is called when speaking with her."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.conversation import Turn
from bot.storage.store import Store
from claims.draft import Draft
from claims.words import choice_of, none_of_them
from handlers.speaker import Speakers
from shop.orders import OrderLine, claimable_lines, find_line, matching_lines
from shop.policy import Policy

MOST_OFFERED = 5


@dataclass(frozen=True, slots=True)
class Lines:
    """The order lines of one turn's speaker."""

    turn: Turn
    store: Store
    speakers: Speakers
    policy: Policy
    timezone: ZoneInfo

    def settled(self, draft: Draft, text: str, days_ago: int | None = None) -> Draft:
        """The draft with the line found, offered by number, or given up when nothing can be found.

        ``text`` is searched for the names of what was bought when the product is not known; ``days_ago`` decides
        between lines that fit, when the words tell the day. An account that nobody is
        known to write from is treated like one without orders: nothing it hears tells whether an order exists.
        """
        lines = tuple(line for line in self._claimable() if line.id not in draft.refused)
        if draft.product:
            fitting = matching_lines(lines, draft.product) or _named_in(draft.product, lines)
        else:
            fitting = _named_in(text, lines) or lines
        fitting = _all_named(text, lines) or fitting
        fitting = tuple(line for line in fitting if self._days_ago(line) == days_ago) or fitting
        if len(fitting) == 1:
            return _taken(draft, fitting[0])
        offered = fitting or (() if draft.refused else lines)
        if offered:
            return replace(draft, offered=tuple(line.id for line in offered[:MOST_OFFERED]))
        return draft.with_line(None) if draft.product else replace(draft, offered=())

    def chosen(self, draft: Draft, text: str) -> Draft:
        """The draft after an answer to the offered lines: by number, by name, or none of them; else unchanged."""
        with self.store.read() as connection:
            offered = [find_line(connection, line_id) for line_id in draft.offered]
        if number := choice_of(text, len(offered)):
            line = offered[number - 1]
            return _taken(draft, line) if line else draft
        if none_of_them(text):
            return self.settled(replace(draft, refused=draft.refused + draft.offered, offered=()), text)
        named_lines = _named_in(text, [line for line in offered if line])
        return _taken(draft, named_lines[0]) if len(named_lines) == 1 else draft

    def corrected(self, draft: Draft, text: str) -> Draft:
        """The draft after "不是这个": the line that the words name instead, the others to choose from, or none."""
        refused = draft.refused + ((draft.line_id,) if draft.line_id else ())
        return self.settled(replace(draft, line_id=None, line_settled=False, product="", refused=refused), text)

    def offered(self, draft: Draft) -> str:
        """The offered lines, numbered, one a row."""
        with self.store.read() as connection:
            lines = [find_line(connection, line_id) for line_id in draft.offered]
        rows = [
            self.speakers.say(self.turn, "claim.choice", number=number, product=named(line), when=self.when(line))
            for number, line in enumerate(lines, 1)
            if line
        ]
        return "\n".join(rows)

    def when(self, line: OrderLine, *, exact: bool = False) -> str:
        """When the line came, as people say it; ``exact``: as it can still be read tomorrow."""
        key, moment = ("when_arrived", line.arrived_at) if line.arrived_at else ("when_ordered", line.ordered_at)
        local = moment.astimezone(self.timezone)
        near = {} if exact else {0: "今天", 1: "昨天"}
        day = near.get(_days_between(moment, self.turn.now, self.timezone), f"{local.month}月{local.day}日")
        return self.speakers.say(self.turn, f"claim.{key}", day=day)

    def find(self, line_id: int | None) -> OrderLine | None:
        if line_id is None:
            return None
        with self.store.read() as connection:
            return find_line(connection, line_id)

    def _days_ago(self, line: OrderLine) -> int:
        return _days_between(line.arrived_at or line.ordered_at, self.turn.now, self.timezone)

    def _claimable(self) -> tuple[OrderLine, ...]:
        resident = self.speakers.of(self.turn).resident
        if resident is None:
            return ()
        with self.store.read() as connection:
            return claimable_lines(connection, resident.id, self.turn.now, days=self.policy.claim_window_days)


def named(line: OrderLine) -> str:
    """What the line is called."""
    return f"{line.product} {line.spec}".strip()


def _all_named(text: str, lines: Sequence[OrderLine]) -> tuple[OrderLine, ...]:
    """The lines when the words name different things at once ("苹果和鸡蛋都坏了"): one is claimed after the other."""
    found = _named_in(text, lines)
    return found if len({line.product[-2:] for line in found}) > 1 else ()


def _days_between(moment: datetime, now: datetime, zone: ZoneInfo) -> int:
    return (now.astimezone(zone).date() - moment.astimezone(zone).date()).days


def _taken(draft: Draft, line: OrderLine) -> Draft:
    return replace(draft.with_line(line.id), product=line.product)


def _named_in(text: str, lines: Sequence[OrderLine]) -> tuple[OrderLine, ...]:
    """Lines whose thing is named in the words: Chinese says what a thing is at the end (红富士苹果)."""
    return tuple(line for line in lines if len(line.product) > 1 and line.product[-2:] in text)
