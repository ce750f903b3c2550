"""Everything that happened on the platforms, in memory, with a way to wait for the next event."""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from playground.clock import PlatformClock
from playground.platform.cards import Card
from playground.platform.menus import Menu
from playground.traffic import Traffic

Speaker = Literal["person", "bot", "staff", "platform"]
State = Literal["", "sending", "delivered", "failed"]


@dataclass(frozen=True, slots=True)
class Bubble:
    """One thing on a phone's screen.

    ``id`` grows over all chats and serves as cursor. ``kind`` is the platform's word ("text", "image", "voice" …,
    "notice" for what the platform itself says). ``text`` holds the words, a voice message's transcript, or "".
    ``state`` and ``callback``, its key, belong to what a person sent. ``revision`` grows over all bubbles with every
    change. ``card`` is a template card as it looks now, ``menu`` a menu that can be tapped; their words are the
    ``text``. A "staff" bubble is what somebody on the other side wrote by hand. ``name`` tells who that was, or which
    member speaks in a group, ``quote`` what a message answers, and ``own_cards`` what single members see instead of
    ``card``.
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
    card: Card | None = None
    menu: Menu | None = None
    name: str = ""
    quote: str = ""
    own_cards: Mapping[str, Card] = field(default_factory=dict)


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
        self,
        platform: str,
        account: str,
        speaker: Speaker,
        kind: str,
        text: str,
        media: bytes | None = None,
        **more: Any,
    ) -> Bubble:
        """Puts a bubble on the phone's screen and wakes whoever waits for it. ``more`` are further fields of it."""
        with self.changed:
            more = {"state": "sending" if speaker == "person" else "", "revision": self.touch(), **more}
            number, now = next(self._bubble_ids), self.clock.now()
            bubble = Bubble(number, speaker, kind, text, now, media, **more)
            self._bubbles[platform, account].append(bubble)
            return bubble

    def settle(self, platform: str, account: str, bubble: Bubble, callback: str, *, accepted: bool) -> None:
        """Marks what became of something that a person sent."""
        state: State = "delivered" if accepted else "failed"
        self.change(platform, account, bubble.id, state=state, callback=callback)

    def change(self, platform: str, account: str, bubble_id: int, **fields: Any) -> None:
        """Gives a bubble that is still on the screen other fields."""
        with self.changed:
            chat = self._bubbles.get((platform, account), [])
            for place, each in enumerate(chat):
                if each.id == bubble_id:
                    chat[place] = replace(each, **fields, revision=self.touch())

    def card(self, platform: str, account: str, bubble_id: int, member: str = "") -> Card:
        """The card in a bubble as it looks now, to this member of a group.

        Raises ``ValueError`` when the chat has no such bubble with a card.
        """
        with self.changed:
            for bubble in self._bubbles.get((platform, account), []):
                if bubble.id == bubble_id and bubble.card is not None:
                    return bubble.own_cards.get(member, bubble.card)
        raise ValueError("there is no card in this bubble")

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
