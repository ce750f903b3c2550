"""Residents who ask, call for a person and complain, and the staff who answer them, while a platform misbehaves."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select

from bot.storage.store import Store
from bot.storage.tables import conversations
from config.texts import Texts
from escalation.tables import ticket_watchers, tickets
from playground.groups import AFTER_NAME, Group
from playground.phones import Person
from playground.wechat import BOT_NAME, WeChat
from shop.directory import Directory
from tests.faults.misbehaviour import Door, Misbehaviour
from understanding.reader import Reader, Understanding

CALL = "转人工"
MINE = "我的订单到哪了"
COMPLAINT = "你们什么破平台，没人管，骗子"
CALM, NO_TONE = ("neutral", "pleased"), 0.3
# They belong to 张团长's community, who may serve in WeCom's own client.
OF_ZHANG = ("刘建国", "赵敏", "吴芳")
# Her orders are known to the bot, in groups too.
KNOWN = "赵敏"
OF_ONESELF = "我俺咱"
PATIENCE = 60.0  # seconds in which the platform delivers one callback again and again
Accepted = dict[Person, list[str]]

Answers = Mapping[str, Collection[str]]
"""How the answer to each question may begin."""


@dataclass(frozen=True, slots=True)
class Talk:
    """What one person writes, in order: alone with the bot, or calling it in a ``group``."""

    person: Person
    texts: tuple[str, ...]
    group: Group | None = None

    def quoted(self, text: str) -> str:
        """How an answer in the group shows what it answers."""
        return f"{self.person.name}：@{BOT_NAME}{AFTER_NAME}{text}"


@dataclass(frozen=True, slots=True)
class Size:
    """How many ``people`` write, ``each`` so many messages, and how many of them call for a person at last.

    ``slow``: how many messages each writes where every answer takes long; ``complaints``: how many residents complain.
    """

    people: int
    each: int
    calls: int
    slow: int
    complaints: int


def questions(reader: Reader) -> Answers:
    """One question for each entry of the knowledge that the bot answers at once, with its answer; no two are alike."""
    found: dict[str, str] = {}
    for entry in reader.knowledge.entries:
        if entry.answer is None or entry.courtesy or entry.communities or "{" in entry.answer:
            continue
        if _is_plain(reader.read(entry.question), entry.id):
            found.setdefault(entry.answer, entry.question)
    return {question: (answer,) for answer, question in found.items()}


def questions_for_all(reader: Reader, texts: Texts) -> Answers:
    """Those that are answered in front of everybody, and are nobody's own; the second time they are only pointed to."""
    found: dict[str, Collection[str]] = {}
    for entry in reader.knowledge.entries:
        if not entry.group or entry.courtesy or entry.communities or "{" in entry.group:
            continue
        of_oneself = set(entry.question) & set(OF_ONESELF)
        if not of_oneself and _is_plain(reader.read(entry.question, group=True), entry.id):
            above = texts.say("group.above", "group", question=entry.question)
            found[entry.question] = (entry.group, above)
    return found


def in_private(texts: Texts) -> Answers:
    """What is answered in front of everybody to what cannot be settled there."""
    mine = (texts.say("group.personal", "group", link=""), texts.say("group.personal_without_link", "group"))
    return {MINE: mine, CALL: (texts.say("hand_over.wanted", "group"),)}


def _is_plain(understood: Understanding, entry: str) -> bool:
    is_sure = (understood.decision, understood.entry) == ("answer", entry) and not understood.also
    # Where a tone is heard in it, a person is called.
    return is_sure and understood.mood in CALM and understood.low_mood < NO_TONE


def talks(wechat: WeChat, misbehaviour: Misbehaviour, door: Door, asked: Iterable[str], size: Size) -> list[Talk]:
    """What people whom nobody knows yet write; the first ``size.calls`` of them call for a person at last."""
    if door == "room":
        names = [f"{misbehaviour.name}, complaint {number}" for number in range(size.complaints)]
        return [Talk(wechat.person(name), (COMPLAINT,)) for name in names]
    wanted, each = list(asked), _how_many(misbehaviour, size)
    spoken = [_questions(wanted, number, each, calls=number < size.calls) for number in range(size.people)]
    if door == "group":
        return _in_group(wechat, misbehaviour, spoken)
    made = []
    for number, texts in enumerate(spoken):
        known = misbehaviour.to_a_person and number < min(size.calls, len(OF_ZHANG))
        name = OF_ZHANG[number] if known else f"{misbehaviour.name} {number}"
        made.append(Talk(wechat.customer(name) if door == "kf" else wechat.person(name), texts))
    return made


