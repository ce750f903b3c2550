""" "算了", "取消", "不用了": whoever wants no more is let go with a kind word."""

from __future__ import annotations

from bot.conversation import Turn
from bot.effects import Effects
from claims.draft import FLOW
from claims.words import wants_out
from handlers.reading import Readings
from handlers.speaker import Speakers
from handlers.state import current, flow, with_flow


def handle(turn: Turn, *, readings: Readings, speakers: Speakers) -> Effects | None:
    """Ends the dialogue in progress; a claim, in which the same words may say something else, ends itself.

    Where nothing is in progress, words that ask for something ("取消" alone asks how) are left to the others.
    """
    if flow(turn, FLOW) or not wants_out(turn.message.text):
        return None
    followed = turn.conversation.followed
    if not followed and not current(turn).get("flow") and readings.of(turn).decision in ("answer", "skill"):
        return None
    sentence = "leave.passed_on" if followed else "leave.left"
    return Effects(replies=(speakers.say(turn, sentence),), state=with_flow(turn, None), note="leave")
