"""How a command tells that it cannot do its work."""

from __future__ import annotations


class CommandRefused(Exception):
    """Something outside the configuration is in the way; the text says what, and what to do. Exit code 1."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}\n  To mend it: {remedy}")
