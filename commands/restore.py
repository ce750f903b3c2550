"""``./qunda restore FILE``: a backup into an empty installation, wholly or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, make_url
from sqlalchemy.exc import SQLAlchemyError

from bot.errors import BotError
from bot.media import stored_path
from bot.storage.migrate import bring_to, is_known, migrating, newest_revision
from bot.storage.rows import UnfitRows, is_empty, load_rows, settle, tables_of
from commands.archive import ENV, KEY, LARGEST_MANIFEST, MANIFEST, SPOILT, Manifest, Member, table_member
from commands.errors import CommandRefused
from commands.preflight import only_one
from config.settings import Settings

_STAGE = ".restore-"
_CHUNK = 1024 * 1024
_SPARE = 200 * 1024 * 1024  # bytes that stay free on the disk


def restore(file: Path) -> int:
    """Checks the whole backup first, then puts it in place; returns 0.

    Raises CommandRefused when the backup is damaged or newer than this version, or when the installation is not
    empty; then nothing has changed.
    """
    settings = Settings.load(os.environ, make_secret=True)
    with only_one(settings.data_dir), _staging(settings.data_dir) as stage:
        manifest = _unpack(file, stage)
        _check_version(manifest)
        placement = _Placement(stage)
        try:
            with migrating(settings.database_url) as connection:
                _check_empty(connection, settings)
                _load(connection, manifest, stage)
                left_alone = _place_files(placement, manifest, settings)
        except BaseException as error:
            placement.undo()
            if isinstance(error, SQLAlchemyError | BotError | OSError):
                raise _failed(error) from None
            raise
    _tell(file, manifest, left_alone, settings)
    return 0


@contextmanager
def _staging(data_dir: Path) -> Iterator[Path]:
    """A folder beside where the files will lie, so that putting one in place is a rename."""
    for left in data_dir.glob(f"{_STAGE}*"):  # by a restore that was killed; nobody else is at work here
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=_STAGE, dir=data_dir) as folder:
        yield Path(folder)


def _unpack(file: Path, stage: Path) -> Manifest:
    """Writes every member below ``stage`` and returns the manifest, all of it checked against the other."""
    try:
        with tarfile.open(file, "r|gz") as archive:
            manifest = _read_manifest(archive)
            _check_space(manifest, stage)
            seen = set[str]()
            while (entry := archive.next()) is not None:
                member = manifest.check_name(entry.name)
                if not _is_plain(entry) or entry.size != member.size or entry.name in seen:
                    raise CommandRefused(f"{entry.name} in the backup is not what the manifest says", SPOILT)
                seen.add(entry.name)
                _unpack_one(archive, entry, member, stage)
    except FileNotFoundError:
        raise CommandRefused(f"there is no file {file}", "name the file that ./qunda backup has written") from None
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise CommandRefused(f"{file} cannot be read as a backup ({error})", SPOILT) from None
    except OSError as error:
        raise CommandRefused(f"{file} cannot be unpacked ({error.strerror or error})", SPOILT) from None
    if missing := sorted(set(manifest.members) - seen):
        raise CommandRefused(f"the backup lacks {missing[0]}, which its manifest names", SPOILT)
    return manifest


def _read_manifest(archive: tarfile.TarFile) -> Manifest:
    entry = archive.next()
    if entry is None or entry.name != MANIFEST or not _is_plain(entry) or entry.size > LARGEST_MANIFEST:
        raise CommandRefused("the file does not begin with a manifest", SPOILT)
    source = archive.extractfile(entry)
    assert source is not None, "a regular file has content"
    return Manifest.from_bytes(source.read())


def _is_plain(entry: tarfile.TarInfo) -> bool:
    """No link, no device, and no sparse file, whose size says nothing about its length."""
    return entry.type == tarfile.REGTYPE and not entry.issparse()


def _unpack_one(archive: tarfile.TarFile, entry: tarfile.TarInfo, member: Member, stage: Path) -> None:
    """The name is one of the manifest's, which were held against the forms that a backup has."""
    target = stage / entry.name
    target.parent.mkdir(parents=True, exist_ok=True)
    source, digest = archive.extractfile(entry), hashlib.sha256()
    assert source is not None, "a regular file has content"
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    if digest.hexdigest() != member.sha256:
        raise CommandRefused(f"the content of {entry.name} in the backup is damaged", SPOILT)


