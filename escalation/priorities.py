"""How urgent a ticket is."""

from __future__ import annotations

PRIORITIES = ("P0", "P1", "P2")
"""The most urgent first, so that they also sort as text."""


def higher(one: str, other: str) -> str:
    """The more urgent of two priorities."""
    return min(one, other)


def one_step_up(priority: str) -> str:
    """The next more urgent priority; P0 stays."""
    return PRIORITIES[max(PRIORITIES.index(priority) - 1, 0)]
