"""``./qunda backup FILE``: everything that cannot be had again, in one file, while the bot goes on working."""

from __future__ import annotations

import io
import os
import re
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from dotenv.parser import parse_stream
from sqlalchemy import Connection, Table, make_url, select
from sqlalchemy.exc import SQLAlchemyError

from bot.media import stored_path
from bot.storage.migrate import revision_of
from bot.storage.rows import snapshot, tables_of, write_rows
from commands.archive import (
    ENV,
    FORMAT,
    KEY,
    LARGEST_SMALL_FILE,
    MANIFEST,
    Manifest,
    Member,
    config_member,
    hashed,
    media_member,
    table_member,
    tar_entry,
)
from commands.errors import CommandRefused
from config.settings import ROOT, Settings

# Where things lie on one machine says nothing about another; the key is kept as a member of its own.
OF_THIS_MACHINE = (
    "QUNDA_CONFIG_DIR",
    "QUNDA_DATA_DIR",
    "QUNDA_DATABASE_URL",
    "QUNDA_REDIS_URL",
    "QUNDA_SECRET_KEY",
)
_MEDIA_FILE = re.compile(r"[0-9a-f]{64}")
_COMPRESSION = 3


@dataclass(slots=True)
class _Parts:
    """What goes into the archive: where each member's content lies, and what was found on the way."""

    files: dict[str, Path] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    revision: str = ""
    problems: list[str] = field(default_factory=list)

    def add(self, name: str, path: Path) -> None:
        self.files[name], self.members[name] = path, hashed(path)


def backup(file: Path) -> int:
    """Writes a backup. Returns 0, or 1 when something could not go in, which is told.

    Raises CommandRefused when it cannot be taken; then there is no file.
    """
    settings = Settings.load(os.environ, make_secret=False)
    if file.exists():
        raise CommandRefused(f"{file} exists already", "name another file, or take that one away first")
    try:
        with tempfile.TemporaryDirectory(prefix=".qunda-backup-", dir=file.parent) as folder:
            parts = _collect(settings, Path(folder))
            manifest = _manifest(settings, parts)
            draft = Path(folder) / "draft"
            _write(draft, manifest, parts)
            os.replace(draft, file)
    except OSError as error:
        remedy = "name a file in a folder that exists, that this user may write to, and that has space"
        raise CommandRefused(f"the backup cannot be written ({error.strerror})", remedy) from None
    _tell(file, manifest, parts)
    return 1 if parts.problems else 0


def _collect(settings: Settings, folder: Path) -> _Parts:
    parts = _Parts()
    with _reading(settings) as connection:
        revision = revision_of(connection)
        if revision is None:
            raise CommandRefused("there is nothing in the database yet", "run ./qunda up or ./qunda migrate first")
        parts.revision = revision
        tables = tables_of(connection)
        for table in tables:
            path = folder / f"{table.name}.jsonl"
            with path.open("wb") as out:
                parts.rows[table.name] = write_rows(connection, table, out)
            parts.add(table_member(table.name), path)
        known = _known_media(connection, tables)
    # A file is written before the row that names it is committed, so all that the snapshot names are there by now.
    _add_media(parts, settings.data_dir / "media", known)
    _add_configuration(parts, settings, folder)
    return parts


@contextmanager
def _reading(settings: Settings) -> Iterator[Connection]:
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        raise CommandRefused(f"there is no database {url.database}", "run ./qunda up or ./qunda migrate first")
    try:
        with snapshot(settings.database_url) as connection:
            yield connection
    except SQLAlchemyError as error:
        remedy = "see ./qunda doctor, and take the backup again"
        raise CommandRefused(f"the database cannot be read ({type(error).__name__})", remedy) from None


def _known_media(connection: Connection, tables: list[Table]) -> set[str]:
    attachments = next(table for table in tables if table.name == "attachments")
    return set(connection.scalars(select(attachments.c.sha256).where(attachments.c.sha256.is_not(None)).distinct()))


def _add_media(parts: _Parts, media_dir: Path, known: set[str]) -> None:
    names = {path.name for path in media_dir.glob("??/*") if _MEDIA_FILE.fullmatch(path.name)}
    for name in sorted(names | known):
        path = stored_path(media_dir, name)
        try:
            member = hashed(path)
        except FileNotFoundError:
            parts.problems.append(f"the file {name} is in the database and not in {media_dir}")
            continue
        if member.sha256 != name:
            parts.problems.append(f"{path} is damaged and was left out")
            continue
        parts.files[media_member(name)], parts.members[media_member(name)] = path, member


def _add_configuration(parts: _Parts, settings: Settings, folder: Path) -> None:
    for path in sorted(settings.config_dir.rglob("*.y*ml")):
        if not path.is_file() or ".example." in path.name:
            continue
        name = config_member(path.relative_to(settings.config_dir))
        if name is None or path.stat().st_size > LARGEST_SMALL_FILE:
            parts.problems.append(f"{path} was left out: its name or its size is unusual")
        else:
            parts.add(name, path)
    key = folder / KEY
    key.write_bytes(settings.secret_key + b"\n")
    parts.add(KEY, key)
    own_env = settings.shipped_dir.parent / ".env"
    if own_env.exists():
        env = folder / ENV
        env.write_text(_portable_env(own_env), encoding="utf-8")
        parts.add(ENV, env)


def _portable_env(path: Path) -> str:
    with path.open(encoding="utf-8-sig") as stream:
        kept = [binding.original.string for binding in parse_stream(stream) if binding.key not in OF_THIS_MACHINE]
    return "".join(kept)


def _manifest(settings: Settings, parts: _Parts) -> Manifest:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return Manifest(
        format=FORMAT,
        qunda=project["version"],
        taken_at=datetime.now(UTC).isoformat(timespec="seconds"),
        database=make_url(settings.database_url).get_backend_name(),
        revision=parts.revision,
        rows=parts.rows,
        members=parts.members,
    )


def _write(draft: Path, manifest: Manifest, parts: _Parts) -> None:
    content, at = manifest.to_bytes(), datetime.fromisoformat(manifest.taken_at).timestamp()
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        with _archive(stream) as archive:
            archive.addfile(tar_entry(MANIFEST, len(content), at), io.BytesIO(content))
            for name, path in parts.files.items():
                with path.open("rb") as source:
                    archive.addfile(tar_entry(name, manifest.members[name].size, at), source)
        stream.flush()
        os.fsync(stream.fileno())


def _archive(stream: IO[bytes]) -> tarfile.TarFile:
    return tarfile.open(fileobj=stream, mode="w:gz", compresslevel=_COMPRESSION, format=tarfile.GNU_FORMAT)


def _tell(file: Path, manifest: Manifest, parts: _Parts) -> None:
    media = sum(name.startswith("media/") for name in manifest.members)
    print(
        f"{file}: {sum(manifest.rows.values())} rows of {len(manifest.rows)} tables, {media} photos and voice "
        f"messages, the key and the configuration; {file.stat().st_size / 1e6:.1f} MB."
    )
    print("It holds secrets and personal data: keep it on another machine, where nobody else can read it.")
    for problem in parts.problems:
        print(f"warning: {problem}")
