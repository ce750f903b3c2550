"""What a handler wants to happen: plain values and callables, nothing is sent or stored by the handler itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.menu import Menu

if TYPE_CHECKING:
    from bot.transaction import Transaction

Record = Callable[["Transaction"], None]
"""Writes rows inside the turn's transaction; may reply with text rendered from what it has just flushed."""


@dataclass(frozen=True, slots=True)
class Effects:
    """The outcome of one handler for one message.

    ``replies``: texts and menus for the person who wrote, in order. ``state``: the conversation's new state, None to
    keep it.
    ``records``: run in order inside the transaction, after the replies; what they reply follows the replies.
    ``note``: a short word for the log and for the inbox row ("faq:refund-arrival"), no personal data.
    """

    replies: tuple[str | Menu, ...] = ()
    state: Mapping[str, Any] | None = None
    records: tuple[Record, ...] = ()
    note: str = ""
