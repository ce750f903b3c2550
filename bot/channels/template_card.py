"""Cards with buttons in WeCom's own form.

Sources: developer.work.weixin.qq.com documents 90236 (an app's cards) and 101032 (a smart bot's). A smart bot's buttons
cannot be switched off: a card without any is not taken, and words in their place are an app's alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

_MAIN, _SAFE = 1, 2
"""Styles of a button: the first one stands out."""

MOST_BUTTONS = 6
_KEY_BYTES = 1024
# What a card shows well, in characters; the documents advise no more.
_TITLE, _TEXT, _BUTTON = 26, 112, 10

_MENU = "menu-"
"""How the task ids of menus begin; staff's cards have others."""
_AFTER_ID = "#"
"""Stands in a button's key between a choice's id, which has none, and its label."""
_CHOSEN = "✓"


def template_card(card: Mapping[str, Any]) -> dict[str, Any]:
    """``card``: title, description, text, buttons as pairs of key and label; ``task`` names it to the platform.

    ``replaced``: words that stand where the buttons were.
    """
    body: dict[str, Any] = {
        "card_type": "button_interaction",
        "main_title": {"title": card["title"], "desc": card["description"]},
        "sub_title_text": card["text"],
        "button_list": [
            {"key": key, "text": label, "style": _SAFE if number else _MAIN}
            for number, (key, label) in enumerate(card["buttons"])
        ],
    }
    if card.get("task"):
        body["task_id"] = card["task"]
    if card.get("replaced"):
        body["replace_text"] = card["replaced"]
    return body


def menu_card(menu: Mapping[str, Any], answers: str) -> dict[str, Any] | None:
    """A question with its choices as buttons; None when the platform would not take it.

    ``menu``: "head", and "choices" as pairs of id and label. ``answers``: the key of the message that it answers, by
    which the same menu has the same task id whenever it is sent.
    """
    choices = [(_key(*choice), f"{number}.{choice[1]}") for number, choice in enumerate(menu["choices"], 1)]
    keys = {key for key, _ in choices}
    if len(keys) < len(choices) or len(choices) > MOST_BUTTONS or any(len(key.encode()) > _KEY_BYTES for key in keys):
        return None
    return _with_buttons(
        f"{_MENU}{hashlib.sha256(answers.encode()).hexdigest()[:32]}",
        menu["head"].splitlines()[-1],
        [{"key": key, "text": _shortened(words, _BUTTON), "style": _SAFE} for key, words in choices],
    )


def chosen(task: str, key: str) -> tuple[str, str] | None:
    """Id and label of the choice behind a tapped button; None for a card that is no menu."""
    choice, is_choice, label = key.partition(_AFTER_ID)
    return (choice, label) if is_choice and label and task.startswith(_MENU) else None


def chosen_card(task: str, choice: str, label: str) -> dict[str, Any]:
    """What takes a menu's place for whoever has tapped: her choice, over a button that makes the same one again."""
    return _with_buttons(task, label, [{"key": _key(choice, label), "text": _CHOSEN, "style": _SAFE}])


def _with_buttons(task: str, title: str, buttons: list[dict[str, Any]]) -> dict[str, Any]:
    card: dict[str, Any] = {
        "card_type": "button_interaction",
        "main_title": {"title": _shortened(title, _TITLE)},
        "button_list": buttons,
        "task_id": task,
    }
    return card if len(title) <= _TITLE else {**card, "sub_title_text": _shortened(title, _TEXT)}


def _key(choice: str, label: str) -> str:
    return f"{choice}{_AFTER_ID}{label}"


def _shortened(words: str, limit: int) -> str:
    return words if len(words) <= limit else f"{words[: limit - 1]}…"
