"""Photos that came without a word of what they show, kept for the words that may follow."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.conversation import Turn
from claims.draft import MOST_PHOTOS
from handlers.state import current

_KEY = "loose_photos"
_KEPT_FOR = timedelta(minutes=5)


def loose_photos(turn: Turn) -> tuple[str, ...]:
    """Those of the last minutes, by the dedupe keys of their messages."""
    loose = current(turn).get(_KEY)
    if not loose or turn.now - datetime.fromisoformat(loose["at"]) > _KEPT_FOR:
        return ()
    return tuple(loose["photos"])


def with_loose_photo(turn: Turn) -> dict[str, Any]:
    """The state that remembers the photo of this turn, too."""
    photos = [*loose_photos(turn), turn.message.dedupe_key][-MOST_PHOTOS:]
    return {**current(turn), _KEY: {"photos": photos, "at": turn.now.isoformat()}}


def without_loose_photos(state: Mapping[str, Any]) -> dict[str, Any]:
    """The state once they belong to a claim."""
    return {key: value for key, value in state.items() if key != _KEY}