def _how_many(misbehaviour: Misbehaviour, size: Size) -> int:
    """What one person writes; where no answer comes to its end, she waits with the next message."""
    if misbehaviour.never_asks:
        return 1
    return size.slow if misbehaviour.slowly else size.each


def _questions(wanted: Sequence[str], number: int, each: int, *, calls: bool) -> tuple[str, ...]:
    texts = [wanted[(number + place) % len(wanted)] for place in range(each)]
    return (*texts[:-1], CALL) if calls else tuple(texts)


def _in_group(wechat: WeChat, misbehaviour: Misbehaviour, spoken: Sequence[tuple[str, ...]]) -> list[Talk]:
    """New members come into a community's group, where one is known, and ask there: first what is their own."""
    chat = next(iter(wechat.groups.values())).account
    said = {f"{misbehaviour.name} {number}": (MINE, *texts[1:]) for number, texts in enumerate(spoken)}
    accounts = {name: "M" + hashlib.sha1(name.encode()).hexdigest()[:15] for name in said}
    said[KNOWN], accounts[KNOWN] = (MINE,), wechat.beside_bot(KNOWN).account
    room = wechat.aibot.rooms[chat]
    wechat.aibot.rooms[chat] = replace(room, members={account: name for name, account in accounts.items()})
    return [
        Talk(Person(name, "member", accounts[name], wechat.aibot), texts, Group(chat, wechat.aibot))
        for name, texts in said.items()
    ]


def write(talk: Talk, misbehaviour: Misbehaviour, pause: Callable[[int], None]) -> list[str]:
    """Writes everything; the texts of which the bot is, or will be, told. ``pause`` is made before each of them."""
    told = []
    for place, text in enumerate(talk.texts):
        pause(place)
        tries = say(talk, text, waits=not misbehaviour.never_asks)
        # The customer service keeps a list: there only the word that something came is lost.
        lost = misbehaviour.drops and talk.person.platform.name != "kf" and tries == 0
        told += [] if lost else [text]
    return told


def say(talk: Talk, text: str, *, waits: bool = True) -> int:
    """Sends a message, again and again while the bot does not take it; how many tries the first time had.

    ``waits``: until an answer in the group has come to its end.
    """
    there = talk.group or talk.person
    before = max((bubble.id for bubble in there.chat()), default=0)
    delivery = talk.group.say(talk.person.name, text) if talk.group else talk.person.send(text)
    assert delivery is not None
    deadline = time.monotonic() + PATIENCE
    accepted = delivery.accepted
    while not accepted:
        assert time.monotonic() < deadline, f"the bot did not take the message of {talk.person.name}"
        accepted = there.repeat().accepted
    if talk.group and waits:
        assert talk.group.platform.world.wait_until(lambda: not _is_open(talk, text, before), PATIENCE)
    return delivery.tries


def _is_open(talk: Talk, text: str, since: int) -> bool:
    assert talk.group is not None
    quoted = talk.quoted(text)
    return any(bubble.quote == quoted and bubble.state == "sending" for bubble in talk.group.chat(since))


def staff_answer(store: Store, wechat: WeChat, directory: Directory, residents: Sequence[Person]) -> Accepted:
    """Whoever was told of the residents' tickets takes them, and writes two sentences to each; what was typed."""
    typed: Accepted = {}
    for number, staff_id in _waiting(store, residents).items():
        member = directory.staff_member(staff_id)
        assert member is not None
        person = wechat.person(member.name)
        for command in (f"接单 {number:04d}", *(f"回复 {number:04d} {words}" for words in sentences(number))):
            say(Talk(person, ()), command)
            typed.setdefault(person, []).append(command)
    return typed


def sentences(number: int) -> tuple[str, str]:
    """What staff write to the resident of a ticket."""
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
