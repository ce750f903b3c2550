"""What every process stands on: the rows, and the way to the workers."""

from __future__ import annotations

from dataclasses import dataclass

import redis

from bot.clock import Clock, SystemClock
from bot.redis_connection import connect
from bot.storage.store import Store
from bot.workers import Queue, make_broker
from config.errors import ConfigError
from config.settings import Settings


@dataclass(frozen=True)
class Ground:
    """Open connections to database and Redis; the clock process needs nothing else."""

    settings: Settings
    clock: Clock
    store: Store
    redis: redis.Redis
    queue: Queue

    def close(self) -> None:
        """Lets go of the database and Redis."""
        self.queue.broker.close()
        self.redis.close()
        self.store.close()


def lay_ground(settings: Settings, clock: Clock | None = None) -> Ground:
    """Opens database and Redis. Raises ConfigError when no Redis server is named."""
    if settings.redis_url is None:
        raise ConfigError(
            "QUNDA_REDIS_URL is not set", "start everything with ./qunda up, or set QUNDA_REDIS_URL to a Redis server"
        )
    connection = connect(settings.redis_url)
    return Ground(
        settings, clock or SystemClock(), Store(settings.database_url), connection, Queue(make_broker(connection))
    )
