"""Menus inside a message: lines that a resident taps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playground.platform.errors import ApiError

# doc 94677: the limits of msgmenu, in bytes of UTF-8.
MOST_ITEMS = 50
MOST_OF_A_KIND = 10
LONGEST_PART = 1024
# What an item of each kind has, and how long it may be at most; what may be empty has no entry of its own.
ITEM_LIMITS: Mapping[str, Mapping[str, int]] = {
    "click": {"content": 128, "id": 128},
    "view": {"url": 2048, "content": 1024},
    "miniprogram": {"appid": 32, "pagepath": 1024, "content": 1024},
    "text": {"content": 256},
}
MAY_BE_EMPTY = frozenset({"id"})


@dataclass(frozen=True, slots=True)
class MenuItem:
    """One line of a menu. ``kind`` is click, view, miniprogram or text; ``id`` comes back with a tap on a click."""

    kind: str
    text: str
    id: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Menu:
    """A menu message as it is read."""

    head: str
    items: tuple[MenuItem, ...]
    tail: str

    @property
    def words(self) -> str:
        """The whole message, a line each."""
        return "\n".join(part for part in (self.head, *(item.text for item in self.items), self.tail) if part)

    def find(self, key: str) -> MenuItem | None:
        """The click with this id, or with this text; None when there is none."""
        clicks = [item for item in self.items if item.kind == "click"]
        return next((item for item in clicks if key in (item.id, item.text)), None)


def read_menu(part: object) -> Menu:
    """The ``msgmenu`` of a customer-service message. Raises ``ApiError`` 95008 when it is not within the limits."""
    if not isinstance(part, dict):
        raise ApiError(95008, "msgmenu missing")
    entries = part.get("list") or []
    if not isinstance(entries, list) or len(entries) > MOST_ITEMS:
        raise ApiError(95008, "list")
    items = tuple(_read_item(entry) for entry in entries)
    for kind in ("click", "view", "miniprogram"):
        if sum(item.kind == kind for item in items) > MOST_OF_A_KIND:
            raise ApiError(95008, f"more than {MOST_OF_A_KIND} {kind}")
    menu = Menu(_part(part, "head_content"), items, _part(part, "tail_content"))
    if not menu.words:
        raise ApiError(95008, "empty")
    return menu


def _part(part: Mapping[str, Any], name: str) -> str:
    words = part.get(name) or ""
    if not isinstance(words, str) or len(words.encode()) > LONGEST_PART:
        raise ApiError(95008, name)
    return words


def _read_item(entry: object) -> MenuItem:
    kind = entry.get("type") if isinstance(entry, dict) else None
    inner = entry.get(kind) if isinstance(entry, dict) and kind in ITEM_LIMITS else None
    if not isinstance(kind, str) or not isinstance(inner, dict):
        raise ApiError(95008, "type")
    for name, most in ITEM_LIMITS[kind].items():
        value = inner.get(name, "")
        if not isinstance(value, str) or len(value.encode()) > most or not (value or name in MAY_BE_EMPTY):
            raise ApiError(95008, f"{kind}.{name}")
    return MenuItem(kind, inner["content"], inner.get("id", ""), inner.get("url", ""))
