"""Where orders come from: a file today; whatever else can yield the same lines tomorrow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One checked order line.

    ``row`` is its number where it was read (the header is row 1). ``values`` are the columns of ``order_lines``
    that the source knows; what it does not know keeps the stored value. ``account`` is (channel, id) or None.
    """

    row: int
    phone: str = field(repr=False)
    name: str = field(repr=False)
    community_id: str | None
    account: tuple[str, str] | None = field(repr=False)
    values: Mapping[str, Any] = field(repr=False)

    @property
    def key(self) -> tuple[str, str, str]:
        return self.values["order_no"], self.values["product"], self.values["spec"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that cannot be taken, and why, in plain words."""

    row: int
    reason: str


class OrderSource(Protocol):
    """Yields every order line once, checked, or the reason why it cannot be taken."""

    def lines(self) -> Iterator[SourceLine | Refusal]: ...
