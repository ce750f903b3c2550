"""What is said in a group, where everybody reads the answer: general things for all, the rest in private.

Every message out of a group ends here, so no other handler ever answers in one. The bot is only told of those in which
it was called; what members say among themselves it does not hear.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from bot.conversation import Turn
from bot.effects import Effects
from bot.storage.store import Store
from bot.transaction import Transaction
from config.texts import Texts
from escalation.forwarding import words_to_staff
from escalation.notices import Notices
from escalation.transcript import shortened, without_phones
from faq import group_answers
from handlers import clarify
from handlers.answer import answer_values, note_of
from handlers.greeting import SENTENCES
from handlers.hand_over import HandOver, cause_of, reason_of
from handlers.proof import read_proof
from handlers.reading import Readings
from handlers.speaker import Speakers
from handlers.state import current, flow, forget_words
from shop.directory import Directory
from shop.kf_links import link_to
from shop.policy import Policy
from understanding.reader import Understanding
from understanding.skills import CLAIM

log = structlog.get_logger()

_SOOTHED = "soothed_at"
"""The key in the state under which stands when this person's complaint was last answered in public."""

_QUIET = timedelta(minutes=10)
_LIKELY = 0.5
_OWN_MATTER = re.compile(
    "(?:我|俺|咱)(?:们|家|妈|爸|那|这|买|订|下)?的?.{0,6}(?:退款|订单|单子?|钱|货|东西|菜|水果|券|取货码|到账|地址|电话|手机号)"
)


def handle(
    turn: Turn,
    *,
    store: Store,
    speakers: Speakers,
    readings: Readings,
    directory: Directory,
    policy: Policy,
    notices: Notices,
    texts: Texts,
    handing_over: HandOver,
) -> Effects | None:
    """Takes everything out of groups. What a person has been asked to see to reaches her, whatever is said here."""
    if not turn.message.chat:
        return None
    if turn.message.kind == "event":
        return Effects(note="group:event")
    if directory.community_of_chat(turn.message.channel, turn.message.chat) is None:
        # Its id is what the operator has to write under a community in people.yaml.
        log.info("group_not_listed", channel=turn.message.channel, chat=turn.message.chat)
    group = _Group(turn, store, speakers, readings, directory, policy, notices, texts, handing_over)
    effects = group.answered()
    if turn.conversation.holder is None:
        return effects  # while a ticket waits, staff read along anyway
    return replace(effects, records=(*effects.records, words_to_staff(turn.message, notices, texts)))


