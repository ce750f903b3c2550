"""Fitting words to what a channel takes: long texts are split, menus become numbered text where there are none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from bot.channels.capabilities import Capabilities
from bot.errors import NotPublic
from bot.menu import Menu
from config.texts import Public

_ENDS = re.compile(r"(?<=[。！？!?\n；;])")


_HEAD_BYTES = 1024
"""The longest head of a tappable menu. Source: developer.work.weixin.qq.com document 94677."""


def parcels(
    words: Sequence[str | Menu], rules: Capabilities, *, for_everybody: bool = False
) -> list[tuple[str, dict[str, Any]]]:
    """What leaves for these texts and menus: kinds and payloads of outbox rows, as few as possible.

    A menu that becomes words keeps its choices in their "menu", where they may stand as buttons under them.
    ``for_everybody``: a group reads them. Raises NotPublic for a single one that was not written for it: all words on
    their way into a group pass here.
    """
    if for_everybody and not all(isinstance(part, Public) for each in words for part in _parts(each)):
        raise NotPublic("these words were not written for everybody")
    found: list[tuple[str, dict[str, Any]]] = []
    lines: list[str] = []
    for each in words:
        if isinstance(each, str) or len(each.choices) > rules.menu_choices:
            lines.append(each if isinstance(each, str) else each.as_text())
            continue
        head = "\n".join((*lines, each.head))
        if len(head.encode()) > _HEAD_BYTES:
            found += _texts(lines, rules)
            head = each.head
        found.append(("menu", _menu(each, head)))
        lines = []
    texts = _texts(lines, rules)
    if len(texts) == 1 and (menu := _to_tap(words, rules)):
        texts[0][1]["menu"] = menu
    return found + texts


def _parts(words: str | Menu) -> Sequence[str]:
    """All that is read of a text or a menu."""
    if isinstance(words, str):
        return (words,)
    parts = (words.head, *(choice.label for choice in words.choices), words.by_number, words.tail)
    return tuple(part for part in parts if part)


def _to_tap(words: Sequence[str | Menu], rules: Capabilities) -> dict[str, Any] | None:
    """The menu among these words whose choices may stand as buttons; of two, nobody could say which a number means."""
    menus = [each for each in words if isinstance(each, Menu)]
    if len(menus) != 1 or not 0 < len(menus[0].choices) <= rules.answer_buttons:
        return None
    return {"head": menus[0].head, "choices": [[choice.id, choice.label] for choice in menus[0].choices]}


def _texts(lines: Sequence[str], rules: Capabilities) -> list[tuple[str, dict[str, Any]]]:
    return [("text", {"text": part}) for part in split_text("\n".join(lines), rules.text_bytes)]


def _menu(menu: Menu, head: str) -> dict[str, Any]:
    words = Menu(head, menu.choices, menu.tail, menu.by_number).as_text()
    choices = [[choice.id, choice.label] for choice in menu.choices]
    return {"text": words, "head": head, "choices": choices, "tail": menu.tail}


def split_text(text: str, limit: int) -> list[str]:
    """Cuts a text into parts of at most ``limit`` UTF-8 bytes, at sentence ends where there are any."""
    parts: list[str] = []
    current = ""
    for sentence in _ENDS.split(text):
        for piece in _pieces(sentence, limit):
            if current and len((current + piece).encode()) > limit:
                parts.append(current.strip("\n"))
                current = ""
            current += piece
    if current.strip():
        parts.append(current.strip("\n"))
    return parts


def _pieces(sentence: str, limit: int) -> list[str]:
    if len(sentence.encode()) <= limit:
        return [sentence]
    pieces, start, size = [], 0, 0
    for index, character in enumerate(sentence):
        width = len(character.encode("utf-8", "replace"))
        if size + width > limit:
            pieces.append(sentence[start:index])
            start, size = index, 0
        size += width
    pieces.append(sentence[start:])
    return pieces
