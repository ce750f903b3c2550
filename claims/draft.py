"""What a resident has told so far about something bad, and what to ask next; kept in the conversation's state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

FLOW = "claim"
PARKED = "parked_claim"
"""The key in the state under which a draft waits while another dialogue has the word."""

IDLE = timedelta(hours=24)
"""A draft that nobody has touched for so long is forgotten."""

MOST_PHOTOS = 20

Question = Literal["choice", "product", "photo", "more_photos", "share", "wish"]


@dataclass(frozen=True, slots=True)
class Draft:
    """A claim in the making.

    ``at``: when it was touched last. ``product``: what the resident calls the thing. ``offered``: ids of the order
    lines to choose from by number, ``refused``: those that are not meant; ``line_settled``: the line is found, or it is
    known that none will be.
    ``photos``: dedupe keys of the messages that brought them, in order; ``photos_settled``: there are no more.
    ``asked``: the question that waits for an answer, ``tries`` how often it was asked again.
    """

    at: datetime
    kinds: tuple[str, ...] = ()
    product: str = ""
    line_id: int | None = None
    offered: tuple[int, ...] = ()
    refused: tuple[int, ...] = ()
    line_settled: bool = False
    photos: tuple[str, ...] = ()
    photos_settled: bool = False
    no_photo: bool = False
    share: str = ""
    share_ratio: float | None = None
    wish: str = ""
    asked: str = ""
    tries: int = 0

    @classmethod
    def of(cls, flow: Mapping[str, Any] | None, now: datetime) -> Draft | None:
        """The draft kept in a state's dialogue; None when that is another dialogue, or idle for too long."""
        if not flow or flow.get("name") != FLOW:
            return None
        values: dict[str, Any] = {}
        for key, value in flow.items():
            values[key] = tuple(value) if isinstance(value, list) else value
        del values["name"]
        values["at"] = datetime.fromisoformat(flow["at"])
        draft = cls(**values)
        return draft if now - draft.at < IDLE else None

    def as_flow(self) -> dict[str, Any]:
        """The draft as plain JSON values."""
        return {"name": FLOW, **asdict(self), "at": self.at.isoformat()}

    def missing(self) -> Question | None:
        """What to ask next, one thing at a time; None when all is known."""
        if not self.line_settled:
            return "choice" if self.offered else "product"
        if not self.photos and not self.no_photo:
            return "photo"
        if self.photos and not self.photos_settled:
            return "more_photos"
        if not self.share:
            return "share"
        return None if self.wish else "wish"

    def with_photo(self, photo: str) -> Draft:
        if photo in self.photos or len(self.photos) >= MOST_PHOTOS:
            return self
        return replace(self, photos=(*self.photos, photo), no_photo=False)

    def without_photo(self, photo: str) -> Draft:
        photos = tuple(known for known in self.photos if known != photo)
        return replace(self, photos=photos, photos_settled=self.photos_settled and bool(photos))

    def with_line(self, line_id: int | None) -> Draft:
        """The draft with its order line found, or with the knowledge that there is none."""
        return replace(self, line_id=line_id, offered=(), line_settled=True)


def open_draft(state: Mapping[str, Any], now: datetime) -> Draft | None:
    """The draft in progress, or the parked one."""
    return Draft.of(state.get("flow"), now) or Draft.of(state.get(PARKED), now)


def with_draft(state: Mapping[str, Any], draft: Draft | None) -> dict[str, Any]:
    """The state with this draft in progress and none parked; without any when it is None."""
    rest = {key: value for key, value in state.items() if key not in ("flow", PARKED)}
    return {**rest, "flow": draft.as_flow()} if draft else rest
