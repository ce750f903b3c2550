"""Access tokens as both platforms hand them out: valid for two hours, possibly less."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from playground.clock import PlatformClock
from playground.platform.errors import ApiError

LIFETIME = timedelta(seconds=7200)
OVERLAP = timedelta(minutes=5)


class Tokens:
    """The tokens of one account. Callers hold the world's lock."""

    def __init__(self, clock: PlatformClock) -> None:
        self._clock = clock
        self._expiry: dict[str, datetime] = {}
        self._newest = ""

    def current(self, *, force: bool = False) -> tuple[str, int]:
        """The token in use and its remaining seconds; a new one in the last five minutes, or when forced.

        A forced renewal ends the old token at once; an ordinary one lets both live on for five minutes.
        """
        left = self._expiry.get(self._newest, self._clock.now()) - self._clock.now()
        if force or left <= OVERLAP:
            return self.issue(overlap=timedelta() if force else OVERLAP)
        return self._newest, int(left.total_seconds())

    def issue(self, *, overlap: timedelta = OVERLAP) -> tuple[str, int]:
        """A new token with its seconds; the older ones end after ``overlap`` at the latest."""
        end = self._clock.now() + overlap
        self._expiry = {token: min(expiry, end) for token, expiry in self._expiry.items()}
        self._newest = secrets.token_urlsafe(96)
        self._expiry[self._newest] = self._clock.now() + LIFETIME
        return self._newest, int(LIFETIME.total_seconds())

    def knows(self, token: str) -> bool:
        return token in self._expiry

    def check(self, token: str) -> None:
        """Raises ``ApiError``: 41001 for none, 40014 for a foreign one, 40001 for a replaced, 42001 for an old one."""
        if not token:
            raise ApiError(41001)
        if token not in self._expiry:
            raise ApiError(40014)
        if self._expiry[token] <= self._clock.now():
            raise ApiError(42001 if token == self._newest else 40001)

    def expire_all(self) -> None:
        """Ends every token now, as the platform may at any time."""
        self._expiry = dict.fromkeys(self._expiry, self._clock.now())
