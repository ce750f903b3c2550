"""A question with answers to tap."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer: ``id`` comes back when it is tapped (at most 128 bytes, without "#"), ``label`` is what is read."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Menu:
    """``head`` asks, ``choices`` answer, ``tail`` says what else one can do.

    ``by_number`` goes after the head where nothing can be tapped ("回复数字就行："). Where a channel has no menus it
    becomes a numbered text; the handler that asks must understand the numbers too.
    """

    head: str
    choices: tuple[Choice, ...]
    tail: str = ""
    by_number: str = ""

    def as_text(self) -> str:
        numbered = (f"{number}. {choice.label}" for number, choice in enumerate(self.choices, 1))
        return "\n".join(part for part in (self.head + self.by_number, *numbered, self.tail) if part)
