"""The knowledge as the running processes have it, for commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, make_url

from bot.storage.migrate import upgrade
from bot.storage.store import Store
from config.settings import Settings
from faq import gaps
from faq.knowledge import Addition, Knowledge

TAKEN_IN = "The running processes take it in within seconds, or half a minute where there are new phrasings."
"""What is told after a change of the knowledge: from new phrasings they learn first."""


@contextmanager
def opened_store(settings: Settings) -> Iterator[Store]:
    """The database, brought to this version."""
    upgrade(settings.database_url)
    store = Store(settings.database_url)
    try:
        yield store
    finally:
        store.close()


def knowledge_in_use(settings: Settings, connection: Connection) -> Knowledge:
    """The files with what was approved since. Raises ConfigError for files that can't be used."""
    return Knowledge.load(settings.files("faq"), settings.environ).extended(gaps.additions(connection))


def approved_so_far(settings: Settings) -> tuple[Addition, ...]:
    """What was approved to be added to the files; nothing where no database has been made yet."""
    file = make_url(settings.database_url).database
    if settings.database_url.startswith("sqlite") and not Path(file or "").exists():
        return ()
    with opened_store(settings) as store, store.read() as connection:
        return gaps.additions(connection)
