"""Template cards (模板卡片): what the documents allow in one, and what a phone shows of it.

Sources: developer.work.weixin.qq.com documents 90236 (an app's cards), 101032 (a smart bot's), 99110 (a webhook's),
90241 (a card as a passive reply). Lengths that the documents only advise are not checked.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from playground.platform.errors import ApiError

NOTICE, BUTTONS = "text_notice", "button_interaction"
MOST_BUTTONS = 6
MOST_ACTIONS = 3
MOST_FACTS = 6
MOST_JUMPS = 3
KEY_BYTES = 1024
_TASK_ID = re.compile(r"[0-9A-Za-z_\-@]{1,128}")
_CAPITAL = re.compile(r"(?<=[a-z])([A-Z])")


@dataclass(frozen=True, slots=True)
class Button:
    """``key`` comes back to the bot when the button is tapped. ``style`` 1 to 4 is its colour."""

    key: str
    text: str
    style: int = 1


@dataclass(frozen=True, slots=True)
class Card:
    """A card on a screen.

    ``facts`` are its lines of a name and a value, ``menu`` the actions in its corner, ``url`` where a tap on the card
    itself leads, ``jumps`` its links (title, address). ``replaced`` stands in grey where the buttons were.
    """

    kind: str
    task_id: str = ""
    source: str = ""
    title: str = ""
    description: str = ""
    text: str = ""
    quote: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    jumps: tuple[tuple[str, str], ...] = ()
    buttons: tuple[Button, ...] = ()
    menu: tuple[Button, ...] = ()
    url: str = ""
    replaced: str = ""

    @property
    def calls_back(self) -> bool:
        """Whether anything on it tells the bot when it is tapped."""
        return self.kind == BUTTONS or bool(self.menu)

    @property
    def words(self) -> str:
        """What can be read on it, the buttons aside, one thing a line."""
        facts = [f"{name}：{value}" for name, value in self.facts]
        return "\n".join(line for line in (self.title, self.description, self.text, self.quote, *facts) if line)

    @property
    def live(self) -> tuple[Button, ...]:
        """What can be tapped now: the buttons, and the actions in the corner."""
        return self.menu if self.replaced else (*self.buttons, *self.menu)

    def button(self, key: str) -> Button:
        """What can be tapped under this key; ``ValueError`` when nothing can (any more)."""
        for button in self.live:
            if button.key == key:
                return button
        raise ValueError(f"the card shows nothing to tap for {key!r}")


def read_card(body: Any, *, taken: Collection[str] = (), update: bool = False) -> Card:
    """A ``template_card`` of the API.

    ``taken`` are the task ids in use; a card that takes another's place (``update``) needs none. ``ApiError`` for
    what the platform would not take.
    """
    if not isinstance(body, dict):
        raise _wrong("template_card missing")
    kind = body.get("card_type")
    if kind not in (NOTICE, BUTTONS):
        raise _wrong("template_card.card_type")
    title, action = _part(body, "main_title"), _part(body, "card_action")
    card = Card(
        kind,
        task_id=_text(body, "task_id"),
        source=_text(_part(body, "source"), "desc"),
        title=_text(title, "title"),
        description=_text(title, "desc"),
        text=_text(body, "sub_title_text"),
        quote=_quote(_part(body, "quote_area")),
        facts=_pairs(body, "horizontal_content_list", MOST_FACTS, "keyname", "value"),
        jumps=_pairs(body, "jump_list", MOST_JUMPS, "title", "url"),
        buttons=_buttons(body.get("button_list"), MOST_BUTTONS),
        menu=_buttons(_part(body, "action_menu").get("action_list"), MOST_ACTIONS),
        url=_text(action, "url"),
        replaced=_text(body, "replace_text"),
    )
    _check(card, action)
    if not update:
        _check_task(card, taken)
    return card


def card_from_xml(branch: Any) -> Card:
    """The ``TemplateCard`` of a passive reply, as ``xml.tree`` reads it; ``ApiError`` as ``read_card``."""
    return read_card(_as_json(branch), update=True)


def _check(card: Card, action: Mapping[str, Any]) -> None:
    if not card.title and not card.text:
        raise _wrong("main_title.title or sub_title_text must be set")
    if card.kind == NOTICE and str(action.get("type")) not in ("1", "2"):
        raise _wrong("card_action.type of a text_notice must be 1 or 2")
    if card.kind == BUTTONS and not card.buttons and not card.replaced:
        raise ApiError(40016)
    keys = [button.key for button in (*card.buttons, *card.menu)]
    if len(set(keys)) < len(keys):
        raise ApiError(42018)


def _check_task(card: Card, taken: Collection[str]) -> None:
    if not card.calls_back and not card.task_id:
        return
    if _TASK_ID.fullmatch(card.task_id) is None or card.task_id in taken:
        raise ApiError(42014)


def _buttons(value: Any, most: int) -> tuple[Button, ...]:
    entries = _entries(value)
    if len(entries) > most:
        raise ApiError(40016)
    return tuple(_button(entry) for entry in entries)


def _button(entry: Mapping[str, Any]) -> Button:
    key, text = _text(entry, "key"), _text(entry, "text")
    if not text:
        raise ApiError(42020)
    if not key:
        raise ApiError(42019)
    if len(key.encode()) > KEY_BYTES:
        raise ApiError(42018)
    style = str(entry.get("style", 1))
    return Button(key, text, int(style) if style in ("1", "2", "3", "4") else 1)


def _pairs(body: Mapping[str, Any], name: str, most: int, first: str, second: str) -> tuple[tuple[str, str], ...]:
    entries = _entries(body.get(name))
    if len(entries) > most:
        raise _wrong(f"{name} has more than {most} entries")
    if any(not _text(entry, first) for entry in entries):
        raise _wrong(f"{name}.{first} missing")
    return tuple((_text(entry, first), _text(entry, second)) for entry in entries)


def _quote(area: Mapping[str, Any]) -> str:
    return "\n".join(filter(None, (_text(area, "title"), _text(area, "quote_text"))))


def _part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def _entries(value: Any) -> list[Mapping[str, Any]]:
    entries = value if isinstance(value, list) else []
    if not all(isinstance(entry, dict) for entry in entries):
        raise _wrong("a list must hold objects")
    return entries


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise _wrong(f"{name} must be a string")
    return value or ""


def _as_json(branch: Any) -> Any:
    """XML names as JSON ones: ``ButtonList`` → ``button_list``, whose only entry is a list too."""
    if not isinstance(branch, dict):
        return branch
    named: dict[str, Any] = {}
    for tag, value in branch.items():
        name = "keyname" if tag == "KeyName" else _CAPITAL.sub(r"_\1", tag).lower()
        entries = [_as_json(each) for each in (value if isinstance(value, list) else [value])]
        named[name] = [entry for entry in entries if entry != ""] if name.endswith("_list") else entries[0]
    return named


def _wrong(detail: str) -> ApiError:
    return ApiError(40035, detail)