@dataclass(frozen=True, slots=True)
class _Group:
    """One message that everybody has read."""

    turn: Turn
    store: Store
    speakers: Speakers
    readings: Readings
    directory: Directory
    policy: Policy
    notices: Notices
    texts: Texts
    handing_over: HandOver

    def answered(self) -> Effects:
        message = self.turn.message
        staff = self.directory.staff_by_account(message.channel, message.account)
        if not message.text.strip():
            wordless = "group.hello" if message.media is None else "group.picture"
            return Effects((self._way(wordless) if message.media else self._say(wordless),), note=wordless)
        if flow(self.turn, "clarify") or message.choice:
            clarify.choose(self.turn, self.readings)
        reading = self.readings.of(self.turn)
        cause = None if staff else cause_of(reading)
        if cause is not None and self.turn.conversation.holder is not None:
            return Effects(note="group:held")  # whoever has the matter reads it, and sees to it
        if cause is not None:
            return self._handed_over(reading, *cause)
        if not staff and _tells_numbers(message.text, reading):
            return Effects((self._way("group.numbers", reading),), note="group:numbers")
        if reading.decision == "answer" and (general := self._general(reading)):
            return general
        if reading.decision == "skill" and (sentence := SENTENCES.get(reading.skill or "")):
            return Effects((self._say(sentence),), note=sentence)
        if staff:
            return Effects((self._say("group.staff"),), note="group:staff")
        if reading.skill == CLAIM:
            return self._claim(reading)
        if reading.decision in ("skill", "answer") or self._seems_personal(reading):
            return Effects((self._way("group.personal", reading),), note=f"group:personal {reading.entry}")
        if reading.decision == "clarify":
            knowledge = self.readings.knowledge_of(self.turn)
            return clarify.ask(self.turn, reading, speakers=self.speakers, knowledge=knowledge)
        return Effects((self._say("clarify.rephrase"),), note="clarify:group")

    def _general(self, reading: Understanding) -> Effects | None:
        """The answer for all, if there is one; whoever speaks of her own goes on in private."""
        knowledge, community = self.readings.knowledge_of(self.turn), self.speakers.of(self.turn).community
        values = answer_values(self.turn, self.speakers, self.policy, self.directory)
        place = community.id if community else None
        entries = [entry for entry in (reading.entry, *reading.also) if entry]
        told = [(entry, knowledge.answer_for_all(entry, values, place)) for entry in entries]
        said = [(entry, words) for entry, words in told if words is not None]
        if not said:
            return None
        own = self._way("group.your_own", reading) if _OWN_MATTER.search(self.turn.message.text) else None
        message = self.turn.message

        def tell(tx: Transaction) -> None:
            for entry, words in said:
                now = group_answers.say_now(tx, message.channel, message.chat, entry)
                tx.reply(words if now else self._say("group.above", question=knowledge.question_of(entry)))
            if own is not None:
                tx.reply(own)

        return Effects(records=(tell,), note=note_of([entry for entry, _ in said], knowledge, place))

    def _claim(self, reading: Understanding) -> Effects:
        """Something bad, told in front of all: soothed once, seen to in private, and the leader knows of it."""
        if self._was_soothed():
            return Effects((self._way("group.claim_again", reading),), note="group:claim")
        return Effects((self._way("group.claim", reading),), self._soothed(), (self._warn,), "group:claim")

    def _handed_over(self, reading: Understanding, sentence: str, priority: str) -> Effects:
        """One sentence in public, and a ticket; a second complaint within ten minutes only adds to the ticket."""
        account = self.texts.say("group_staff.said_in", account=self.turn.message.account)
        reason = reason_of(reading) or self.texts.say(f"reason.{sentence}")
        ticket = self.handing_over.record(self.turn, priority=priority, reason=reason, facts=(account,))
        forget_words(self.turn)
        quiet = self._was_soothed() and sentence != "danger"
        words: tuple[str, ...] = () if quiet else (self._say(f"hand_over.{sentence}"),)
        way = self._link(reading)

        def show_the_way(tx: Transaction) -> None:
            if way and not quiet:
                tx.reply(self._say("group.also_in_private", link=way))

        return Effects(words, self._soothed(), (ticket, show_the_way), f"hand_over:{sentence}")

    def _warn(self, tx: Transaction) -> None:
        words = shortened(without_phones(self.turn.message.text))
        self.notices.warn(tx, self.speakers.of(self.turn).served_by, words, self.turn.message.account)

    def _was_soothed(self) -> bool:
        at = current(self.turn).get(_SOOTHED)
        return at is not None and self.turn.now - datetime.fromisoformat(at) < _QUIET

    def _soothed(self) -> dict[str, object]:
        if self._was_soothed():
            return dict(current(self.turn))
        return {**current(self.turn), _SOOTHED: self.turn.now.isoformat()}

    def _way(self, key: str, reading: Understanding | None = None) -> str:
        """A sentence with the address of the private chat, or the one that does without."""
        link = self._link(reading)
        return self._say(key, link=link) if link else self._say(f"{key}_without_link")

    def _link(self, reading: Understanding | None) -> str | None:
        """Where this can go on in private: the customer service, which learns the community and what it is about."""
        community = self.speakers.of(self.turn).community
        if community is None:
            return None
        with self.store.read() as connection:
            return link_to(connection, community, self._topic(reading) if reading else "")

    def _seems_personal(self, reading: Understanding) -> bool:
        """Whether it is more likely than not something that only a skill can tell: to be led into private harms nobody,
        so it need not be as sure as an answer in front of everybody.
        """
        skill = self.readings.knowledge_of(self.turn).skill_of(reading.entry)
        return reading.confidence >= _LIKELY and skill is not None and skill not in SENTENCES

    def _topic(self, reading: Understanding) -> str:
        """What the private chat goes on with: the entry, or the skill when nothing but that was understood."""
        skill = self.readings.knowledge_of(self.turn).skill_of(reading.entry)
        if reading.decision == "answer" or (skill == reading.skill if reading.skill else self._seems_personal(reading)):
            return reading.entry or ""
        return reading.skill if reading.decision == "skill" and reading.skill else ""

    def _say(self, key: str, **values: object) -> str:
        return self.texts.say(key, "group", **values)


def _tells_numbers(text: str, reading: Understanding) -> bool:
    """Whether somebody has written a phone's or an order's number where all can read it."""
    if reading.slots.get("order_no") or without_phones(text) != text:
        return True
    return read_proof(text).stands_by_itself
