"""One clarifying question: up to three real questions to choose from by number."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.conversation import Turn
from bot.effects import Effects
from bot.menu import Choice, Menu
from faq.knowledge import Knowledge
from handlers.hand_over import HandOver
from handlers.reading import Readings
from handlers.speaker import Speakers
from handlers.state import drop_flow, flow, with_flow
from understanding.reader import CHOICES, Understanding

CHOSEN = "chosen"
"""The fact under which stands the entry that the resident chose in this turn."""

_OF_KNOWLEDGE = "faq:"
"""How the ids of tappable questions begin."""
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
    choices = [entry for entry, _ in likely[:CHOICES]]
    question = Menu(
        speakers.say(turn, "clarify.ask"),
        tuple(
            Choice(f"{_OF_KNOWLEDGE}{each}", speakers.say(turn, "clarify.choice", question=knowledge.question_of(each)))
            for each in choices
        ),
        tail=speakers.say(turn, "clarify.neither"),
        by_number=speakers.say(turn, "clarify.by_number"),
    )
    return Effects(
        replies=(question,),
        state=with_flow(turn, {"name": "clarify", "choices": choices}),
        note="clarify:" + ",".join(choices),
    )


def handle(turn: Turn, *, readings: Readings, speakers: Speakers, handing_over: HandOver) -> Effects | None:
    """The answer to a clarifying question. A choice is passed on as if it had been understood at once."""
    running = flow(turn, "clarify")
    text = turn.message.text
    tapped = _tapped(turn, readings.knowledge_of(turn))
    if tapped is None and (running is None or not text.strip() or readings.of(turn).upset):
        return None
    if choose(turn, readings):
        return None
    if says_neither(text) or readings.of(turn).decision in ("clarify", "handoff"):
        return Effects(
            replies=(speakers.say(turn, "general.not_understood"),),
            records=(handing_over.unsure(turn),),
            note="hand_over:unclear",
        )
    return None


def choose(turn: Turn, readings: Readings) -> bool:
    """Ends the question; whether this message answers it, which is then read as if the question had been asked."""
    running, knowledge = flow(turn, "clarify"), readings.knowledge_of(turn)
    drop_flow(turn)
    choices = [entry for entry in (running or {}).get("choices", ()) if knowledge.knows(entry)]
    chosen = _tapped(turn, knowledge) or _by_number(turn.message.text, choices)
    if chosen is None:
        return False
    entry = knowledge[chosen]
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
    return True


def _tapped(turn: Turn, knowledge: Knowledge) -> str | None:
    """The entry whose question was tapped, however old the menu is."""
    entry = turn.message.choice.removeprefix(_OF_KNOWLEDGE)
    return entry if turn.message.choice.startswith(_OF_KNOWLEDGE) and knowledge.knows(entry) else None


def _by_number(text: str, choices: list[str]) -> str | None:
    chosen = _CHOICE.fullmatch(text)
    number = _DIGITS[chosen[1]] if chosen else 0
    return choices[number - 1] if 0 < number <= len(choices) else None


def says_neither(text: str) -> bool:
    """Whether none of the questions was meant."""
    return _NEITHER.fullmatch(text) is not None
