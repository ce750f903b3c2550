"""The HTTP side of the machine: callbacks, health and metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import structlog
from flask import Blueprint, Response, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, generate_latest
from werkzeug.exceptions import HTTPException

from bot.channels.channel import Channel, Inbound, ShowsButtons
from bot.channels.envelope import MAX_BODY
from bot.clock import Clock
from bot.errors import ForgedCallback, MalformedCallback
from bot.message import Message
from bot.offers import Answer, OfferConfirmer
from bot.pulling import Pulling
from bot.turn import Turns

log = structlog.get_logger()

_LATE_THREADS = 4

Check = Callable[[], None]
"""Raises when something the service needs does not work."""


class Callbacks:
    """Answers the platforms. Forged callbacks get 403, unreadable ones 400, too large ones 413; nothing is stored."""

    def __init__(
        self,
        *,
        channels: Mapping[str, Channel],
        turns: Turns,
        pulling: Pulling,
        offers: OfferConfirmer,
        clock: Clock,
        registry: CollectorRegistry,
    ) -> None:
        self._channels = channels
        self._turns = turns
        self._pulling = pulling
        self._late = ThreadPoolExecutor(_LATE_THREADS, thread_name_prefix="late")
        self._offers = offers
        self._clock = clock
        self._seen = Counter(
            "qunda_callbacks", "Callbacks by what became of them", ["channel", "seen"], registry=registry
        )

    def verify(self, name: str) -> Response:
        """The platform's GET: plain text, at once."""
        channel = self._channels.get(name)
        if channel is None:
            return _plain("unknown channel", 404)
        try:
            echo = channel.verify(request.args, self._clock.now())
        except (ForgedCallback, MalformedCallback) as error:
            return self._refuse(name, error)
        return _plain(echo, 200)

    def deliver(self, name: str) -> Response:
        """The platform's POST: one message or event."""
        channel = self._channels.get(name)
        if channel is None:
            return _plain("unknown channel", 404)
        started = self._clock.monotonic()
        if (request.content_length or 0) > MAX_BODY:
            self._seen.labels(name, "too_large").inc()
            return _plain("too large", 413)
        body = request.stream.read(MAX_BODY + 1)
        if len(body) > MAX_BODY:
            self._seen.labels(name, "too_large").inc()
            return _plain("too large", 413)
        try:
            inbound = channel.receive(request.args, body, self._clock.now())
        except (ForgedCallback, MalformedCallback) as error:
            return self._refuse(name, error)
        self._seen.labels(name, inbound.seen).inc()
        if inbound.poke is not None:
            self._pulling.poked(name, inbound.poke)
        if inbound.asks_again:
            return self._respond(channel, inbound, self._turns.later_answer(name, inbound.asks_again))
        if inbound.message is None:
            return _plain(channel.acknowledgement, 200)
        margin = channel.capabilities.reply_margin
        until = None if margin is None or not inbound.answers_in_words else started + margin
        answer = self._answer(channel, inbound.message, until)
        return self._respond(channel, inbound, answer)

    def _answer(self, channel: Channel, message: Message, until: float | None) -> Answer | None:
        """What the turn answers; None while it is still being thought about and the platform may ask again."""
        if until is None or not channel.capabilities.streams:
            return self._turns.take(message, answer_until=until)
        # Stored first: whatever becomes of the thinking, the platform has got its answer and will not send it again.
        self._turns.keep(message)
        thought = self._late.submit(self._turns.take, message, answer_until=until)
        try:
            return thought.result(timeout=max(0.0, until - self._clock.monotonic()))
        except TimeoutError:
            return None

    def _respond(self, channel: Channel, inbound: Inbound, answer: Answer | None) -> Response:
        if answer is not None and answer.text is None and not inbound.asks_again:
            if inbound.acknowledgement:
                return Response(inbound.acknowledgement, 200, content_type=channel.content_type)
            return _plain(channel.acknowledgement, 200)
        response = Response(self._sealed(channel, inbound, answer), 200, content_type=channel.content_type)
        if answer is not None and answer.outbox_ids:
            response.call_on_close(lambda: self._offers.written(answer))
        return response

    def _sealed(self, channel: Channel, inbound: Inbound, answer: Answer | None) -> str:
        now = self._clock.now()
        if answer is not None and answer.text and answer.menu and isinstance(channel, ShowsButtons):
            return channel.answer_with_buttons(inbound, answer.text, answer.menu, now)
        return channel.passive_reply(inbound, answer.text if answer else None, now)

    def _refuse(self, name: str, error: ForgedCallback | MalformedCallback) -> Response:
        self._seen.labels(name, error.code).inc()
        log.warning("callback_refused", channel=name, code=error.code)
        return _plain(error.code, 403 if isinstance(error, ForgedCallback) else 400)


def make_blueprint(callbacks: Callbacks, checks: Mapping[str, Check], registry: CollectorRegistry) -> Blueprint:
    """Routes for callbacks, ``/healthz``, ``/readyz`` and ``/metrics``."""
    blueprint = Blueprint("bot", __name__)
    blueprint.register_error_handler(Exception, _failed)
    blueprint.add_url_rule("/callback/<name>", "verify", callbacks.verify, methods=["GET"])
    blueprint.add_url_rule("/callback/<name>", "deliver", callbacks.deliver, methods=["POST"])
    blueprint.add_url_rule("/healthz", "healthz", lambda: _plain("ok", 200))
    blueprint.add_url_rule("/readyz", "readyz", lambda: _readiness(checks))
    blueprint.add_url_rule("/metrics", "metrics", lambda: _metrics(registry))
    return blueprint


def _failed(error: Exception) -> Response | HTTPException:
    """Our own fault: the platform gets no reply and tries again; the log gets the place, and no one's words."""
    if isinstance(error, HTTPException):
        return error
    log.exception("request_failed", path=request.path)
    return _plain("error", 500)


def _readiness(checks: Mapping[str, Check]) -> Response:
    failed = []
    for name, check in checks.items():
        try:
            check()
        except Exception as error:
            # Readiness tells the operator which part fails; the part's own error goes to the log by its type.
            log.warning("not_ready", part=name, error=type(error).__name__)
            failed.append(name)
    return _plain("not ready: " + ", ".join(failed), 503) if failed else _plain("ready", 200)


def _metrics(registry: CollectorRegistry) -> Response:
    return Response(generate_latest(registry), 200, content_type=CONTENT_TYPE_LATEST)


def _plain(text: str, status: int) -> Response:
    response = Response(text, status, content_type="text/plain; charset=utf-8")
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
