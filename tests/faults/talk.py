"""Residents who ask and call for a person, and the staff who answer them, while a platform misbehaves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from bot.storage.store import Store
from bot.storage.tables import conversations
from escalation.tables import ticket_watchers, tickets
from playground.phones import Person
from playground.wechat import WeChat
from shop.directory import Directory
from tests.faults.misbehaviour import Misbehaviour
from understanding.reader import Reader

CALL = "转人工"
CALM, NO_TONE = ("neutral", "pleased"), 0.3
# They belong to 张团长's community, who may serve in WeCom's own client.
OF_ZHANG = ("刘建国", "赵敏", "吴芳")
PATIENCE = 60.0  # seconds in which the platform delivers one callback again and again
Accepted = dict[Person, list[str]]


@dataclass(frozen=True, slots=True)
class Talk:
    """What one resident writes, in order."""

    person: Person
    texts: tuple[str, ...]


def questions(reader: Reader) -> dict[str, str]:
    """One question for each entry of the knowledge that the bot answers at once, with its answer; no two are alike."""
    found: dict[str, str] = {}
    for entry in reader.knowledge.entries:
        if entry.answer is None or entry.courtesy or entry.communities or "{" in entry.answer:
            continue
        understood = reader.read(entry.question)
        is_sure = (understood.decision, understood.entry) == ("answer", entry.id) and not understood.also
        # Where a tone is heard in it, a person is called.
        if is_sure and understood.mood in CALM and understood.low_mood < NO_TONE:
            found.setdefault(entry.answer, entry.question)
    return {question: answer for answer, question in found.items()}


def talks(
    wechat: WeChat, misbehaviour: Misbehaviour, door: str, asked: Iterable[str], *, people: int, each: int, calls: int
) -> list[Talk]:
    """``people`` residents whom nobody knows yet, ``each`` with so many messages; the first ``calls`` call at last."""
    wanted = list(asked)
    made = []
    for number in range(people):
        known = misbehaviour.to_a_person and number < min(calls, len(OF_ZHANG))
        name = OF_ZHANG[number] if known else f"{misbehaviour.name} {number}"
        texts = [wanted[(number + place) % len(wanted)] for place in range(each)]
        if number < calls:
            texts[-1] = CALL
        made.append(Talk(wechat.customer(name) if door == "kf" else wechat.person(name), tuple(texts)))
    return made


def write(talk: Talk, misbehaviour: Misbehaviour, pause: Callable[[int], None] = lambda place: None) -> list[str]:
    """Writes everything; the texts of which the bot is, or will be, told. ``pause`` is made before each of them."""
    told = []
    for place, text in enumerate(talk.texts):
        pause(place)
        delivery = say(talk.person, text)
        # The customer service keeps a list: there only the word that something came is lost.
        lost = misbehaviour.drops and talk.person.platform.name == "oa" and delivery == 0
        told += [] if lost else [text]
    return told


def say(person: Person, text: str) -> int:
    """Sends a message, again and again while the bot does not take it; how many tries the first time had."""
    delivery = person.send(text)
    deadline = time.monotonic() + PATIENCE
    accepted = delivery.accepted
    while not accepted:
        assert time.monotonic() < deadline, f"the bot did not take the message of {person.name}"
        accepted = person.repeat().accepted
    return delivery.tries


def staff_answer(store: Store, wechat: WeChat, directory: Directory, residents: Sequence[Person]) -> Accepted:
    """Whoever was told of the residents' tickets takes them, and writes two sentences to each; what was typed."""
    typed: Accepted = {}
    for number, staff_id in _waiting(store, residents).items():
        member = directory.staff_member(staff_id)
        assert member is not None
        person = wechat.person(member.name)
        for command in (f"接单 {number:04d}", *(f"回复 {number:04d} {words}" for words in _sentences(number))):
            say(person, command)
            typed.setdefault(person, []).append(command)
    return typed


def _sentences(number: int) -> tuple[str, str]:
    return f"您好，{number} 号单我来办。", f"{number} 号单明天给您答复，请放心。"


def _waiting(store: Store, residents: Sequence[Person]) -> Mapping[int, str]:
    """The residents' tickets that nobody has taken, each with one who was told of it."""
    query = (
        select(tickets.c.id, ticket_watchers.c.staff_id)
        .join(conversations, conversations.c.id == tickets.c.conversation_id)
        .join(ticket_watchers, ticket_watchers.c.ticket_id == tickets.c.id)
        .where(tickets.c.status == "waiting", conversations.c.account.in_([each.account for each in residents]))
        .order_by(tickets.c.id, ticket_watchers.c.id.desc())
    )
    with store.read() as connection:
        return {row.id: row.staff_id for row in connection.execute(query)}
