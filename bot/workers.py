"""The way to the workers: Dramatiq carries row ids; the rows own order, retries and dead letters.

A lost or emptied queue costs seconds: the clock sends due rows again, and while Redis is away the workers look
for due rows themselves.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dramatiq
import redis
import structlog
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AgeLimit, Callbacks, Middleware, Retries, ShutdownNotifications, TimeLimit

log = structlog.get_logger()

QUEUE = "qunda"
_PAUSE_AFTER_FAILURE = 2.0


def make_broker(connection: redis.Redis) -> RedisBroker:
    """A broker that retries nothing by itself."""
    middleware: list[Middleware] = [
        AgeLimit(),
        TimeLimit(),
        ShutdownNotifications(),
        Callbacks(),
        Retries(max_retries=0),
    ]
    return RedisBroker(client=connection, middleware=middleware, namespace="qunda:queue")


class Queue:
    """Sends row ids to the workers; says so in the log and goes on when Redis is away."""

    def __init__(self, broker: dramatiq.Broker) -> None:
        self.broker = broker
        self._quiet_until = 0.0
        broker.declare_queue(QUEUE)

    def wake(self, conversations: Sequence[int], jobs: Sequence[int] = ()) -> None:
        """Asks for these conversations to be delivered and these jobs to be done."""
        for conversation_id in conversations:
            self._send("deliver", conversation_id)
        for job_id in jobs:
            self._send("run_job", job_id)

    def wake_thinkers(self, conversations: Sequence[int]) -> None:
        """Asks for the messages that wait in these conversations to be thought about."""
        for conversation_id in conversations:
            self._send("think", conversation_id)

    def wake_pull(self, channels: Sequence[str]) -> None:
        """Asks for the messages of these channels to be fetched."""
        for channel in channels:
            self._send("pull", channel)

    def _send(self, actor: str, row_id: int | str) -> None:
        if time.monotonic() < self._quiet_until:
            return
        message: dramatiq.Message[None] = dramatiq.Message(
            queue_name=QUEUE, actor_name=actor, args=(row_id,), kwargs={}, options={}
        )
        try:
            self.broker.enqueue(message)
        except (redis.RedisError, dramatiq.errors.BrokerError) as error:
            # The clock sends due rows again; asking a dead Redis for every message would only slow the answers.
            self._quiet_until = time.monotonic() + _PAUSE_AFTER_FAILURE
            log.warning("queue_away", error=type(error).__name__)


def declare_actors(broker: dramatiq.Broker, work: Mapping[str, Callable[[Any], None]]) -> None:
    """Binds what the workers do to the names that travel in the queue: deliver, run_job, think and pull."""
    for name, function in work.items():
        dramatiq.actor(actor_name=name, queue_name=QUEUE, broker=broker, max_retries=0)(function)
