"""One message in, one Understanding out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from faq.knowledge import Entry, Knowledge
from faq.matching import Match, Matcher
from faq.text import simplified
from understanding import skills
from understanding.acts import in_question_form, wants
from understanding.clauses import ClauseReader
from understanding.context import in_context
from understanding.kinds import CLAIMABLE, LOGISTICS, URGENT, Kind, KindReader, names
from understanding.mood import Mood, MoodReader
from understanding.person import PersonReader
from understanding.priority import Priority, PriorityReader
from understanding.slots import SlotReader

Decision = Literal["answer", "skill", "clarify", "handoff"]

LONGEST = 1000
"""Characters that are read for feelings, complaints and names."""

_MOOD_WORDS = {"angry": "生气", "disappointed": "失望", "anxious": "着急", "pleased": "满意", "neutral": "平静"}
_KIND_WORDS = {
    "rotten": "腐烂变质", "damaged": "破损压坏", "short_weight": "缺斤少两", "not_as_described": "货不对板",
    "expired": "临期过期", "fake": "假货", "foreign_object": "异物", "food_safety": "食品安全", "quality": "品质不好",
    "price": "价格", "late": "送晚", "lost": "丢失", "taken_by_other": "被别人拿走", "thawed": "解冻",
    "status_not_updated": "信息不更新", "wrong_item": "发错", "missing_item": "漏发", "cannot_cancel": "取消难",
    "discount_not_honoured": "优惠不兑现", "attitude": "态度差", "slow_answer": "回应慢", "passed_around": "推诿",
    "refund_slow": "退款慢", "harassment": "骚扰", "privacy_leak": "隐私泄露",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Alternative:
    """A next best entry and the probability that it is right."""

    entry: str
    confidence: float


_UNEASY = 0.15
"""So much below the limit of a low mood, somebody who tells something that is not understood has no use for choices."""
_COURTEOUS = 0.55
"""From which confidence thanks and small talk are answered in kind: nobody is misled, and asking back would be odd."""
CHOICES = 3
"""Questions that are offered when the bot asks back."""
_WELL_KNOWN, _FOR_SURE = 0.7, 0.9
"""From which confidence a question's answer is known well enough to be no complaint, and for sure."""
_EXPLAINED = (LOGISTICS - {"thawed", "taken_by_other"}) | {"price", "cannot_cancel", "discount_not_honoured"}
"""Kinds of complaint that an answer may settle; in the others somebody must act."""
_LONGEST_TALK = 40
_ANY_MOOD = 2.0
"""A limit that no mood reaches."""
_A_STORM = 10
"""Characters; less ("答非所问啊你") is a word in passing."""
_LONG_ENOUGH_FOR_TWO = 6
"""Characters: "找不到呀" does not say enough for two answers."""
_NOT_PRINTED = frozenset({"skill", "also", "guessed_kinds", "upset"})


@dataclass(frozen=True, slots=True)
class Understanding:
    """What the bot makes of a message; each key is explained where ``./qunda understand`` is described.

    ``skill`` is the name of the skill that takes over when ``decision`` is "skill"; ``also`` are further entries that
    the message asks for as surely. Neither is printed. ``guessed_kinds`` are printed with the kinds, but nothing is
    done because of them. ``upset``: a person should take over because of the feeling, whatever else is understood.
    """

    entry: str | None
    confidence: float
    others: tuple[Alternative, ...]
    decision: Decision
    mood: str
    low_mood: float
    priority: Priority | None
    kinds: tuple[str, ...]
    slots: Mapping[str, Any]
    why: tuple[str, ...]
    skill: str | None = None
    also: tuple[str, ...] = ()
    guessed_kinds: tuple[str, ...] = ()
    upset: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The printed keys, in their order, as plain JSON values."""
        values = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in _NOT_PRINTED}
        return {
            **values,
            "others": [asdict(other) for other in self.others],
            "kinds": [*self.kinds, *self.guessed_kinds],
            "slots": dict(self.slots),
            "why": list(self.why),
        }


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which probability the bot does what; each from 0 to 1."""

    answer: float
    answer_in_group: float
    clarify: float
    low_mood: float

    @classmethod
    def of(cls, decisions: Mapping[str, Any], matcher: Matcher) -> Thresholds:
        """The thresholds that are set, and those that follow from ``tolerated_wrong`` and what the matcher learnt.

        Before everybody half as many wrong answers are tolerated.
        """
        tolerated, clarify = float(decisions["tolerated_wrong"]), float(decisions["clarify"])
        answer = max(clarify, float(decisions.get("answer", matcher.threshold(tolerated))))
        in_group = float(decisions.get("answer_in_group", max(answer, matcher.threshold(tolerated / 2))))
        return cls(answer, in_group, clarify, float(decisions["low_mood"]))


