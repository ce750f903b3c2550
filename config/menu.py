"""``menu.yaml``: the menu at the foot of an Official Account's chat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from config.settings import web_address
from config.yaml_file import YamlFile, read_yaml

# Source: developers.weixin.qq.com, Custom_Menus, Creating_Custom-Defined_Menu.
_MOST_BUTTONS, _MOST_BELOW = 3, 5
_NAME_BYTES, _NAME_BYTES_BELOW = 16, 60
_KEY_BYTES, _URL_BYTES = 128, 1024

Keys = tuple[str | int, ...]


def load_menu(path: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    """The menu in the platform's own form.

    A button says words for the resident (``say``), opens a page (``open``), or unfolds others (``more``).
    Raises ConfigError with file, line and remedy for the first mistake.
    """
    file = read_yaml(path, environ)
    entries = file.value if isinstance(file.value, list) else None
    if not entries or len(entries) > _MOST_BUTTONS:
        raise file.error(f"the menu has not 1 to {_MOST_BUTTONS} buttons", "write '- name: …' and 'say: …' for each")
    return {"button": [_button(file, entry, (number,)) for number, entry in enumerate(entries)]}


def _button(file: YamlFile, entry: Any, place: Keys) -> dict[str, Any]:
    below = len(place) > 1
    if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
        raise file.error("this button has no name", "write 'name: 查订单'", *place)
    limit = _NAME_BYTES_BELOW if below else _NAME_BYTES
    if len(entry["name"].encode()) > limit:
        raise file.error(f"the name is longer than {limit // 3} Chinese characters", "shorten it", *place, "name")
    kinds = [key for key in ("say", "open", "more") if key in entry]
    if len(kinds) != 1 or len(entry) != 2 or (below and kinds == ["more"]):
        remedy = "give it exactly one of say and open" if below else "give it exactly one of say, open and more"
        raise file.error(f"the button {entry['name']} does not do exactly one thing", remedy, *place)
    return {"name": entry["name"], **_deed(file, kinds[0], entry[kinds[0]], (*place, kinds[0]))}


def _deed(file: YamlFile, kind: str, value: Any, place: Keys) -> dict[str, Any]:
    if kind == "more":
        if not isinstance(value, Sequence) or isinstance(value, str) or not 1 <= len(value) <= _MOST_BELOW:
            raise file.error(f"more has not 1 to {_MOST_BELOW} buttons", "list them below it", *place)
        return {"sub_button": [_button(file, entry, (*place, number)) for number, entry in enumerate(value)]}
    if kind == "say":
        if not isinstance(value, str) or not 0 < len(value.encode()) <= _KEY_BYTES:
            remedy = "write what a resident would say, such as 我的订单到哪了"
            raise file.error(f"say is not a text of at most {_KEY_BYTES // 3} Chinese characters", remedy, *place)
        return {"type": "click", "key": value}
    if not isinstance(value, str) or web_address(value) is None or len(value) > _URL_BYTES:
        raise file.error("open is not a web address", "write it with https://", *place)
    return {"type": "view", "url": value}
