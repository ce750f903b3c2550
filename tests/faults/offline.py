"""A time without the bot: what customers wrote on the customer service waits there for three days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from playground.customers import Customer
from playground.platform import kf_content
from playground.platform.kf_session import WINDOW
from playground.wechat import WeChat

OLDEST = timedelta(hours=71)
LONG_AGO = timedelta(hours=49)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits: each customer's texts, oldest first. ``inside``: how many messages are less than 48 hours old.

    ``silent`` are those who have not written within 48 hours, so that nothing may be said to them any more.
    """

    texts: dict[Customer, list[str]]
    inside: int
    silent: frozenset[Customer]

    @property
    def messages(self) -> int:
        return sum(len(texts) for texts in self.texts.values())

    @property
    def may_be_answered(self) -> int:
        """How many messages are of customers who wrote within 48 hours."""
        return sum(len(texts) for customer, texts in self.texts.items() if customer not in self.silent)


def leave_waiting(wechat: WeChat, asked: Iterable[str], *, customers: int, messages: int) -> Waiting:
    """Lets customers write in turn over the last three days while nobody is told of it; one in ten soon fell silent.

    Nobody asks the same thing twice when there are enough questions.
    """
    wanted = list(asked)
    people = [wechat.customer(f"顾客 {number}") for number in range(customers)]
    silent = frozenset(people[::10])
    written = []
    for place in range(messages):
        number = place % customers
        until = LONG_AGO if people[number] in silent else timedelta()
        age = until + (OLDEST - until) * (1 - place / messages)
        written.append((age, number, wanted[(number + place // customers) % len(wanted)]))
    now = wechat.clock.now()
    texts: dict[Customer, list[str]] = {person: [] for person in people}
    for age, number, text in sorted(written, key=lambda each: -each[0]):
        wechat.kf.wrote(people[number].account, kf_content.text(text), now - age)
        texts[people[number]].append(text)
    return Waiting(texts, sum(age < WINDOW for age, *_ in written), silent)
