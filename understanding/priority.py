"""How soon a person must look at it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from config.yaml_file import YamlFile
from understanding.kinds import GOODS, LOGISTICS, URGENT
from understanding.words import denied, pattern, supposed

Priority = Literal["P0", "P1", "P2"]


@dataclass(frozen=True, slots=True)
class PriorityReader:
    """``urgent``: words of danger to life and limb; ``elderly``: words of a resident who needs somebody beside her."""

    urgent: re.Pattern[str]
    elderly: re.Pattern[str]

    @classmethod
    def load(cls, file: YamlFile) -> PriorityReader:
        return cls(pattern(file, "urgent"), pattern(file, "elderly"))

    def danger(self, text: str) -> str | None:
        """The words of danger that are told as a fact, not denied and not merely asked about."""
        found = (each for each in self.urgent.finditer(text) if not denied(text, each) and not supposed(text, each))
        return next((each.group() for each in found), None)

    def read(
        self, text: str, kinds: Collection[str], *, danger: bool, upset: bool, handed_over: bool, calls: bool
    ) -> Priority | None:
        """P0 for danger, illness, harassment and leaks; P1 for goods, logistics, upset and elderly residents in need.

        ``upset``: angry or disappointed enough for a person. ``handed_over``: a person gets the message;
        ``calls``: the resident called for one. None when nobody needs to look.
        """
        if danger or URGENT.intersection(kinds):
            return "P0"
        if upset or (GOODS | LOGISTICS).intersection(kinds) or ((calls or handed_over) and self.elderly.search(text)):
            return "P1"
        return "P2" if kinds or handed_over or calls else None