@dataclass(frozen=True, slots=True)
class Senses:
    """The readers of everything but the entry."""

    clauses: ClauseReader
    kinds: KindReader
    mood: MoodReader
    person: PersonReader
    priority: PriorityReader
    slots: SlotReader


class Reader:
    """Understands messages with one snapshot of knowledge and word lists; safe to share between threads."""

    def __init__(self, knowledge: Knowledge, matcher: Matcher, senses: Senses, thresholds: Thresholds) -> None:
        self.knowledge = knowledge
        self.matcher, self._senses, self.thresholds = matcher, senses, thresholds
        self._acts = senses.kinds.acts

    def read(
        self,
        text: str,
        *,
        group: bool = False,
        history: Sequence[str] = (),
        community: str | None = None,
        products: Iterable[str] = (),
    ) -> Understanding:
        """Understands one message; any text gives a decision and never an error.

        ``group``: said in front of everybody. ``history``: the resident's earlier messages, oldest first.
        ``community``: the resident's, None when unknown. ``products``: names to look for, such as those ordered.
        """
        words = simplified(text[:LONGEST])
        whole = self.matcher.match(words, community)
        clause, matches = self._clearest(words, whole, community, group)
        asked, matches = self._with_what_was_said(words, matches, history, community, group)
        called = self._senses.person.called(words)
        heard = self._complaints(words, clause, matches)
        kinds = tuple(kind for kind in heard if kind.sure)
        earlier = [line[:LONGEST] for line in history]
        mood = self._senses.mood.read(words, earlier, complains=bool(kinds), calls=bool(called))
        danger = self._senses.priority.danger(words)
        entry = self._sure_entry(asked, matches, group)
        either = () if entry or group or len(asked) < _LONG_ENOUGH_FOR_TWO else self._sure_of_two(asked, matches)
        entry = entry or (either[0] if either else None)
        decision, skill = self._decide(words, matches, entry, mood, names(kinds), called, danger)
        priority = self._senses.priority.read(
            words, names(kinds), danger=bool(danger), upset=self._upset(mood), calls=bool(called),
            handed_over=decision == "handoff",
        )  # fmt: skip
        return Understanding(
            entry=matches[0].entry_id if matches else None,
            confidence=round(matches[0].confidence, 4) if matches else 0.0,
            others=tuple(Alternative(each.entry_id, round(each.confidence, 4)) for each in matches[1:]),
            decision=decision,
            mood=mood.name,
            low_mood=mood.low,
            priority=priority,
            kinds=names(kinds),
            guessed_kinds=() if entry else tuple(kind.name for kind in heard if not kind.sure),
            slots=self._senses.slots.read(words, products),
            why=_why(matches, decision, kinds if entry else heard, mood, called, danger),
            skill=skill,
            also=self._also(words, entry, either, community, group) if decision == "answer" and entry else (),
            upset=mood.low >= self._most_that_is_borne(words, mood, mood.told),
        )

    def _with_what_was_said(
        self, text: str, matches: list[Match], history: Sequence[str], community: str | None, group: bool
    ) -> tuple[str, list[Match]]:
        """What was asked in full, and its entries: "那退款呢" after another question asks the same of refunds."""
        leaning = in_context(text, [line[:LONGEST] for line in history], self._senses.slots)
        if leaning is None:
            return text, matches
        topic, questions = leaning
        likely = {match.entry_id for match in self.matcher.match(topic, community)}
        for question in questions:
            found = self.matcher.match(question, community)
            if not self._senses.slots.only_product(topic):
                found = self._only(found, likely)
            if found and self._speaks(found, group):
                return question, found
        return text, matches

    def _only(self, matches: list[Match], likely: Collection[str]) -> list[Match]:
        """The matches that the topic allows for; who leans on a question asks one, so nothing else has a share."""
        kept = [match for match in matches if match.entry_id in likely]
        total = sum(match.confidence for match in kept)
        if total < self.thresholds.clarify:
            return []
        return [Match(match.entry_id, match.confidence / max(total, match.confidence)) for match in kept]

    def _also(
        self, text: str, entry: Entry, either: Sequence[Entry], community: str | None, group: bool
    ) -> tuple[str, ...]:
        """What else a message may mean, and its further questions, each in a clause of its own and as sure as one."""
        found = dict.fromkeys(other.id for other in either)
        for clause in self._senses.clauses.parts(text):
            matches = self.matcher.match(clause, community) if in_question_form(clause) else []
            if matches and self._speaks(matches, group) and self.knowledge[matches[0].entry_id].answer is not None:
                found[matches[0].entry_id] = None
        return tuple(other for other in found if other != entry.id)

    def _clearest(self, text: str, whole: list[Match], community: str | None, group: bool) -> tuple[str, list[Match]]:
        """The message with its entries or, when none of them says enough, its longest clause that does.

        Where some clauses ask, the others only tell beside it.
        What a clause asks must be among what the whole may mean: "还能吃吗" alone is the question of the sick.
        """
        if not whole or self._speaks(whole, group):
            return text, whole
        likely = {match.entry_id for match in whole}
        clauses = self._senses.clauses.read(text)
        for clause in [each for each in clauses if in_question_form(each)] or clauses:
            matches = self.matcher.match(clause, community)
            asked = matches and matches[0].entry_id in likely and self._speaks(matches, group)
            if asked and not self._senses.slots.only_product(clause):
                return clause, matches
        return text, whole

    def _speaks(self, matches: list[Match], group: bool) -> bool:
        """Whether the best entry is likely enough and more than a courtesy."""
        best = matches[0]
        return best.confidence >= self._limit(group) and not self.knowledge[best.entry_id].courtesy

    def _limit(self, group: bool) -> float:
        return self.thresholds.answer_in_group if group else self.thresholds.answer

    def _complaints(self, text: str, asked: str, matches: list[Match]) -> tuple[Kind, ...]:
        """The kinds of complaint; ``asked``, all of the text or a clause, is what the matches answer.

        A question whose answer is known complains of nothing, unless it does so of something that happened. Where the
        answer is known for sure it helps sooner than a ticket, if the matter can be explained.
        """
        kinds = self._senses.kinds.read(text)
        known = matches and matches[0].confidence >= _WELL_KNOWN
        if not known or self.knowledge[matches[0].entry_id].answer is None or URGENT.intersection(names(kinds)):
            return kinds
        for_sure = matches[0].confidence >= _FOR_SURE and self._acts.wants_to_know(asked)
        if for_sure and _EXPLAINED.issuperset(names(kinds)):
            return ()
        parts = [text] if asked == text else asked.split("，")
        answered = [part for part in parts if not self._acts.complains(part)]
        if answered:
            kinds = self._senses.kinds.read(_without(answered, text))
        return tuple(kind for kind in kinds if kind.listed)

    def _upset(self, mood: Mood) -> bool:
        return mood.name in ("angry", "disappointed") and mood.low >= self.thresholds.low_mood

    def _bears_an_answer(self, text: str, mood: Mood) -> bool:
        """Whether the answer is the best help when it is known.

        Not for those who say that they are upset, nor for those who sound angry and ask nothing.
        """
        says_so = mood.told and mood.name in ("angry", "disappointed")
        return mood.low < self._most_that_is_borne(text, mood, says_so)

    def _most_that_is_borne(self, text: str, mood: Mood, says_so: bool) -> float:
        """How low a mood may be: the limit for whoever says so or storms, more where only the sound tells it.

        The sound alone takes no question away from its answer.
        """
        low = self.thresholds.low_mood
        if says_so or (mood.name == "angry" and len(text) >= _A_STORM and not self._acts.asks(text)):
            return low
        return (1 + low) / 2 if mood.told or self._acts.complains(text) else _ANY_MOOD

    def _sure_entry(self, text: str, matches: list[Match], group: bool) -> Entry | None:
        """The best entry when it is likely enough; a product's bare name does not say what is wanted."""
        if not matches or self._senses.slots.only_product(text):
            return None
        best = self.knowledge[matches[0].entry_id]
        limit = _COURTEOUS if best.courtesy and self._says_no_more(text, matches) else self._limit(group)
        return best if matches[0].confidence >= limit else None

    def _says_no_more(self, text: str, matches: list[Match]) -> bool:
        """Whether a message is a courtesy and nothing else: "我儿子考上大学了，谢谢" is more than thanks."""
        if len(text) > _LONGEST_TALK or in_question_form(text):
            return False
        longest = next(iter(self._senses.clauses.read(text)), None)
        told = self.matcher.match(longest) if longest else matches
        return bool(told) and told[0].entry_id == matches[0].entry_id and told[0].confidence >= _COURTEOUS

    def _sure_of_two(self, text: str, matches: list[Match]) -> tuple[Entry, ...]:
        """The two best entries when one of them is as surely meant as a single one must be: both answers are given."""
        if len(matches) < 2 or self._senses.slots.only_product(text):
            return ()
        best, second = matches[:2]
        sure = best.confidence + second.confidence >= self.thresholds.answer
        if not sure or second.confidence < self.thresholds.clarify:
            return ()
        both = self.knowledge[best.entry_id], self.knowledge[second.entry_id]
        return () if any(entry.answer is None or entry.courtesy for entry in both) else both

    def _decide(
        self,
        text: str,
        matches: list[Match],
        entry: Entry | None,
        mood: Mood,
        kinds: tuple[str, ...],
        called: str | None,
        danger: str | None,
    ) -> tuple[Decision, str | None]:
        if danger and not kinds:
            return "skill", skills.PERSON
        if called and not URGENT.intersection(kinds):
            return "skill", skills.PERSON
        if kinds:
            return "skill", _skill_for(kinds, entry.skill if entry else None, self._bears_an_answer(text, mood))
        if not self._bears_an_answer(text, mood) or (mood.low >= self.thresholds.low_mood and not entry):
            return "handoff", None
        if entry:
            return ("skill", entry.skill) if entry.skill else ("answer", None)
        if mood.low >= self.thresholds.low_mood - _UNEASY and not self._acts.asks(text):
            return "handoff", None
        offered = sum(match.confidence for match in matches[:CHOICES])
        if not matches or offered >= self.thresholds.clarify or not wants(text):
            return "clarify", None
        return "handoff", None


