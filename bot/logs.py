"""Structured logs: one JSON line each, without personal data or secrets."""

from __future__ import annotations

import logging
import sys

import structlog


def configure_logs(level: str) -> None:
    """Sets up the logs of a process. ``level`` is a name such as INFO."""
    number = logging.getLevelNamesMapping()[level]
    # Libraries may put addresses with tokens into their own messages; only their names for what happened are wanted.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    for name in ("urllib3", "requests"):
        logging.getLogger(name).setLevel(logging.ERROR)
    structlog.configure(
        processors=PROCESSORS,
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _locate_exception(_logger: object, _method: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """Replaces an exception by its type and place: its text may quote what a resident wrote."""
    if not event.pop("exc_info", None):
        return event
    kind, _, trace = sys.exc_info()
    places = []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rsplit('/', 2)[-1]}:{trace.tb_lineno}:{code.co_name}")
        trace = trace.tb_next
    event["exception"] = kind.__name__ if kind else ""
    event["places"] = places[-6:]
    return event


PROCESSORS: tuple[structlog.types.Processor, ...] = (
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _locate_exception,
    structlog.processors.JSONRenderer(ensure_ascii=False),
)
