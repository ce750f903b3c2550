"""A conversation as a handler sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.message import Message


@dataclass(frozen=True, slots=True)
class Conversation:
    """One chat between one account and the bot on one channel.

    ``version`` grows with every stored turn. ``holder`` is the id of the person who speaks instead of the bot.
    ``followed`` says that somebody has an open matter here and wants to see what is written. ``session``: who speaks on
    the platform itself ("" is the bot, "person" somebody in its own client, "pool", "ended").
    """

    id: int
    channel: str
    account: str
    chat: str
    version: int
    state: Mapping[str, Any]
    holder: str | None
    followed: bool
    session: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message with the conversation it belongs to, as handed to the handlers.

    ``facts`` keeps what one handler has found out, so that the next one need not read it again.
    """

    message: Message
    conversation: Conversation
    now: datetime
    facts: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
