"""The platforms misbehave: the whole bot, with all its processes, between twenty residents who write at once.

For each misbehaviour, and each door that can have it, 500 messages; then every promise is checked in the database and
in the platforms' own books. After that, 10,000 messages that waited through a time without the bot. A broken promise
is printed, and makes ``./qunda bench faults`` end with 1.

QUNDA_BENCH_ONLY names what is to be run, with commas between: misbehaviours ("drop", "45009"), doors ("oa", "kf"),
a misbehaviour at a door ("drop at kf"), or "day offline".
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from bot.storage.store import Store
from bot.storage.tables import inbox, outbox
from config.settings import Settings
from playground import demo_data
from playground.customers import Customer
from playground.stage import Stage
from shop.directory import Directory
from tests.faults.books import FINAL, Accepted, Books, Tally
from tests.faults.misbehaviour import Door, Misbehaviour, let_one_leader_serve, with_doors
from tests.faults.offline import Waiting, leave_waiting
from tests.faults.talk import questions, staff_answer, talks, write
from understanding.reader import load_reader

PEOPLE, EACH, CALLS = 20, 25, 4
# Whoever writes more than twenty messages within ten seconds is asked to slow down.
IN_ONE_GO, BURST_SECONDS = 13, 11.5
CUSTOMERS, MESSAGES = 400, 10_000
PATIENCE = 150.0  # seconds until everything has come to rest
PATIENCE_OFFLINE = 400.0
LOOK_EVERY = 0.2
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


def run() -> Mapping[str, Any]:
    """Measures and prints a table; returns the figures, with what is ``broken``."""
    only = {name.strip() for name in os.environ.get("QUNDA_BENCH_ONLY", "").split(",") if name.strip()}
    chosen = [
        (misbehaviour, door)
        for misbehaviour, door in with_doors()
        if not only or only & {misbehaviour.name, door, f"{misbehaviour.name} at {door}"}
    ]
    figures: dict[str, Any] = {"misbehaviours": {}, "broken": []}
    if chosen:
        figures["misbehaviours"] = _misbehave(chosen)
    if not only or OFFLINE in only:
        figures[OFFLINE] = asdict(_day_offline())
    rows = [*figures["misbehaviours"].values(), *([figures[OFFLINE]] if OFFLINE in figures else [])]
    figures["broken"] = [what for row in rows for what in row["broken"]]
    for what in figures["broken"]:
        print(f"BROKEN: {what}")
    return figures


# --- misbehaviours


def _misbehave(chosen: Sequence[tuple[Misbehaviour, Door]]) -> dict[str, Any]:
    columns = ("messages", "answered", "uncertain", "dead", "expired", "doubled", "disorder", "budgets", "seconds")
    print(f"{PEOPLE} conversations in parallel; seconds until everything has come to rest")
    print(f"{'misbehaviour':<26}{'door':<5}" + "".join(f"{name:>10}" for name in columns), flush=True)
    found = {}
    with _stage() as (stage, answers), closing(_store(stage)) as store:
        directory = Directory.load(stage.data_dir / "config" / "people.yaml", {})
        for misbehaviour, door in chosen:
            began = time.monotonic()
            tally = _one(stage, store, directory, answers, misbehaviour, door)
            seconds = time.monotonic() - began
            found[f"{misbehaviour.name} at {door}"] = {**tally.as_dict(), "seconds": seconds}
            _print(misbehaviour, door, tally, seconds)
    return found


def _print(misbehaviour: Misbehaviour, door: Door, tally: Tally, seconds: float) -> None:
    numbers = (
        tally.messages,
        tally.answered,
        tally.uncertain,
        tally.dead,
        tally.expired,
        tally.doubled,
        tally.out_of_order,
        tally.budgets_broken,
    )
    mark = f"   {len(tally.broken)} broken" if tally.broken else ""
    row = "".join(f"{number:>10}" for number in numbers)
    print(f"{misbehaviour.name:<26}{door:<5}{row}{seconds:>10.1f}{mark}", flush=True)


def _one(
    stage: Stage,
    store: Store,
    directory: Directory,
    answers: Mapping[str, str],
    misbehaviour: Misbehaviour,
    door: Door,
) -> Tally:
    books = Books(store, stage.wechat, answers)
    spoken = talks(stage.wechat, misbehaviour, door, answers, people=PEOPLE, each=EACH, calls=CALLS)
    misbehaviour.start(stage.wechat, door)
    try:
        with ThreadPoolExecutor(PEOPLE) as threads:
            told = threads.map(lambda talk: write(talk, misbehaviour, _pacing()), spoken)
            accepted = {talk.person: texts for talk, texts in zip(spoken, told, strict=True)}
        _come_to_rest(stage, books, accepted)
        accepted |= staff_answer(store, stage.wechat, directory, [talk.person for talk in spoken])
        _come_to_rest(stage, books, accepted)
    finally:
        for platform in stage.wechat.platforms:
            platform.faults.clear()
    return books.tally(accepted, loses=misbehaviour.loses, silences=misbehaviour.silences)


def _pacing() -> Callable[[int], None]:
    """Writes in two goes, so that nobody is taken for a flood."""
    began = time.monotonic()

    def pause(place: int) -> None:
        if place == IN_ONE_GO:
            time.sleep(max(0.0, began + BURST_SECONDS - time.monotonic()))

    return pause


def _come_to_rest(stage: Stage, books: Books, accepted: Accepted) -> None:
    """Waits for what happens on the platforms, and looks each time whether anything is left to be done."""
    for platform in stage.wechat.platforms:
        platform.deliver_held()
    _wait(stage, lambda: not books.open_work(accepted), PATIENCE)


def _wait(stage: Stage, happened: Callable[[], bool], patience: float) -> bool:
    world, deadline = stage.wechat.world, time.monotonic() + patience
    while not (came := happened()) and time.monotonic() < deadline:
        with world.changed:
            world.changed.wait(LOOK_EVERY)
    return came


# --- a time without the bot


def _day_offline() -> Offline:
    print(f"\n{MESSAGES} messages of {CUSTOMERS} customers, which have waited for up to three days", flush=True)
    with _prepared() as (stage, answers):
        waiting = leave_waiting(stage.wechat, answers, customers=CUSTOMERS, messages=MESSAGES - 1)
        with stage, closing(_store(stage)) as store:
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
    assert _wait(stage, lambda: _first_received(store) is not None, PATIENCE), "nothing was pulled"
    began = _first_received(store)
    _wait(stage, lambda: _count(store, select(inbox.c.id)) >= waiting.messages, PATIENCE_OFFLINE)
    _wait(stage, lambda: _is_quiet(store), PATIENCE_OFFLINE)
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


# --- the stage


@contextmanager
def _stage() -> Iterator[tuple[Stage, dict[str, str]]]:
    with _prepared() as (stage, answers), stage:
        yield stage, answers


@contextmanager
def _prepared() -> Iterator[tuple[Stage, dict[str, str]]]:
    """A bot that is not started yet, and the questions with their answers."""
    with tempfile.TemporaryDirectory(prefix="qunda-bench-") as folder:
        data_dir, config = Path(folder), Path(folder) / "config"
        demo = demo_data.prepare(data_dir, "http://127.0.0.1:1", with_kf=True)
        shutil.copytree(demo["QUNDA_CONFIG_DIR"], config)
        let_one_leader_serve(config / "people.yaml")
        answers = questions(load_reader(Settings.load({"QUNDA_DATA_DIR": folder}, make_secret=True)))
        environment = {"QUNDA_CONFIG_DIR": str(config), "QUNDA_LOG_LEVEL": "ERROR"}
        yield Stage(data_dir, environment, with_kf=True), answers


def _store(stage: Stage) -> Store:
    return Store(f"sqlite:///{stage.data_dir / 'qunda.db'}")
