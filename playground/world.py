"""Everything that happened on the platforms, in memory, with a way to wait for the next event."""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from playground.clock import PlatformClock

Speaker = Literal["person", "bot", "platform"]


@dataclass(frozen=True, slots=True)
class Bubble:
    """One thing on a phone's screen.

    ``id`` grows over all chats and serves as cursor. ``kind`` is the platform's word ("text", "image", "voice" …,
    "notice" for what the platform itself says). ``text`` holds the words, a voice message's transcript, or "".
    """

    id: int
    speaker: Speaker
    kind: str
    text: str
    at: datetime
    media: bytes | None = None


class World:
    """The chats of all phones and the one lock that guards them and the platforms' state."""

    def __init__(self, clock: PlatformClock) -> None:
        self.clock = clock
        self.changed = threading.Condition()
        self._bubbles: dict[tuple[str, str], list[Bubble]] = defaultdict(list)
        self._bubble_ids = itertools.count(1)
        # Starts where no earlier run can have been, and stays below 2**63 as the platforms' own ids do.
        self._message_ids = itertools.count(int(clock.wire().timestamp() * 1000) << 20)

    def next_message_id(self) -> int:
        """A MsgId: 64 bits, never given twice."""
        return next(self._message_ids)

    def show(
        self, platform: str, account: str, speaker: Speaker, kind: str, text: str, media: bytes | None = None
    ) -> Bubble:
        """Puts a bubble on the phone's screen and wakes whoever waits for it."""
        with self.changed:
            bubble = Bubble(next(self._bubble_ids), speaker, kind, text, self.clock.now(), media)
            self._bubbles[platform, account].append(bubble)
            self.changed.notify_all()
            return bubble

    def chat(self, platform: str, account: str, since: int = 0) -> list[Bubble]:
        """The bubbles of a chat with an id above ``since``, oldest first."""
        with self.changed:
            bubbles = self._bubbles.get((platform, account), [])
            return [bubble for bubble in bubbles if bubble.id > since]

    def wait_until(self, happened: Callable[[], bool], timeout: float = 10.0) -> bool:
        """Waits until ``happened()`` is true, at most ``timeout`` seconds; False when it did not come to be."""
        with self.changed:
            return self.changed.wait_for(happened, timeout)

    def clear(self) -> None:
        """Empties every screen."""
        with self.changed:
            self._bubbles.clear()
            self.changed.notify_all()
