"""Access tokens, shared by all processes: one refresher at a time, the old one in use until the new one exists."""

from __future__ import annotations

import threading
from collections.abc import Callable

import redis

from bot.clock import Clock

Fetch = Callable[[], tuple[str, int]]
"""Asks the platform for a token; returns it with its life in seconds."""

_EARLY_SECONDS = 300
_LOCK_MILLISECONDS = 10_000
_WAIT_SECONDS = 5.0


class AccessToken:
    """The current access token of one channel, kept in Redis and, while Redis is away, in this process."""

    def __init__(self, name: str, fetch: Fetch, connection: redis.Redis, clock: Clock) -> None:
        self._key = f"qunda:token:{name}"
        self._fetch = fetch
        self._redis = connection
        self._clock = clock
        self._local_lock = threading.Lock()
        self._token = ""
        self._good_until = 0.0

    def current(self) -> str:
        """The token to use now; fetched when there is none."""
        if self._token and self._clock.monotonic() < self._good_until:
            return self._token
        return self.replace("")

    def replace(self, refused: str) -> str:
        """A token other than ``refused``, which the platform did not accept (empty: any will do)."""
        with self._local_lock:
            if self._token and self._token != refused and self._clock.monotonic() < self._good_until:
                return self._token
            try:
                return self._replace_shared(refused)
            except redis.RedisError:
                return self._keep(*self._fetch())

    def _replace_shared(self, refused: str) -> str:
        known = self._shared()
        if known and known[0] != refused:
            return self._keep(*known)
        lock = self._redis.lock(f"{self._key}:lock", timeout=_LOCK_MILLISECONDS / 1000, sleep=0.05)
        if not lock.acquire(blocking_timeout=_WAIT_SECONDS):
            return self._keep(*self._fetch())
        try:
            known = self._shared()
            if known and known[0] != refused:
                return self._keep(*known)
            token, seconds = self._fetch()
            self._redis.set(self._key, token, ex=max(seconds - _EARLY_SECONDS, 1))
            return self._keep(token, seconds)
        finally:
            if lock.owned():
                lock.release()

    def _shared(self) -> tuple[str, int] | None:
        value = self._redis.get(self._key)
        if not isinstance(value, bytes):
            return None
        left = self._redis.ttl(self._key)
        return value.decode(), int(left) + _EARLY_SECONDS

    def _keep(self, token: str, seconds: int) -> str:
        self._token = token
        self._good_until = self._clock.monotonic() + max(seconds - _EARLY_SECONDS, 1)
        return token
