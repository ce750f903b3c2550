"""A backup taken while the bot works, and what comes back on an empty machine."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import os
import shutil
import stat
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Connection,
    DateTime,
    Integer,
    MetaData,
    create_engine,
    func,
    insert,
    inspect,
    select,
    text,
)

from bot.effects import Effects
from bot.media import store_media, stored_path
from bot.storage.rows import tables_of
from bot.storage.store import Store
from bot.storage.tables import attachments, inbox, outbox
from commands.archive import Manifest, Member
from commands.backup import backup
from commands.errors import CommandRefused
from commands.restore import restore
from tests.bot.rig import Rig
from tests.conftest import _administer, _named

SOUND = b"#!AMR\n" + bytes(500)
NOON = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)


class Machine:
    """One installation: a data dir, a configuration folder and a database, which ``use`` makes the current one."""

    def __init__(self, folder: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.data, self.config, self.database_url = folder / "data", folder / "config", database_url
        self.config.mkdir(parents=True)
        self._monkeypatch = monkeypatch

    def use(self) -> None:
        self._monkeypatch.setenv("QUNDA_DATA_DIR", str(self.data))
        self._monkeypatch.setenv("QUNDA_CONFIG_DIR", str(self.config))
        self._monkeypatch.setenv("QUNDA_DATABASE_URL", self.database_url)

    def read(self, question: Callable[[Connection], Any]) -> Any:
        engine = create_engine(self.database_url)
        with engine.connect() as connection:
            answer = question(connection)
        engine.dispose()
        return answer

    def contents(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table, in the form that both databases share."""
        return self.read(
            lambda connection: {
                table.name: [
                    tuple(row) for row in connection.execute(select(*table.columns).order_by(*table.primary_key))
                ]
                for table in tables_of(connection)
            }
        )