def _check_space(manifest: Manifest, stage: Path) -> None:
    needed = sum(member.size for member in manifest.members.values()) * 2 + _SPARE
    free = shutil.disk_usage(stage).free
    if needed > free:
        raise CommandRefused(
            f"the backup needs {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free",
            "make space, or name a data dir on a larger disk (QUNDA_DATA_DIR)",
        )


def _check_version(manifest: Manifest) -> None:
    if not is_known(manifest.revision):
        raise CommandRefused(
            f"the backup's schema is {manifest.revision}, made by Qunda {manifest.qunda}; "
            f"this version knows schemas up to {newest_revision()}",
            "bring this installation up to date (git pull), then restore again",
        )


def _check_empty(connection: Connection, settings: Settings) -> None:
    if is_empty(connection):
        return
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite":
        remedy = "restore into an empty folder (QUNDA_DATA_DIR=/path/to/new), or move that database away"
    else:
        remedy = "make an empty database (createdb NAME) and name it in QUNDA_DATABASE_URL"
    raise CommandRefused(f"the database {url.database} is not empty, and a restore never overwrites", remedy)


def _load(connection: Connection, manifest: Manifest, stage: Path) -> None:
    bring_to(connection, manifest.revision)
    tables = tables_of(connection)
    if {table.name for table in tables} != set(manifest.rows):
        raise UnfitRows("the backup's tables are not those of its schema")
    for table in tables:
        with (stage / table_member(table.name)).open("rb") as lines:
            count = load_rows(connection, table, lines)
        if count != manifest.rows[table.name]:
            raise UnfitRows(f"{table.name} has {count} rows, and the manifest says {manifest.rows[table.name]}")
    settle(connection, tables)
    bring_to(connection, "head")


class _Placement:
    """Puts files in place, and takes them back when the restore fails after all."""

    def __init__(self, stage: Path) -> None:
        self._stage = stage
        self._undo: list[Callable[[], object]] = []

    def move(self, member: str, target: Path) -> None:
        """Replaces what is there; the old file comes back with ``undo``."""
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if target.exists():
            kept = self._stage / f"kept-{len(self._undo)}"
            shutil.copy2(target, kept)
            self._undo.append(lambda: os.replace(kept, target))
        else:
            self._undo.append(lambda: target.unlink(missing_ok=True))
        try:
            os.replace(self._stage / member, target)
        except OSError:  # another file system
            shutil.copy2(self._stage / member, target)

    def undo(self) -> None:
        while self._undo:
            self._undo.pop()()


def _place_files(placement: _Placement, manifest: Manifest, settings: Settings) -> list[str]:
    """Media and key always; of the configuration what is not there yet. Returns the names that were left alone."""
    left_alone = []
    for name in manifest.members:
        folder, _, rest = name.partition("/")
        if folder == "media":
            placement.move(name, stored_path(settings.data_dir / "media", rest))
        elif name == KEY:
            placement.move(name, settings.data_dir / "secret.key")
        elif folder == "config" or name == ENV:
            target = settings.config_dir / rest if folder == "config" else settings.shipped_dir.parent / ".env"
            if not target.exists():
                placement.move(name, target)
            elif hashlib.sha256(target.read_bytes()).hexdigest() != manifest.members[name].sha256:
                left_alone.append(name)
    return left_alone


def _failed(error: SQLAlchemyError | BotError | OSError) -> CommandRefused:
    told = str(error) if isinstance(error, BotError) else type(error).__name__
    if isinstance(error, OSError):
        told = error.strerror or told
    return CommandRefused(f"the backup cannot be put in place: {told}", "nothing was changed; see ./qunda doctor")


def _names_key(settings: Settings) -> bool:
    return bool(settings.environ.get("QUNDA_SECRET_KEY", "").strip())


def _tell(file: Path, manifest: Manifest, left_alone: list[str], settings: Settings) -> None:
    print(
        f"Restored the backup of {manifest.taken_at} (Qunda {manifest.qunda}, {manifest.database}): "
        f"{sum(manifest.rows.values())} rows of {len(manifest.rows)} tables, "
        f"{sum(name.startswith('media/') for name in manifest.members)} photos and voice messages."
    )
    if left_alone:
        print(
            f"These files were there already, differ, and were left alone: {', '.join(left_alone)}\n"
            f"  To have one of them as it was: tar -xzf '{file}' {left_alone[0]}"
        )
    if settings.secret_key != (settings.data_dir / "secret.key").read_bytes().strip() and _names_key(settings):
        print("QUNDA_SECRET_KEY is set, counts before the restored key and differs from it: unset it.")
    print("Next: ./qunda doctor, then start Qunda.")
