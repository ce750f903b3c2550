"""The web process: receives callbacks, answers them, says whether it is well."""

from __future__ import annotations

import atexit
import os

from flask import Flask
from sqlalchemy import text

from bot.logs import configure_logs
from bot.metrics import make_registry
from bot.offers import OfferConfirmer
from bot.web import Callbacks, make_blueprint
from compose import Bot, compose
from config.settings import Settings
from faq.snapshots import SnapshotFigures
from inspection import playground_routes


def create() -> Flask:
    """The WSGI application for the server. Raises ConfigError when it must not start."""
    settings = Settings.load(os.environ, make_secret=False)
    configure_logs(settings.log_level)
    bot = compose(settings)
    bot.snapshots.watch()
    atexit.register(bot.snapshots.close)
    return create_app(bot)


def create_app(bot: Bot) -> Flask:
    """The WSGI application around a composed bot."""
    app = Flask("qunda", static_folder=None)
    registry = make_registry(bot.store)
    registry.register(SnapshotFigures(bot.snapshots))
    offers = OfferConfirmer(bot.store, bot.clock, bot.ground.queue.wake)
    app.extensions["offers"] = offers
    atexit.register(offers.close)
    callbacks = Callbacks(
        channels=bot.channels,
        turns=bot.turns,
        pulling=bot.pulling,
        offers=offers,
        clock=bot.clock,
        registry=registry,
    )

    def database() -> None:
        with bot.store.read() as connection:
            connection.execute(text("SELECT 1"))

    def reach_redis() -> None:
        bot.ground.redis.ping()

    checks = {"database": database, "redis": reach_redis}
    app.register_blueprint(make_blueprint(callbacks, checks, registry))
    if bot.ground.settings.playground_url is not None:
        app.register_blueprint(playground_routes(bot, bot.ground.settings.playground_url))
    return app
