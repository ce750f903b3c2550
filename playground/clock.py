"""The platforms' idea of time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def system_time() -> datetime:
    """The machine's time, aware."""
    return datetime.now(UTC)


class PlatformClock:
    """Lets what the platforms remember grow old at once: windows, tokens, media.

    What goes over the wire keeps the unmoved time, so that a bot in another process, whose clock nobody can move,
    does not refuse a callback as coming from the future. ``source`` gives the current instant, aware; a bot that
    lives in the test's own process shares its movable clock here, and then both move together.
    """

    def __init__(self, source: Callable[[], datetime] = system_time) -> None:
        self._source = source
        self._offset = timedelta()

    def now(self) -> datetime:
        """The instant that the platform's own rules go by."""
        return self._source() + self._offset

    def wire(self) -> datetime:
        """The instant written into callbacks."""
        return self._source()

    def advance(self, **span: float) -> None:
        """Moves the platforms forward by a span such as ``hours=49``."""
        self._offset += timedelta(**span)

    def back(self) -> None:
        """Takes every ``advance`` back."""
        self._offset = timedelta()
