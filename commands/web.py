"""The web process: platform callbacks and health, served by granian."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import sys
from multiprocessing.util import Finalize
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from bot.parent_death import die_with_parent
from commands.preflight import free_port, settings_of_one_process
from commands.supervisor import REFUSED
from config.errors import ConfigError

THREADS = 4  # the interpreter runs one at a time: more only hand its lock around (16 were a fifth slower)
STOP_WITHIN = 8  # seconds for requests in flight, less than the supervisor's patience

_refused = multiprocessing.Event()


def run(host: str, port: int) -> int:
    """Serves until SIGTERM or SIGINT. One worker process: on SQLite there is one writer at a time anyway."""
    settings_of_one_process()
    free_port(host, port)
    server = Granian(
        "commands.web:create",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        workers=1,
        blocking_threads=THREADS,
        workers_kill_timeout=STOP_WITHIN,
        log_level=LogLevels.error,
    )
    try:
        server.serve()
    except SystemExit:
        if _refused.is_set():
            return REFUSED
        raise
    return 0


def create() -> Any:
    """Makes the application inside granian's worker process."""
    parent = multiprocessing.parent_process()
    if parent is not None and parent.pid is not None:
        die_with_parent(parent.pid)
    # A forked worker leaves without the exit functions that the application registers, and with those of its parent.
    atexit._clear()
    Finalize(None, atexit._run_exitfuncs, exitpriority=0)
    # Inherited handlers would swallow a stop that comes before granian has set its own.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import app

    try:
        return app.create()
    except ConfigError as error:
        print(error, file=sys.stderr)
        _refused.set()
        sys.stderr.flush()
        os._exit(REFUSED)
