"""``./qunda import orders FILE`` and ``./qunda import people FILE``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bot.storage.migrate import upgrade
from bot.storage.store import Store
from config.settings import Settings
from shop.directory import Directory
from shop.importing import ImportReport, import_orders, import_people
from shop.residents import sync_directory
from shop.sheets import UnreadableFile, read_as, refuse_missing

ALL_IN, SOME_REFUSED, UNREADABLE = 0, 1, 2

Import = Callable[[Store, Settings, Directory, datetime], ImportReport]


def orders(file: Path, dry_run: bool) -> int:
    """Takes a file of order lines in. Exit code: 0 all went in, 1 some rows were refused, 2 the file is unreadable."""

    def take(store: Store, settings: Settings, directory: Directory, now: datetime) -> ImportReport:
        return import_orders(store, file, directory=directory, timezone=settings.timezone, now=now, dry_run=dry_run)

    return _run(file, dry_run, "order lines", take)


def people(file: Path, dry_run: bool) -> int:
    """Takes a file of residents in. Exit code as for orders."""

    def take(store: Store, settings: Settings, directory: Directory, now: datetime) -> ImportReport:
        return import_people(store, file, directory=directory, now=now, dry_run=dry_run)

    return _run(file, dry_run, "residents", take)


def _run(file: Path, dry_run: bool, what: str, take: Import) -> int:
    try:
        refuse_missing(file)
        report = _taken_in(dry_run, take)
    except UnreadableFile as error:
        print(f"{file}: {error}", file=sys.stderr)
        return UNREADABLE
    _print(report, what, dry_run)
    return SOME_REFUSED if report.refused else ALL_IN


def _taken_in(dry_run: bool, take: Import) -> ImportReport:
    settings = Settings.load(os.environ, make_secret=True)
    directory = _directory(settings)
    upgrade(settings.database_url)
    store = Store(settings.database_url)
    now = datetime.now(UTC)
    try:
        if not dry_run:
            with store.write() as connection:
                sync_directory(connection, directory, now)
        return take(store, settings, directory, now)
    finally:
        store.close()


def _directory(settings: Settings) -> Directory:
    path = settings.file("people.yaml")
    if path.exists():
        return Directory.load(path, settings.environ)
    print(
        f"There is no people.yaml yet, so no community is known and rows that name one are refused.\n"
        f"  To mend it: copy {settings.shipped_dir / 'people.example.yaml'} to {settings.config_dir / 'people.yaml'}, "
        f"write your communities and staff there, and import again.",
        file=sys.stderr,
    )
    return Directory()


def _print(report: ImportReport, what: str, dry_run: bool) -> None:
    if report.encoding:
        print(read_as(report.encoding))
    for row, reason in report.refused:
        print(f"row {row}: {reason}")
    print(
        f"{report.total} {what} read: {report.new} new, {report.changed} changed, {report.unchanged} unchanged, "
        f"{len(report.refused)} refused; " + ("nothing written (dry run)." if dry_run else f"{report.written} written.")
    )
