"""What went over the wire lately, for those who want to look at it."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

KEPT = 500


@dataclass(frozen=True, slots=True)
class Try:
    """One signed try of a callback. ``status`` and ``answer`` are None when the bot did not answer in time."""

    at: datetime
    query: Mapping[str, str]
    document: str
    status: int | None
    answer: str | None
    seconds: float


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One call of the platform's API by the bot. ``sent`` and ``answered`` are bodies; "" for what is no text."""

    at: datetime
    platform: str
    method: str
    path: str
    sent: str
    answered: str


class Traffic:
    """The latest callbacks with their tries, and the latest API calls. Callers hold the world's lock."""

    def __init__(self) -> None:
        self._tries: OrderedDict[str, tuple[str, list[Try]]] = OrderedDict()
        self._calls: deque[ApiCall] = deque(maxlen=KEPT)

    def tried(self, key: str, account: str, attempt: Try) -> None:
        """Keeps one try of the callback with this key."""
        self._tries.setdefault(key, (account, []))[1].append(attempt)
        if len(self._tries) > KEPT:
            self._tries.popitem(last=False)

    def called(self, call: ApiCall) -> None:
        self._calls.append(call)

    def tries(self, key: str) -> list[Try]:
        """The tries of a callback, first one first; none when it is no longer kept."""
        return list(self._tries.get(key, ("", []))[1])

    def calls_after(self, key: str) -> list[ApiCall]:
        """The calls from a callback on, up to the next callback from the same account."""
        if key not in self._tries:
            return []
        account, tries = self._tries[key]
        began = tries[0].at
        later = [other[0].at for who, other in self._tries.values() if who == account and other[0].at > began]
        return [call for call in self._calls if call.at >= began and not (later and call.at >= min(later))]

    def clear(self) -> None:
        self._tries.clear()
        self._calls.clear()
