"""Connections to Redis with limits: a slow or absent Redis may cost a fraction of a second, never a hang."""

from __future__ import annotations

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry


def connect(url: str, *, patience: float = 0.5) -> redis.Redis:
    """A client whose commands fail within ``patience`` seconds instead of waiting or being sent twice."""
    return redis.Redis.from_url(
        url, socket_timeout=patience, socket_connect_timeout=patience, retry=Retry(NoBackoff(), 0)
    )
