"""What everybody has read: in the group, where the smart bot answers, and in the staff's room, where alerts come in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, select

from bot.channels.wecom_aibot import without_markup
from bot.storage.store import Store
from bot.storage.tables import conversations, metadata, outbox
from config.texts import Texts
from escalation.tables import ticket_events, tickets
from escalation.tickets import label
from playground.wechat import WeChat
from playground.world import Bubble
from shop.tables import order_lines, residents
from tests.faults.books import LOST, TOLD
from tests.faults.talk import Accepted, Answers, Talk, sentences

FULL = 45009
# The bot counts what leaves within a minute, the room what arrives: at the edge it may refuse one, which then waits.
AT_THE_EDGE = 1
NO_ANSWER = ("", "…")
URGENT = ("P0", "P1")
TICKET = re.compile(r"工单 ?\d+")
PHONE = re.compile(r"(?<!\d)1\d{10}(?!\d)")
ADDRESS = re.compile(r"https?://\S+")
MENTIONED = " @"


class SharedScreens:
    """The group and the room from now on; what was before is not looked at."""

    def __init__(self, store: Store, wechat: WeChat, texts: Texts) -> None:
        self._store = store
        self._wechat = wechat
        self._texts = texts
        self._bubbles = max((bubble.id for _, _, bubble in wechat.world.changes(0)), default=0)
        self._tickets = max((row.id for row in self._rows(select(tickets))), default=0)
        self._never_told = self._accepted_without_a_word()
        self._refused_before = self._refused()

    # --- the group

    def group_broken(
        self, talks: Sequence[Talk], accepted: Accepted, answers: Answers, *, loses: bool
    ) -> Iterator[str]:
        """Each call was answered once at most, with what belongs to it, and nothing of one's own was said aloud."""
        calls = {talk.quoted(text): text for talk in talks for text in accepted[talk.person]}
        said = [bubble for bubble in self._of_group(talks) if bubble.text not in NO_ANSWER]
        for quoted, text in calls.items():
            there = [bubble.text for bubble in said if bubble.quote == quoted and not self._is_news(bubble.text)]
            if len(there) > 1 or not (there or loses):
                yield f"{quoted!r} was answered {len(there)} times in the group: {there}"
            expected = [without_markup(answer) for answer in answers[text]]
            yield from (
                f"{quoted!r} was answered in the group with {words!r}"
                for words in there
                if not words.startswith(tuple(expected))
            )
        yield from self._news_broken([bubble for bubble in said if self._is_news(bubble.text)], talks)
        yield from (f"nobody had asked for {bubble.text!r}" for bubble in said if bubble.quote not in calls)
        yield from self._private_aloud(said)

    def _of_group(self, talks: Sequence[Talk]) -> list[Bubble]:
        group = talks[0].group
        assert group is not None
        return [bubble for bubble in group.chat(self._bubbles) if bubble.speaker == "bot"]

    def _is_news(self, words: str) -> bool:
        """Whether this says that somebody has answered her, and nothing of what."""
        ways = ("group.news", "group.news_without_link")
        return words.startswith(tuple(self._texts.say(way, "group", link="") for way in ways))

    @staticmethod
    def _news_broken(news: Sequence[Bubble], talks: Sequence[Talk]) -> Iterator[str]:
        """Whoever called for a person is told once that there is an answer; nobody else is."""
        for talk in talks:
            quoted = {talk.quoted(text) for text in talk.texts}
            times = sum(bubble.quote in quoted for bubble in news)
            if times > 1:
                yield f"{talk.person.name} was told {times} times in the group that there is an answer"

    def _private_aloud(self, said: Sequence[Bubble]) -> Iterator[str]:
        things = self._private_things()
        for bubble in said:
            words = ADDRESS.sub("", bubble.text)
            found = [thing for thing in things if thing in words] + TICKET.findall(words) + PHONE.findall(words)
            if found:
                yield f"the group read {found} in {bubble.text!r}"

    def _private_things(self) -> set[str]:
        """Order numbers, codes, names, and what staff wrote to one resident."""
        lines, people = self._rows(select(order_lines)), self._rows(select(residents))
        found = {thing for line in lines for thing in (line.order_no, line.pickup_code)} | {one.name for one in people}
        numbers = [row.id for row in self._rows(select(tickets)) if row.id > self._tickets]
        return {thing for thing in found if thing} | {words for number in numbers for words in sentences(number)}

    # --- the staff's room

    def room_broken(self, *, repeats: bool) -> Iterator[str]:
        """Every urgent ticket was told of, every alert is read, and none twice but where nobody could know."""
        bubbles = [bubble for bubble in self._wechat.room.chat(self._bubbles) if bubble.speaker == "bot"]
        alerts = self._alerts()
        read = Counter(line for bubble in bubbles for line in _lines(bubble))
        told = self._told()
        for ticket in self._rows(select(tickets)):
            is_new = ticket.id > self._tickets and ticket.priority in URGENT
            if is_new and not any(_ticket_of(words) == ticket.id for words in read) and not told[ticket.id]:
                yield f"the room never read of {label(ticket.id)}"
        for row in alerts:
            words = row.payload["text"]
            if row.status == "sent" and not read[words]:
                yield f"the room never read what was sent: {words!r}"
            if row.status in LOST and not told[_ticket_of(words)]:
                yield f"no ticket shows what is {row.status} ({row.error}): {words!r}"
        known = {row.payload["text"] for row in alerts}
        yield from (f"the room read what nobody wrote: {words!r}" for words in read if words not in known)
        yield from self._doubled(bubbles, self._accepted_without_a_word() - self._never_told if repeats else 0)
        if (refused := self._refused() - self._refused_before) > AT_THE_EDGE:
            yield f"the room was full {refused} times"

    def _doubled(self, bubbles: Sequence[Bubble], unavoidable: int) -> Iterator[str]:
        """The platform knows no key of ours, so what it accepted and never told is said once more."""
        seen: set[str] = set()
        again = []
        for bubble in bubbles:
            again += [bubble.text] if seen & set(_lines(bubble)) else []
            seen |= set(_lines(bubble))
        if len(again) > unavoidable:
            yield f"the room read {len(again)} messages again, where {unavoidable} may be: {again}"

    def key_broken(self, key: str, logs: str) -> Iterator[str]:
        """Whoever has the key can write into the room: it is in no row, no log and no record of the traffic."""
        if key in logs:
            yield "the room's key is in a log"
        for table in metadata.sorted_tables:
            if any(key in repr(row) for row in self._rows(select(table))):
                yield f"the room's key is in the table {table.name}"

    def read_twice(self) -> int:
        """How many lines the room has read more often than once."""
        bubbles = [bubble for bubble in self._wechat.room.chat(self._bubbles) if bubble.speaker == "bot"]
        read = Counter(line for bubble in bubbles for line in _lines(bubble))
        return sum(times - 1 for times in read.values())

    # --- rows

    def _alerts(self) -> list[Row[Any]]:
        query = select(outbox).join(conversations, conversations.c.id == outbox.c.conversation_id)
        rows = self._rows(query.where(conversations.c.channel == "staff-room").order_by(outbox.c.id))
        return [row for row in rows if _ticket_of(row.payload["text"]) > self._tickets]

    def _told(self) -> Mapping[int, int]:
        return Counter(event.ticket_id for event in self._rows(select(ticket_events)) if event.kind in TOLD)

    def _accepted_without_a_word(self) -> int:
        return self._wechat.wecom.faults.struck["hang_after"]

    def _refused(self) -> int:
        """How often the room itself has said no; what a fault says is not counted."""
        return self._wechat.wecom.ledger.refused[FULL]

    def _rows(self, query: Any) -> list[Row[Any]]:
        with self._store.read() as connection:
            return list(connection.execute(query))


def _lines(bubble: Bubble) -> list[str]:
    """The alerts that one message holds."""
    return bubble.text.partition(MENTIONED)[0].split("\n")


def _ticket_of(words: str) -> int:
    found = re.match(r"工单 (\d+)", words)
    return int(found[1]) if found else 0