@pytest.fixture
def old(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """The machine that works: a database with the schema, a key, its own channels."""
    for name in ("QUNDA_SECRET_KEY", "QUNDA_REDIS_URL", "QUNDA_BASE_URL", "QUNDA_TIMEZONE"):
        monkeypatch.delenv(name, raising=False)
    machine = Machine(tmp_path / "old", database_url, monkeypatch)
    machine.data.mkdir(mode=0o700)
    (machine.data / "secret.key").write_text("k" * 64 + "\n")
    (machine.data / "secret.key").chmod(0o600)
    (machine.config / "channels.yaml").write_text("oa: {}\n")
    machine.use()
    return machine


_numbers = itertools.count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def new(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """An empty machine, with either database."""
    if request.param == "sqlite":
        yield Machine(tmp_path / "new", f"sqlite:///{tmp_path / 'new' / 'data' / 'qunda.db'}", monkeypatch)
        return
    server = request.getfixturevalue("postgres_url")
    name = f"qunda_restored_{os.getpid()}_{next(_numbers)}"
    _administer(server, f"CREATE DATABASE {name}")
    yield Machine(tmp_path / "new", _named(server, name), monkeypatch)
    _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path / "new", f"sqlite:///{tmp_path / 'new' / 'data' / 'qunda.db'}", monkeypatch)


@pytest.fixture
def sqlite_old(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    for name in ("QUNDA_SECRET_KEY", "QUNDA_REDIS_URL", "QUNDA_BASE_URL", "QUNDA_TIMEZONE"):
        monkeypatch.delenv(name, raising=False)
    machine = Machine(tmp_path / "old", f"sqlite:///{tmp_path / 'old' / 'data' / 'qunda.db'}", monkeypatch)
    machine.data.mkdir(mode=0o700)
    shutil.copyfile(sqlite_template, machine.data / "qunda.db")
    (machine.data / "secret.key").write_text("k" * 64 + "\n")
    (machine.data / "secret.key").chmod(0o600)
    machine.use()
    return machine


def value_for(column: Any, number: int) -> Any:
    """Something that a column of its type may hold, and that is easily spoilt on the way."""
    if isinstance(column.type, DateTime):
        return NOON
    if isinstance(column.type, JSON):
        return {"说": ['红富士 "苹果"\n', None, 1.5, True], "n": number}
    if isinstance(column.type, Boolean):
        return bool(number % 2)
    if issubclass(column.type.python_type, str):
        return f"阿{number}'\\"[: column.type.length or 20]
    return number if isinstance(column.type, Integer) else number + 0.125


def fill_every_table(url: str) -> None:
    """Three rows in each table, with references that lead somewhere; the second has nothing where it may."""
    engine = create_engine(url)
    schema = MetaData()
    with engine.begin() as connection:
        schema.reflect(connection)
        for table, number in itertools.product(schema.sorted_tables, (3, 1, 2)):
            if table.name == "alembic_version":
                continue
            row = {}
            for column in table.columns:
                if number == 2 and column.nullable:
                    continue
                own_number = column.primary_key and isinstance(column.type, Integer)
                row[column.name] = number if column.foreign_keys or own_number else value_for(column, number)
            connection.execute(insert(table), [row])
    engine.dispose()


def test_every_row_of_every_table_comes_back_on_either_database(old: Machine, new: Machine, tmp_path: Path) -> None:
    fill_every_table(old.database_url)
    before = old.contents()
    assert all(len(rows) == 3 for rows in before.values())
    assert {"inbox", "outbox", "tickets", "claims", "order_lines"} <= set(before)
    # The rows name photos that this test has not made: it is told, and the backup is taken all the same.
    assert backup(tmp_path / "b.tar.gz") == 1
    new.use()
    assert restore(tmp_path / "b.tar.gz") == 0
    restored = new.contents()
    for table, rows in before.items():
        assert as_values(restored[table]) == as_values(rows)


def as_values(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """PostgreSQL writes JSON with other blanks and in another order."""

    def value(cell: Any) -> Any:
        return json.loads(cell) if isinstance(cell, str) and cell[:1] in "{[" else cell

    return [tuple(map(value, row)) for row in rows]


def test_a_backup_under_load_holds_a_moment_and_nothing_refers_into_the_void(
    old: Machine, new: Machine, tmp_path: Path, clock
) -> None:
    store = Store(old.database_url)
    rig = Rig(store, clock, lambda turn: heard(turn.message.text))
    stored = store_media(old.data / "media", "voice", SOUND)
    written, stop, answered = threading.Event(), threading.Event(), itertools.count()

    def chatter() -> None:
        while not stop.is_set():
            number = next(answered)
            rig.say("你好", account=f"resident-{number}")
            if number > 100:
                written.set()

    threads = [threading.Thread(target=chatter) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert written.wait(60)
    with store.read() as connection:
        least = messages_in(connection).keys()
    try:
        code = backup(tmp_path / "b.tar.gz")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    with store.read() as connection:
        all_messages = messages_in(connection)
    store.close()
    assert code == 0
    new.use()
    assert restore(tmp_path / "b.tar.gz") == 0
    restored = new.read(messages_in)
    assert least <= restored.keys() <= all_messages.keys()
    assert restored.items() <= all_messages.items()
    replies = new.read(lambda connection: set(connection.scalars(select(outbox.c.inbox_id))))
    assert replies == set(restored)  # a message and its reply are one transaction
    assert stored_path(new.data / "media", stored.sha256).read_bytes() == SOUND


def messages_in(connection: Connection) -> dict[int, str]:
    return {row.id: row.dedupe_key for row in connection.execute(select(inbox.c.id, inbox.c.dedupe_key))}


def heard(words: str) -> Effects:
    return Effects(replies=(f"听到了：{words}",))


def test_the_bot_works_on_with_new_numbers_after_a_restore(old: Machine, new: Machine, tmp_path: Path, clock) -> None:
    fill_every_table(old.database_url)
    backup(tmp_path / "b.tar.gz")
    new.use()
    restore(tmp_path / "b.tar.gz")
    store = Store(new.database_url)
    Rig(store, clock, lambda turn: heard(turn.message.text)).say("还在吗")
    with store.read() as connection:
        assert connection.scalar(select(func.max(inbox.c.id))) == 4
    store.close()


def test_media_key_and_configuration_come_back_and_only_their_owner_reads_them(
    sqlite_old: Machine, sqlite_new: Machine, tmp_path: Path
) -> None:
    (sqlite_old.config / "channels.yaml").write_text("oa: {}\n")
    (sqlite_old.config / "faq").mkdir()
    (sqlite_old.config / "faq" / "自己的.yaml").write_text("[]\n")
    stored = store_media(sqlite_old.data / "media", "voice", SOUND)
    file = tmp_path / "b.tar.gz"
    assert backup(file) == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    sqlite_new.use()
    assert restore(file) == 0
    key = sqlite_new.data / "secret.key"
    assert key.read_text() == "k" * 64 + "\n"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stored_path(sqlite_new.data / "media", stored.sha256).read_bytes() == SOUND
    assert (sqlite_new.config / "channels.yaml").read_text() == "oa: {}\n"
    assert (sqlite_new.config / "faq" / "自己的.yaml").exists()
    assert [path.name for path in sqlite_new.data.iterdir() if path.name.startswith(".restore")] == []


def test_a_file_of_the_configuration_that_differs_is_left_alone_and_named(
    sqlite_old: Machine, sqlite_new: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (sqlite_old.config / "channels.yaml").write_text("oa: {}\n")
    backup(tmp_path / "b.tar.gz")
    (sqlite_new.config / "channels.yaml").write_text("mine: {}\n")
    sqlite_new.use()
    restore(tmp_path / "b.tar.gz")
    assert (sqlite_new.config / "channels.yaml").read_text() == "mine: {}\n"
    assert "left alone: config/channels.yaml" in capsys.readouterr().out


def test_a_missing_or_damaged_photo_is_told_and_does_not_stop_the_backup(
    sqlite_old: Machine, sqlite_new: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill_every_table(sqlite_old.database_url)
    gone = "a" * 64
    store = Store(sqlite_old.database_url)
    with store.write() as connection:
        connection.execute(attachments.update().values(sha256=gone))
    store.close()
    damaged = store_media(sqlite_old.data / "media", "voice", SOUND)
    stored_path(sqlite_old.data / "media", damaged.sha256).write_bytes(b"#!AMR nothing")
    assert backup(tmp_path / "b.tar.gz") == 1
    told = capsys.readouterr().out
    assert gone in told
    assert f"{damaged.sha256} is damaged" in told
    sqlite_new.use()
    assert restore(tmp_path / "b.tar.gz") == 0


def test_an_existing_file_is_never_overwritten_by_a_backup(sqlite_old: Machine, tmp_path: Path) -> None:
    (tmp_path / "b.tar.gz").write_text("precious")
    with pytest.raises(CommandRefused, match="exists already"):
        backup(tmp_path / "b.tar.gz")
    assert (tmp_path / "b.tar.gz").read_text() == "precious"


def test_a_backup_without_a_database_is_refused_and_makes_none(sqlite_old: Machine, tmp_path: Path) -> None:
    (sqlite_old.data / "qunda.db").unlink()
    with pytest.raises(CommandRefused, match="there is no database"):
        backup(tmp_path / "b.tar.gz")
    assert not (sqlite_old.data / "qunda.db").exists()


def test_a_restore_into_an_installation_with_a_database_is_refused_and_changes_nothing(
    sqlite_old: Machine, tmp_path: Path
) -> None:
    fill_every_table(sqlite_old.database_url)
    backup(tmp_path / "b.tar.gz")
    before, key = sqlite_old.contents(), (sqlite_old.data / "secret.key").read_bytes()
    with pytest.raises(CommandRefused, match="never overwrites"):
        restore(tmp_path / "b.tar.gz")
    assert sqlite_old.contents() == before
    assert (sqlite_old.data / "secret.key").read_bytes() == key


def test_a_restore_that_fails_in_the_middle_leaves_the_machine_as_it_was(
    sqlite_old: Machine, sqlite_new: Machine, tmp_path: Path
) -> None:
    fill_every_table(sqlite_old.database_url)
    store_media(sqlite_old.data / "media", "voice", SOUND)
    (sqlite_old.config / "channels.yaml").write_text("oa: {}\n")
    engine = create_engine(sqlite_old.database_url)
    with engine.begin() as connection:  # a reference into the void, as after a crash of another program
        connection.exec_driver_sql("DELETE FROM conversations WHERE id = 3")
    engine.dispose()
    backup(tmp_path / "b.tar.gz")
    sqlite_new.use()
    sqlite_new.data.mkdir()
    (sqlite_new.data / "secret.key").write_text("n" * 64)
    (sqlite_new.data / "secret.key").chmod(0o600)
    with pytest.raises(CommandRefused, match="refers to a row"):
        restore(tmp_path / "b.tar.gz")
    assert (sqlite_new.data / "secret.key").read_text() == "n" * 64
    assert list((sqlite_new.data / "media").glob("??/*")) == []
    assert not (sqlite_new.config / "channels.yaml").exists()
    assert sqlite_new.read(lambda connection: inspect(connection).get_table_names()) == []


def test_a_backup_of_an_older_schema_is_migrated_when_it_is_restored(
    sqlite_old: Machine, sqlite_new: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_every_table(sqlite_old.database_url)
    backup(tmp_path / "b.tar.gz")
    newer = tmp_path / "migrations"
    shutil.copytree(Path("migrations"), newer)
    newest = max(file.stem.split("_")[0] for file in (newer / "versions").glob("0*.py"))
    (newer / "versions" / "9999_newer.py").write_text(NEWER.format(newest=newest))
    monkeypatch.setattr("bot.storage.migrate.MIGRATIONS", newer)
    monkeypatch.setattr("bot.storage.migrate.bring_to.__kwdefaults__", {"migrations": newer})
    sqlite_new.use()
    restore(tmp_path / "b.tar.gz")
    assert sqlite_new.read(lambda connection: connection.scalar(text("SELECT count(*) FROM inbox WHERE mark = 7"))) == 3


NEWER = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{newest}"


def upgrade():
    op.add_column("inbox", sa.Column("mark", sa.Integer, nullable=False, server_default="7"))
"""

# --- backups that somebody else had in hands

Spoil = Callable[[dict[str, bytes]], None]


def spoilt(file: Path, target: Path, spoil: Spoil) -> None:
    """Writes the backup again with other content below the old names, manifest included."""
    with tarfile.open(file) as archive:
        content = {entry.name: archive.extractfile(entry).read() for entry in archive}  # type: ignore[union-attr]
    spoil(content)
    with tarfile.open(target, "w:gz") as archive:
        for name, data in content.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))


def mend_manifest(content: dict[str, bytes], change: Callable[[dict[str, Any]], None]) -> None:
    fields = json.loads(content["manifest.json"])
    change(fields)
    content["manifest.json"] = json.dumps(fields).encode()


def another_row(content: dict[str, bytes]) -> None:
    content["tables/jobs.jsonl"] += b"[]\n"


def another_byte(content: dict[str, bytes]) -> None:
    content["secret.key"] = b"j" + content["secret.key"][1:]


def without_a_table(content: dict[str, bytes]) -> None:
    del content["tables/jobs.jsonl"]


def stranger(content: dict[str, bytes]) -> None:
    content["tables/strange.jsonl"] = b"[]\n"


def named(name: str, size: int | None = None) -> Spoil:
    def spoil(content: dict[str, bytes]) -> None:
        data = b"evil"
        member = {"size": size or len(data), "sha256": hashlib.sha256(data).hexdigest()}
        mend_manifest(content, lambda fields: fields["members"].update({name: member}))
        content[name] = data

    return spoil


def from_the_future(content: dict[str, bytes]) -> None:
    mend_manifest(content, lambda fields: fields.update(revision="9999", qunda="9.9"))


def of_a_newer_form(content: dict[str, bytes]) -> None:
    mend_manifest(content, lambda fields: fields.update(format=2, qunda="9.9"))


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (another_row, "is not what the manifest says"),
        (another_byte, "damaged"),
        (without_a_table, "lacks tables/jobs.jsonl"),
        (stranger, "does not name"),
        (named("../../evil"), "no part of a backup"),
        (named("/etc/evil"), "no part of a backup"),
        (named("config/../../evil.yaml"), "no part of a backup"),
        (named("config/.hidden.yaml"), "no part of a backup"),
        (named("media/" + "0" * 64), "another file than its name says"),
        (named("secret.key", size=6_000_000), "larger than it may be"),
        (named("config/big.yaml", size=10**15), "larger than it may be"),
        (named("tables/big.jsonl", size=10**15), "are free"),
        (from_the_future, "git pull"),
        (of_a_newer_form, "git pull"),
        (lambda content: content.update({"manifest.json": b"[]"}), "cannot be read"),
    ],
)
def test_a_spoilt_backup_is_refused_before_anything_is_touched(
    sqlite_old: Machine, sqlite_new: Machine, tmp_path: Path, spoil: Spoil, told: str
) -> None:
    backup(tmp_path / "b.tar.gz")
    spoilt(tmp_path / "b.tar.gz", tmp_path / "spoilt.tar.gz", spoil)
    sqlite_new.use()
    with pytest.raises(CommandRefused, match=told):
        restore(tmp_path / "spoilt.tar.gz")
    assert not (sqlite_new.data / "qunda.db").exists()
    assert sorted(path.name for path in tmp_path.rglob("*evil*")) == []


def test_links_and_sparse_files_in_a_backup_are_refused(
    sqlite_old: Machine, sqlite_new: Machine, tmp_path: Path
) -> None:
    backup(tmp_path / "b.tar.gz")
    with tarfile.open(tmp_path / "b.tar.gz") as archive:
        manifest = archive.extractfile("manifest.json").read()  # type: ignore[union-attr]
    link = tarfile.TarInfo("secret.key")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with tarfile.open(tmp_path / "linked.tar.gz", "w:gz") as archive:
        entry = tarfile.TarInfo("manifest.json")
        entry.size = len(manifest)
        archive.addfile(entry, io.BytesIO(manifest))
        archive.addfile(link)
    sqlite_new.use()
    with pytest.raises(CommandRefused, match="is not what the manifest says"):
        restore(tmp_path / "linked.tar.gz")


@pytest.mark.parametrize("cut", [0, 10, 300, 1000])
def test_half_a_file_and_no_file_are_told_in_words(
    sqlite_old: Machine, sqlite_new: Machine, tmp_path: Path, cut: int
) -> None:
    backup(tmp_path / "b.tar.gz")
    half = tmp_path / "half.tar.gz"
    half.write_bytes((tmp_path / "b.tar.gz").read_bytes()[:cut])
    sqlite_new.use()
    with pytest.raises(CommandRefused, match="To mend it"):
        restore(half)
    with pytest.raises(CommandRefused, match="there is no file"):
        restore(tmp_path / "nothing.tar.gz")


def test_a_manifest_is_read_as_it_was_written() -> None:
    manifest = Manifest(1, "0.1.0", NOON.isoformat(), "sqlite", "0001", {"inbox": 1}, {"env": Member(1, "a" * 64)})
    assert Manifest.from_bytes(manifest.to_bytes()) == manifest
    assert replace(manifest, revision="0002") != manifest
