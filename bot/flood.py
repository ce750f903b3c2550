"""Somebody who writes faster than the bot answers. The count of the burst stands in the conversation's row."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

BURST_SECONDS = 10
BURST_MESSAGES = 20


def burst(conversation: Row[Any], at: datetime) -> tuple[datetime, int]:
    """When the current burst of messages began, and how many it holds with one that was sent ``at``."""
    began: datetime | None = conversation.burst_began_at
    if began is None or at - began > timedelta(seconds=BURST_SECONDS):
        return at, 1
    return began, conversation.burst_count + 1


def is_flood(conversation: Row[Any], at: datetime) -> bool:
    """Whether it is too much for an answer. A person who speaks there or reads along gets every word."""
    nobody_reads = conversation.holder is None and not conversation.followed
    return nobody_reads and burst(conversation, at)[1] > BURST_MESSAGES
