"""What the page is told while things happen, as server-sent events."""

from __future__ import annotations

import io
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from PIL import Image

from playground.page.performance import Performance
from playground.platform.media import AMR_TYPE, content_type_of
from playground.samples import AMR_FRAME_BYTES, AMR_FRAMES_PER_SECOND
from playground.wechat import WeChat
from playground.world import Bubble

STILL_HERE = 15.0  # seconds of silence after which a line is sent that keeps the connection open


class Live:
    """The stream of changes. A page that comes back names the last event it has seen and gets what it missed."""

    def __init__(self, wechat: WeChat, performance: Performance) -> None:
        self._world = wechat.world
        self._wechat = wechat
        self._performance = performance
        self._run = secrets.token_hex(4)

    def stream(self, last_seen: str) -> Iterator[str]:
        """Events without end: bubbles that are new or changed, and how the scenario that is being played stands."""
        seen = self._resume(last_seen)
        while not self._world.closed:
            with self._world.changed:
                news = self._wait_for_news(seen)
                event, seen = self._event(seen), self._here()
            yield event if news else ": still here\n\n"

    def _wait_for_news(self, seen: tuple[str, int]) -> bool:
        return self._world.changed.wait_for(lambda: self._world.closed or self._here() != seen, STILL_HERE)

    def _here(self) -> tuple[str, int]:
        return f"{self._run}-{self._world.emptied}", self._world.revision

    def _resume(self, last_seen: str) -> tuple[str, int]:
        era, _, revision = last_seen.rpartition(".")
        return (era, int(revision)) if revision.isdigit() else ("", 0)

    def _event(self, seen: tuple[str, int]) -> str:
        era, revision = self._here()
        fresh = era != seen[0]
        screens = {(who.platform.name, who.account): (name, who) for name, who in self._wechat.screens.items()}
        bubbles = [
            {"person": screens[platform, account][0], **described(bubble, screens[platform, account][1].members)}
            for platform, account, bubble in self._world.changes(0 if fresh else seen[1])
            if (platform, account) in screens
        ]
        told = {"fresh": fresh, "bubbles": bubbles, "playing": self._performance.status}
        return f"id: {era}.{revision}\ndata: {json.dumps(told, ensure_ascii=False)}\n\n"


def described(bubble: Bubble, members: Mapping[str, str]) -> dict[str, Any]:
    """A bubble for the page; its picture or sound has an address of its own. ``members`` are those of its group."""
    own = bubble.own_cards
    return {
        "id": bubble.id,
        "speaker": bubble.speaker,
        "kind": bubble.kind,
        "text": bubble.text,
        "at": bubble.at.isoformat(),
        "state": bubble.state,
        "media": _media(bubble),
        "menu": asdict(bubble.menu) if bubble.menu is not None else None,
        "card": asdict(bubble.card) if bubble.card is not None else None,
        "cards": {name: asdict(own[userid]) for name, userid in members.items() if userid in own},
        "name": bubble.name,
        "quote": bubble.quote,
    }


def _media(bubble: Bubble) -> dict[str, Any] | None:
    """Type and size, so that the page can leave room before the picture is there."""
    if bubble.media is None:
        return None
    kind = content_type_of(bubble.kind, bubble.media)
    if kind == AMR_TYPE:
        return {"type": kind, "seconds": max(1, len(bubble.media) // (AMR_FRAME_BYTES + 1) // AMR_FRAMES_PER_SECOND)}
    if kind.startswith("image/"):
        width, height = size_of(bubble.media) or (1, 1)
        return {"type": kind, "width": width, "height": height}
    return {"type": kind}


def size_of(picture: bytes) -> tuple[int, int] | None:
    """Width and height in pixels, from the file's head alone; None for what is no picture."""
    try:
        with Image.open(io.BytesIO(picture)) as image:
            return image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
