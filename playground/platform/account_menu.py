"""The menu under an Official Account's chat, and menus inside its messages.

Sources: developers.weixin.qq.com/doc/service/api/custommenu/api_createcustommenu and …/customer/message/.
"""

from __future__ import annotations

from typing import Any

from playground.platform.errors import ApiError
from playground.platform.menus import Menu, MenuItem

MOST_BUTTONS = 3
MOST_SUB_BUTTONS = 5
NAME_BYTES, SUB_NAME_BYTES = 16, 60
KEY_BYTES = 128
URL_BYTES = 1024
# Kinds that send their key to the bot, and what the others must have.
WITH_KEY = (
    "click",
    "scancode_push",
    "scancode_waitmsg",
    "pic_sysphoto",
    "pic_photo_or_album",
    "pic_weixin",
    "location_select",
)
NEEDS = {"view": ("url",), "miniprogram": ("url", "appid", "pagepath")}


def read_account_menu(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The ``button`` list of menu/create; ``ApiError`` for what is outside the limits."""
    buttons = _buttons(body.get("button"), MOST_BUTTONS, 40016)
    for button in buttons:
        _check_name(button, NAME_BYTES, 40018)
        if "sub_button" in button and button["sub_button"] != []:
            for each in _buttons(button["sub_button"], MOST_SUB_BUTTONS, 40023):
                _check_name(each, SUB_NAME_BYTES, 40025)
                _check_act(each)
        else:
            _check_act(button)
    return buttons


def read_message_menu(part: Any) -> Menu:
    """The ``msgmenu`` of a customer message, whose lines have an id and words."""
    told = part if isinstance(part, dict) else {}
    entries = told.get("list")
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise ApiError(44004)
    items = tuple(MenuItem("click", str(entry.get("content") or ""), str(entry.get("id") or "")) for entry in entries)
    if not all(item.id and item.text for item in items):
        raise ApiError(44004)
    return Menu(str(told.get("head_content") or ""), items, str(told.get("tail_content") or ""))


def _buttons(value: Any, most: int, errcode: int) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not 0 < len(value) <= most or not all(isinstance(each, dict) for each in value):
        raise ApiError(errcode)
    return value


def _check_name(button: dict[str, Any], most: int, errcode: int) -> None:
    name = button.get("name")
    if not isinstance(name, str) or not 0 < len(name.encode()) <= most:
        raise ApiError(errcode)


def _check_act(button: dict[str, Any]) -> None:
    kind = button.get("type")
    if kind in WITH_KEY:
        key = button.get("key")
        if not isinstance(key, str) or not 0 < len(key.encode()) <= KEY_BYTES:
            raise ApiError(40019)
        return
    if kind not in NEEDS:
        raise ApiError(40017)
    if not all(isinstance(button.get(name), str) and button[name] for name in NEEDS[kind]):
        raise ApiError(40020)
    if len(button["url"].encode()) > URL_BYTES:
        raise ApiError(40020)
