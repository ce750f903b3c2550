"""One clarifying question: up to three real questions to choose from by number."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.conversation import Turn
from bot.effects import Effects
from faq.knowledge import Knowledge
from handlers.hand_over import HandOver
from handlers.reading import Readings
from handlers.speaker import Speakers
from handlers.state import drop_flow, flow, with_flow
from understanding.reader import Understanding

CHOSEN = "chosen"
"""The fact under which stands the entry that the resident chose in this turn."""

_CHOICES = 3
_LIKELY = 0.15
"""Where even the likeliest question is less probable, a list of questions would only confuse."""
_POSSIBLE = 0.03
_DIGITS = {"一": 1, "二": 2, "三": 3, "1": 1, "2": 2, "3": 3}
_CHOICE = re.compile(r"\s*(?:第|选|是)?\s*([123一二三])\s*(?:个|条|号)?[\s。.、,，!！]*")
_NEITHER = re.compile(r"\s*(都不是|都不对|不是|0|没有|以上都不是)[\s。.!！]*")


def ask(turn: Turn, reading: Understanding, *, speakers: Speakers, knowledge: Knowledge) -> Effects:
    """Asks which of the likeliest questions was meant, or to say it in other words when none comes near."""
    candidates = [(reading.entry, reading.confidence), *((other.entry, other.confidence) for other in reading.others)]
    likely = [
        (entry, sure) for entry, sure in candidates if entry and sure >= _POSSIBLE and not knowledge[entry].courtesy
    ]
    if not likely or likely[0][1] < _LIKELY:
        state = with_flow(turn, {"name": "clarify", "choices": []})
        return Effects(replies=(speakers.say(turn, "clarify.rephrase"),), state=state, note="clarify:rephrase")
    choices = [entry for entry, _ in likely[:_CHOICES]]
    lines = "\n".join(f"{number}. {knowledge.question_of(entry)}" for number, entry in enumerate(choices, 1))
    return Effects(
        replies=(speakers.say(turn, "clarify.ask", choices=lines),),
        state=with_flow(turn, {"name": "clarify", "choices": choices}),
        note="clarify:" + ",".join(choices),
    )


def handle(turn: Turn, *, readings: Readings, speakers: Speakers, handing_over: HandOver) -> Effects | None:
    """The answer to a clarifying question. A choice is passed on as if it had been understood at once."""
    running = flow(turn, "clarify")
    text = turn.message.text
    if running is None or not text.strip():
        return None
    if readings.is_low(readings.of(turn)):
        return None
    drop_flow(turn)
    knowledge = readings.knowledge_of(turn)
    choices = [entry for entry in running["choices"] if knowledge.knows(entry)]
    chosen = _CHOICE.fullmatch(text)
    if chosen and _DIGITS[chosen[1]] <= len(choices):
        entry = knowledge[choices[_DIGITS[chosen[1]] - 1]]
        turn.facts[CHOSEN] = entry.id
        turn.facts["reading"] = replace(
            readings.of(turn),
            entry=entry.id,
            confidence=1.0,
            decision="skill" if entry.skill else "answer",
            skill=entry.skill,
            kinds=(),
            priority=None,
        )
        return None
    if says_neither(text) or readings.of(turn).decision in ("clarify", "handoff"):
        return Effects(
            replies=(speakers.say(turn, "general.not_understood"),),
            records=(handing_over.unsure(turn),),
            note="hand_over:unclear",
        )
    return None


def says_neither(text: str) -> bool:
    """Whether none of the questions was meant."""
    return _NEITHER.fullmatch(text) is not None