def _without(clauses: Iterable[str], text: str) -> str:
    for clause in clauses:
        text = text.replace(clause, "，")
    return text


def _skill_for(kinds: tuple[str, ...], asked: str | None, bears_an_answer: bool) -> str:
    """A question about a late order is answered from the order, a photo settles bad goods, a ticket the rest."""
    if asked == skills.ORDER_STATUS and LOGISTICS.issuperset(kinds) and bears_an_answer:
        return skills.ORDER_STATUS
    if URGENT.intersection(kinds):
        return skills.COMPLAINT
    return skills.CLAIM if CLAIMABLE.intersection(kinds) else skills.COMPLAINT


def _why(
    matches: list[Match],
    decision: Decision,
    kinds: tuple[Kind, ...],
    mood: Mood,
    called: str | None,
    danger: str | None,
) -> tuple[str, ...]:
    reasons = [f"紧急：提到“{danger}”"] if danger else []
    reasons += [f"找人工：“{called}”"] if called else []
    reasons += [f"{'' if kind.sure else '可能'}{_KIND_WORDS[kind.name]}：“{kind.words.strip()}”" for kind in kinds]
    reasons += [f"{_MOOD_WORDS[mood.name]}：{reason}" for reason in mood.reasons]
    if not matches:
        reasons.append("消息里没有文字")
    elif decision in ("clarify", "handoff"):
        reasons.append(f"最接近的问题只有 {matches[0].confidence:.0%} 的把握")
    else:
        reasons.append(f"最接近的问题：{matches[0].entry_id}，{matches[0].confidence:.0%} 的把握")
    return tuple(reasons)
