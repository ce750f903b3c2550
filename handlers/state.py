"""The conversation's state, as the handlers of this room share it.

``flow``: the dialogue in progress, ``{"name": …}`` and what it knows. ``history``: the resident's last texts, and
``heard_at`` when the last of them came.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.conversation import Turn
from bot.effects import Effects

HISTORY = 6
"""Texts that are remembered."""
_LONGEST_REMEMBERED = 500
_TAPPED_TWICE = timedelta(seconds=10)
"""The same text sent again this soon is a finger that was not sure, no repetition out of impatience."""
_FORGOTTEN = "forgotten"


def current(turn: Turn) -> Mapping[str, Any]:
    """The state to build on: as stored, or as an earlier handler of this turn has left it."""
    state: Mapping[str, Any] = turn.facts.get("state", turn.conversation.state)
    return state


def flow(turn: Turn, name: str) -> Mapping[str, Any] | None:
    """The dialogue in progress when it is the named one."""
    running: Mapping[str, Any] | None = current(turn).get("flow")
    return running if running and running.get("name") == name else None


def with_flow(turn: Turn, running: Mapping[str, Any] | None) -> dict[str, Any]:
    """The state with another dialogue in progress, or with none."""
    state = {key: value for key, value in current(turn).items() if key != "flow"}
    return {**state, "flow": dict(running)} if running else state


def drop_flow(turn: Turn) -> None:
    """Ends the dialogue in progress, whichever handler answers this turn."""
    turn.facts["state"] = with_flow(turn, None)


def forget_words(turn: Turn) -> None:
    """What was said so far has been seen to: the next message is read without it."""
    turn.facts[_FORGOTTEN] = True


def earlier_words(turn: Turn) -> tuple[str, ...]:
    """The resident's recent texts before this one, oldest first; without this one's twin of a moment ago."""
    state = turn.conversation.state
    history, heard_at = tuple(state.get("history", ())), state.get("heard_at")
    if not history or history[-1] != _remembered(turn) or heard_at is None:
        return history
    return history[:-1] if turn.now - datetime.fromisoformat(heard_at) < _TAPPED_TWICE else history


def last_messages(turn: Turn) -> tuple[str, ...]:
    """The resident's recent texts with this one, oldest first."""
    words = _remembered(turn)
    return (*earlier_words(turn), words) if words else earlier_words(turn)


def _remembered(turn: Turn) -> str:
    return turn.message.text[:_LONGEST_REMEMBERED]


def remember(turn: Turn, effects: Effects) -> Effects:
    """An afterthought: keeps the resident's words for the next turn."""
    state = dict(effects.state if effects.state is not None else current(turn))
    if turn.facts.get(_FORGOTTEN):
        state["history"] = []
    elif turn.message.text:
        state |= {"history": list(last_messages(turn))[-HISTORY:], "heard_at": turn.now.isoformat()}
    return replace(effects, state=state)
