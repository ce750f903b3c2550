"""Fitting texts to the length a channel takes."""

from __future__ import annotations

import re

_ENDS = re.compile(r"(?<=[。！？!?\n；;])")


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
