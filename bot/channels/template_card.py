"""Cards with buttons in WeCom's own form. Source: developer.work.weixin.qq.com document 90236."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MAIN, _SAFE = 1, 2
"""Styles of a button: the first one stands out."""


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
