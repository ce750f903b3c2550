"""One message in, one Understanding out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from config.settings import Settings
from config.yaml_file import YamlFile, read_yaml
from faq.knowledge import Entry, Knowledge
from faq.learnt import LearntStore
from faq.matching import Match, Matcher
from faq.text import Speech
from understanding import skills
from understanding.acts import asks, tells, wants
from understanding.clauses import ClauseReader
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


@dataclass(frozen=True, slots=True)
class Understanding:
    """What the bot makes of a message; each key is explained where ``./qunda understand`` is described.

    ``skill`` is the name of the skill that takes over when ``decision`` is "skill"; it is not printed.
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

    def as_dict(self) -> dict[str, Any]:
        """The printed keys, in their order, as plain JSON values."""
        values = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "skill"}
        return {
            **values,
            "others": [asdict(other) for other in self.others],
            "kinds": list(self.kinds),
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
    def load(cls, file: YamlFile) -> Thresholds:
        """Raises ConfigError for a key that is missing or unknown and for a value that is no probability."""
        content = file.value if isinstance(file.value, Mapping) else {}
        wanted = [each.name for each in fields(cls)]
        for key in content:
            if key not in wanted:
                raise file.error(f"there is no threshold {key!r}", f"use only {', '.join(wanted)}", key)
        for key in wanted:
            value = content.get(key)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                raise file.error(f"{key} is not a number from 0 to 1", f"write '{key}: 0.75'", key)
        if content["clarify"] > min(content["answer"], content["answer_in_group"]):
            raise file.error("clarify is above answer", "lower clarify", "clarify")
        return cls(**{key: float(content[key]) for key in wanted})


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
        words = text[:LONGEST]
        whole = self.matcher.match(text, community)
        matches = self._clearest(words, whole, community, group)
        called = self._senses.person.called(words)
        kinds = () if self._only_asks(words, whole) else self._senses.kinds.read(words)
        earlier = [line[:LONGEST] for line in history]
        mood = self._senses.mood.read(words, earlier, complains=bool(kinds), calls=bool(called))
        danger = self._senses.priority.danger(words)
        entry = self._sure_entry(words, matches, group)
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
            slots=self._senses.slots.read(words, products),
            why=_why(matches, decision, kinds, mood, called, danger),
            skill=skill,
        )

    def _clearest(self, text: str, whole: list[Match], community: str | None, group: bool) -> list[Match]:
        """The entries for the whole message or, when none of them says enough, for its longest clause that does."""
        if not whole or self._speaks(whole, group):
            return whole
        for clause in self._senses.clauses.read(text):
            matches = self.matcher.match(clause, community)
            if matches and self._speaks(matches, group) and not self._senses.slots.only_product(clause):
                return matches
        return whole

    def _speaks(self, matches: list[Match], group: bool) -> bool:
        """Whether the best entry is likely enough and more than a courtesy."""
        best = matches[0]
        return best.confidence >= self._limit(group) and not self.knowledge[best.entry_id].courtesy

    def _limit(self, group: bool) -> float:
        return self.thresholds.answer_in_group if group else self.thresholds.answer

    def _only_asks(self, text: str, matches: list[Match]) -> bool:
        """A well-known question in which nothing is told ("晚到有补偿吗") is no complaint."""
        if not matches or matches[0].confidence < self.thresholds.answer or tells(text) or not asks(text):
            return False
        return self.knowledge[matches[0].entry_id].answer is not None

    def _upset(self, mood: Mood) -> bool:
        return mood.name in ("angry", "disappointed") and mood.low >= self.thresholds.low_mood

    def _sure_entry(self, text: str, matches: list[Match], group: bool) -> Entry | None:
        """The best entry when it is likely enough; a product's bare name does not say what is wanted."""
        if not matches or matches[0].confidence < self._limit(group) or self._senses.slots.only_product(text):
            return None
        return self.knowledge[matches[0].entry_id]

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
            return "skill", _skill_for(kinds, entry.skill if entry else None, mood, self.thresholds.low_mood)
        if mood.low >= self.thresholds.low_mood:
            return "handoff", None
        if entry:
            return ("skill", entry.skill) if entry.skill else ("answer", None)
        if not matches or matches[0].confidence >= self.thresholds.clarify or not wants(text):
            return "clarify", None
        return "handoff", None


def load_reader(settings: Settings) -> Reader:
    """Reads knowledge, word lists and thresholds. Raises ConfigError with file and line for what can't be used."""
    knowledge = Knowledge.load(settings.files("faq"), settings.environ)

    def words(name: str) -> YamlFile:
        return read_yaml(settings.file(f"words/{name}.yaml"), settings.environ)

    produce, speech = words("produce"), words("speech")
    senses = Senses(
        ClauseReader.load(speech),
        KindReader.load(words("kinds")),
        MoodReader.load(words("mood")),
        PersonReader.load(words("person")),
        PriorityReader.load(words("priority")),
        SlotReader.load(produce),
    )
    thresholds = Thresholds.load(read_yaml(settings.file("understanding.yaml"), settings.environ))
    learnt = LearntStore(settings.data_dir / "learnt")
    matcher = Matcher(knowledge, load_speech(speech, produce), load_chatter(words("chatter")), learnt)
    return Reader(knowledge, matcher, senses, thresholds)


def load_speech(file: YamlFile, produce: YamlFile) -> Speech:
    """Reads fillers and synonyms; products of one sort are compared as one."""
    content = file.value if isinstance(file.value, Mapping) else {}
    fillers, same = content.get("fillers") or [], content.get("same") or {}
    if not isinstance(fillers, list) or not all(isinstance(word, str) for word in fillers):
        raise file.error("fillers is not a list of words", "write 'fillers: [one, two]'", "fillers")
    for kept, spoken in same.items() if isinstance(same, Mapping) else ():
        if not isinstance(spoken, list) or not all(isinstance(word, str) for word in spoken):
            raise file.error(f"{kept} is not a list of words", f"write '{kept}: [one, two]'", "same", kept)
    return Speech(fillers, same, produce.value)


def load_chatter(file: YamlFile) -> list[str]:
    """Reads the everyday lines that no entry answers."""
    lines = file.value.get("lines") if isinstance(file.value, Mapping) else None
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise file.error("lines is not a list of texts", "write 'lines:' and one text a line after '- '")
    return lines


def _skill_for(kinds: tuple[str, ...], asked: str | None, mood: Mood, low_mood: float) -> str:
    """A calm question about a late order is answered from the order, a photo settles bad goods, a ticket the rest."""
    if asked == skills.ORDER_STATUS and LOGISTICS.issuperset(kinds) and mood.low < low_mood:
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
    reasons += [f"{_KIND_WORDS[kind.name]}：“{kind.words.strip()}”" for kind in kinds]
    reasons += [f"{_MOOD_WORDS[mood.name]}：{reason}" for reason in mood.reasons]
    if not matches:
        reasons.append("消息里没有文字")
    elif decision in ("clarify", "handoff"):
        reasons.append(f"最接近的问题只有 {matches[0].confidence:.0%} 的把握")
    else:
        reasons.append(f"最接近的问题：{matches[0].entry_id}，{matches[0].confidence:.0%} 的把握")
    return tuple(reasons)
