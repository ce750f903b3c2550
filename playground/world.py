"""Everything that happened on the platforms, in memory, with a way to wait for the next event."""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from playground.clock import PlatformClock
from playground.traffic import Traffic

Speaker = Literal["person", "bot", "platform"]
State = Literal["", "sending", "delivered", "failed"]


@dataclass(frozen=True, slots=True)
class Bubble:
    """One thing on a phone's screen.

    ``id`` grows over all chats and serves as cursor. ``kind`` is the platform's word ("text", "image", "voice" …,
    "notice" for what the platform itself says). ``text`` holds the words, a voice message's transcript, or "".
    ``state`` and ``callback``, its key, belong to what a person sent. ``revision`` grows over all bubbles with every
    change.
    """

    id: int
    speaker: Speaker
    kind: str
    text: str
    at: datetime
    media: bytes | None = None
    state: State = ""
    callback: str = ""
    revision: int = 0


class World:
    """The chats of all phones and the one lock that guards them and the platforms' state.

    ``revision`` grows with everything that a phone's screen could show, ``emptied`` with every clearing; ``closed``
    ends all waiting for good.
    """

    def __init__(self, clock: PlatformClock) -> None:
        self.clock = clock
        self.changed = threading.Condition()
        self.traffic = Traffic()
        self.revision = 0
        self.emptied = 0
        self.closed = False
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
            state: State = "sending" if speaker == "person" else ""
            revision = self.touch()
            bubble = Bubble(
                next(self._bubble_ids), speaker, kind, text, self.clock.now(), media, state=state, revision=revision
            )
            self._bubbles[platform, account].append(bubble)
            return bubble

    def settle(self, platform: str, account: str, bubble: Bubble, callback: str, *, accepted: bool) -> None:
        """Marks what became of something that a person sent."""
        with self.changed:
            chat = self._bubbles.get((platform, account), [])
            state: State = "delivered" if accepted else "failed"
            for place, each in enumerate(chat):
                if each.id == bubble.id:
                    chat[place] = replace(each, state=state, callback=callback, revision=self.touch())

    def touch(self) -> int:
        """Something has changed: wakes everybody who waits, and gives the new revision."""
        with self.changed:
            self.revision += 1
            self.changed.notify_all()
            return self.revision

    def changes(self, since: int) -> list[tuple[str, str, Bubble]]:
        """(platform, account, bubble) for every bubble that is new or changed after that revision, oldest first."""
        with self.changed:
            fresh = [
                (platform, account, bubble)
                for (platform, account), chat in self._bubbles.items()
                for bubble in chat
                if bubble.revision > since
            ]
            return sorted(fresh, key=lambda each: each[2].id)

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
            self.traffic.clear()
            self.emptied += 1
            self.touch()

    def close(self) -> None:
        """Lets go of everybody who waits."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()
