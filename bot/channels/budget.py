"""How fast a channel may send: counted in Redis for all processes, and in this process while Redis is away."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

import redis

from bot.channels.capabilities import Rate
from bot.clock import Clock
from bot.errors import OverRate

_ON_THE_WAY = 2
"""Seconds that a message may take: we count when it leaves, the platform when it arrives."""

# One sorted set per rate, of sending times. All rates are looked at before any is counted, in one step on the server.
_TAKE = """
local now = tonumber(ARGV[1])
for index, key in ipairs(KEYS) do
  local most, seconds = tonumber(ARGV[index * 2 + 1]), tonumber(ARGV[index * 2 + 2])
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - seconds)
  if redis.call('ZCARD', key) >= most then
    local oldest = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
    return tostring(oldest[2] + seconds - now)
  end
end
for index, key in ipairs(KEYS) do
  redis.call('ZADD', key, now, ARGV[2])
  redis.call('EXPIRE', key, ARGV[index * 2 + 2])
end
return '0'
"""


class SendingBudget:
    """The rates of one channel. Every message that is about to leave takes its place first."""

    def __init__(self, channel: str, rates: Sequence[Rate], connection: redis.Redis, clock: Clock) -> None:
        self._channel = channel
        self._rates = tuple(rates)
        self._take = connection.register_script(_TAKE)
        self._clock = clock
        self._here = _Here(self._rates)

    def take(self, person: str, key: str) -> None:
        """Counts one message to ``person``; ``key`` names it. Raises OverRate when there is no room for it yet."""
        if not self._rates:
            return
        now = self._clock.now().timestamp()
        try:
            wait = float(self._take(keys=self._keys(person), args=[now, key, *self._limits()]))
        except redis.RedisError:
            wait = self._here.take(person, now)
        if wait > 0:
            raise OverRate(wait)

    def _keys(self, person: str) -> list[str]:
        whose = {"person": person, "channel": ""}
        return [f"qunda:rate:{self._channel}:{rate.seconds}:{whose[rate.per]}" for rate in self._rates]

    def _limits(self) -> list[int]:
        return [number for rate in self._rates for number in (rate.messages, rate.seconds + _ON_THE_WAY)]


class _Here:
    """The same count in one process: less than the truth, but better than none."""

    def __init__(self, rates: Sequence[Rate]) -> None:
        self._rates = rates
        self._sent: dict[tuple[int, str], deque[float]] = {}
        self._lock = threading.Lock()

    def take(self, person: str, now: float) -> float:
        with self._lock:
            for number, rate in enumerate(self._rates):
                sent = self._of(number, rate, person)
                while sent and sent[0] <= now - rate.seconds - _ON_THE_WAY:
                    sent.popleft()
                if len(sent) >= rate.messages:
                    return sent[0] + rate.seconds + _ON_THE_WAY - now
            for number, rate in enumerate(self._rates):
                self._of(number, rate, person).append(now)
        return 0.0

    def _of(self, number: int, rate: Rate, person: str) -> deque[float]:
        return self._sent.setdefault((number, person if rate.per == "person" else ""), deque())
