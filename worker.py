"""The worker process: sends what the outbox holds and does the jobs."""

from __future__ import annotations

import signal
import threading

import redis
import structlog
from dramatiq import Worker

from bot.due import due_conversations, due_jobs, due_pulls, due_thoughts
from bot.logs import configure_logs
from bot.workers import QUEUE, declare_actors
from compose import Bot, compose
from config.settings import Settings

log = structlog.get_logger()

THREADS = 8
_LOOK_EVERY_SECONDS = 2.0


def main(settings: Settings) -> None:
    """Runs until SIGTERM or SIGINT; what is in hand is finished first."""
    configure_logs(settings.log_level)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    bot = compose(settings)
    declare_actors(bot.ground.queue.broker, bot.work)
    worker = Worker(bot.ground.queue.broker, queues={QUEUE}, worker_threads=THREADS)
    worker.start()
    bot.snapshots.watch()
    log.info("worker_started", threads=THREADS)
    while not stopped.wait(_LOOK_EVERY_SECONDS):
        if not _queue_is_there(bot):
            work_without_queue(bot)
    worker.stop()
    bot.close()


def _queue_is_there(bot: Bot) -> bool:
    try:
        return bool(bot.ground.redis.ping())
    except redis.RedisError:
        return False


def work_without_queue(bot: Bot) -> None:
    """Does what is due straight from the rows: nobody can send ids while Redis is away."""
    now = bot.clock.now()
    with bot.store.read() as connection:
        due: dict[str, list[int] | list[str]] = {
            "pull": due_pulls(connection, now),
            "think": due_thoughts(connection, now),
            "deliver": due_conversations(connection, now),
            "run_job": due_jobs(connection, now),
        }
    for name, rows in due.items():
        for row in rows:
            try:
                bot.work[name](row)
            except Exception:
                # One row's trouble must not keep the others waiting; this one is looked at again in the next round.
                log.exception("work_failed", work=name, row=row)
