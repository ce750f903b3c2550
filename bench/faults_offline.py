"""A time without the bot: 10,000 messages that have waited on the customer service for up to three days."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from bench.faults_stage import prepared, store_of, wait
from bot.storage.store import Store
from bot.storage.tables import inbox, outbox
from playground.customers import Customer
from playground.stage import Stage
from tests.faults.books import FINAL
from tests.faults.offline import Waiting, leave_waiting
from tests.faults.talk import questions

CUSTOMERS, MESSAGES = 400, 10_000
PATIENCE, PATIENCE_TO_PULL = 400.0, 150.0  # seconds
OFFLINE = "day offline"


@dataclass(frozen=True, slots=True)
class Offline:
    """What became of the messages that waited. ``may_be_answered`` are of customers who wrote within 48 hours."""

    messages: int
    inside_48_hours: int
    may_be_answered: int
    pulled: int
    answered: int
    twice: int
    budgets_broken: int
    pulled_per_second: float
    answered_per_second: float
    broken: list[str]


def day_offline() -> Offline:
    """Lets them wait, starts the bot, and looks what becomes of them; prints it."""
    print(f"\n{MESSAGES} messages of {CUSTOMERS} customers, which have waited for up to three days", flush=True)
    with prepared("ERROR") as (stage, reader, _):
        answers = questions(reader)
        waiting = leave_waiting(stage.wechat, answers, customers=CUSTOMERS, messages=MESSAGES - 1)
        with stage, closing(store_of(stage)) as store:
            # Without the token of a callback the platform gives a few pages a minute only.
            waiting = _joined(waiting, stage.wechat.customer("刚来的"), next(iter(answers)))
            found = _pulled_and_answered(stage, store, waiting)
    print(
        f"pulled {found.pulled} at {found.pulled_per_second:.0f} a second, answered {found.answered} of the "
        f"{found.may_be_answered} to which something may be said ({found.inside_48_hours} messages inside 48 hours) "
        f"at {found.answered_per_second:.0f} a second; answered twice: {found.twice}",
        flush=True,
    )
    return found


def _joined(waiting: Waiting, newcomer: Customer, text: str) -> Waiting:
    """Somebody writes now that the bot is back, behind everything that waits."""
    newcomer.send(text)
    return replace(waiting, texts={**waiting.texts, newcomer: [text]}, inside=waiting.inside + 1)


def _pulled_and_answered(stage: Stage, store: Store, waiting: Waiting) -> Offline:
    assert wait(stage, lambda: _first_received(store) is not None, PATIENCE_TO_PULL), "nothing was pulled"
    began = _first_received(store)
    wait(stage, lambda: _count(store, select(inbox.c.id)) >= waiting.messages, PATIENCE)
    wait(stage, lambda: _is_quiet(store), PATIENCE)
    received = _one_value(store, select(func.max(inbox.c.received_at)))
    sent_at = _one_value(store, select(func.max(outbox.c.sent_at)))
    with store.read() as connection:
        replies = select(outbox.c.inbox_id).where(outbox.c.status == "sent", outbox.c.inbox_id.is_not(None))
        sent: list[int] = list(connection.execute(replies).scalars())
    pulled, ledger = _count(store, select(inbox.c.id)), stage.wechat.kf.ledger
    found = Offline(
        messages=waiting.messages,
        inside_48_hours=waiting.inside,
        may_be_answered=waiting.may_be_answered,
        pulled=pulled,
        answered=len(set(sent)),
        twice=len(sent) - len(set(sent)),
        budgets_broken=ledger.broken,
        pulled_per_second=pulled / _seconds(began, received),
        answered_per_second=len(set(sent)) / _seconds(began, sent_at),
        broken=[],
    )
    found.broken.extend(_broken(found, _is_quiet(store)))
    return found


def _seconds(began: datetime, ended: datetime | None) -> float:
    return max((ended - began).total_seconds(), 0.1) if ended is not None else float("inf")


def _broken(found: Offline, is_quiet: bool) -> Iterator[str]:
    if found.pulled != found.messages:
        yield f"{OFFLINE}: {found.pulled} of {found.messages} messages were pulled"
    if found.answered != found.may_be_answered or found.twice:
        yield f"{OFFLINE}: {found.answered} of {found.may_be_answered} were answered, {found.twice} twice"
    if found.budgets_broken:
        yield f"{OFFLINE}: {found.budgets_broken} messages beyond a budget"
    if not is_quiet:
        yield f"{OFFLINE}: something was left open"


def _first_received(store: Store) -> Any:
    return _one_value(store, select(func.min(inbox.c.received_at)))


def _one_value(store: Store, query: Any) -> Any:
    with store.read() as connection:
        return connection.execute(query).scalar()


def _is_quiet(store: Store) -> bool:
    waiting = select(inbox.c.id).where(inbox.c.outcome == "waiting")
    unsent = select(outbox.c.id).where(outbox.c.status.not_in(FINAL))
    return not _count(store, waiting) and not _count(store, unsent)


def _count(store: Store, query: Any) -> int:
    return int(_one_value(store, select(func.count()).select_from(query.subquery())))
