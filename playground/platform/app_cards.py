"""The cards that an app has sent, who sees them, and the codes by which they may be changed."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from playground.platform.cards import Card
from playground.platform.errors import ApiError
from playground.world import Bubble, World

# doc 94888: a code is good for one update within this time.
CODE_LIVES = timedelta(hours=72)


class AppCards:
    """The cards of the app whose platform has this name, by task id. Callers hold the world's lock."""

    def __init__(self, platform: str, world: World) -> None:
        self._platform = platform
        self._world = world
        self._kinds: dict[str, str] = {}
        self._shown: dict[str, dict[str, int]] = {}
        self._codes: dict[str, tuple[str, datetime]] = {}
        self._spent: set[str] = set()

    @property
    def task_ids(self) -> Collection[str]:
        return self._kinds.keys()

    def keep(self, card: Card, shown: Mapping[str, Bubble]) -> dict[str, str]:
        """Remembers a card by the members' bubbles; ``response_code`` for the answer, if it may be changed later."""
        if not card.task_id:
            return {}
        self._kinds[card.task_id] = card.kind
        self._shown[card.task_id] = {member: bubble.id for member, bubble in shown.items()}
        return {"response_code": self.new_code(card.task_id)} if card.calls_back else {}

    def kind(self, task_id: str) -> str:
        return self._kinds[task_id]

    def new_code(self, task_id: str) -> str:
        """A code good for one change of the card."""
        code = secrets.token_urlsafe(24)
        self._codes[code] = (task_id, self._world.clock.now() + CODE_LIVES)
        return code

    def spend(self, code: str) -> str:
        """The task id that a code stands for; ``ApiError`` for one that is unknown, too old or used."""
        if code in self._spent:
            raise ApiError(42022)
        task_id, until = self._codes.get(code, ("", self._world.clock.now()))
        if until <= self._world.clock.now():
            raise ApiError(40035, "response_code unknown or expired")
        self._spent.add(code)
        return task_id

    def change(self, task_id: str, members: Iterable[str] | None, *, card: Card | None, replaced: str) -> None:
        """Shows another card, or grey words in the place of the buttons, to these members (None: to all of them)."""
        shown = self._shown.get(task_id, {})
        for member in shown if members is None else members:
            if member not in shown:
                continue
            where = (self._platform, member, shown[member])
            after = replace(card or self._world.card(*where), task_id=task_id)
            if card is None:
                after = replace(after, replaced=replaced)
            self._world.change(*where, card=after, text=after.words)

    def clear(self) -> None:
        self._kinds.clear()
        self._shown.clear()
        self._codes.clear()
        self._spent.clear()
