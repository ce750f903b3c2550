"""The clock process: sends due rows to the workers again, so that a lost queue costs seconds."""

from __future__ import annotations

import signal
import threading

import redis
import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from bot.due import due_conversations, due_jobs, due_pulls, due_thoughts
from bot.ground import Ground, lay_ground
from bot.logs import configure_logs
from bot.workers import QUEUE
from config.settings import Settings

log = structlog.get_logger()

SWEEP_SECONDS = 2
_BACKLOG = 1000


def main(settings: Settings) -> None:
    """Runs until SIGTERM or SIGINT. A second clock does no harm: whatever it sends is claimed row by row."""
    configure_logs(settings.log_level)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    ground = lay_ground(settings)
    scheduler = BackgroundScheduler(timezone=settings.timezone)
    scheduler.add_job(sweep, "interval", seconds=SWEEP_SECONDS, args=[ground], max_instances=1, coalesce=True)
    scheduler.start()
    log.info("clock_started")
    stopped.wait()
    scheduler.shutdown()
    ground.close()


def sweep(ground: Ground) -> None:
    """Sends every due row's id to the workers, unless they have plenty waiting already."""
    try:
        if int(ground.redis.llen(f"qunda:queue:{QUEUE}")) > _BACKLOG:
            return
    except redis.RedisError as error:
        log.warning("queue_away", error=type(error).__name__)
        return
    with ground.store.read() as connection:
        now = ground.clock.now()
        conversations, jobs = due_conversations(connection, now), due_jobs(connection, now)
        thoughts, pulls = due_thoughts(connection, now), due_pulls(connection, now)
    ground.queue.wake_pull(pulls)
    ground.queue.wake_thinkers(thoughts)
    ground.queue.wake(conversations, jobs)
