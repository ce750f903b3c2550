"""The form of a backup: one tar.gz, its manifest first, then the rows of each table, the key, files and media."""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bot.media import MAX_BYTES
from commands.errors import CommandRefused

FORMAT = 1
MANIFEST = "manifest.json"
KEY = "secret.key"
ENV = "env"
LARGEST_MANIFEST = 256 * 1024 * 1024
LARGEST_SMALL_FILE = 5 * 1024 * 1024

_TABLE = re.compile(r"tables/[a-z][a-z0-9_]*\.jsonl")
_MEDIA = re.compile(r"media/[0-9a-f]{64}")
_CONFIG = re.compile(r"config/(?:\w[\w.-]*/){0,2}\w[\w.-]*\.ya?ml")
_DIGEST = re.compile(r"[0-9a-f]{64}")

SPOILT = "take another backup; this file was damaged, or is not a backup of Qunda"


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the backup: its length in bytes and the hash of its content."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the backup says of itself. ``revision`` is the database's schema, ``rows`` counts them by table."""

    format: int
    qunda: str
    taken_at: str
    database: str
    revision: str
    rows: Mapping[str, int]
    members: Mapping[str, Member]

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self), ensure_ascii=False, indent=1).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Manifest:
        """Raises CommandRefused for what is no manifest, or that of a newer form."""
        try:
            fields = json.loads(content)
            if fields["format"] > FORMAT:
                raise CommandRefused(
                    f"the backup was made by Qunda {fields['qunda']}, which is newer",
                    "bring this installation up to date (git pull), then restore again",
                )
            members = {str(name): _member(str(name), member) for name, member in fields.pop("members").items()}
            return cls(members=members, **fields)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise CommandRefused("the backup's manifest cannot be read", SPOILT) from None

    def check_name(self, name: str) -> Member:
        """What the manifest says of a member. Raises CommandRefused for one that it does not know."""
        if name not in self.members:
            raise CommandRefused(f"the backup holds {name!r}, which its manifest does not name", SPOILT)
        return self.members[name]


def table_member(table: str) -> str:
    return f"tables/{table}.jsonl"


def media_member(sha256: str) -> str:
    return f"media/{sha256}"


def config_member(relative: Path) -> str | None:
    """The name of a configuration file in the backup; None for one that can have none."""
    name = f"config/{relative.as_posix()}"
    return name if _CONFIG.fullmatch(name) else None


def hashed(path: Path) -> Member:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Member(path.stat().st_size, digest)


def tar_entry(name: str, size: int, at: float) -> tarfile.TarInfo:
    """A plain file that only its owner may read. ``at``: seconds since 1970."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o600, int(at)
    return entry


def _member(name: str, fields: Mapping[str, Any]) -> Member:
    """A name is believed only in one of the forms that a backup has, so no member can land anywhere else."""
    member = Member(**fields)
    known = name in (KEY, ENV) or any(form.fullmatch(name) for form in (_TABLE, _MEDIA, _CONFIG))
    if not known or not isinstance(member.size, int) or member.size < 0 or not _DIGEST.fullmatch(member.sha256):
        raise CommandRefused(f"the backup names {name!r}, which is no part of a backup", SPOILT)
    if member.size > _limit(name):
        raise CommandRefused(f"{name} in the backup is larger than it may be", SPOILT)
    if name.startswith("media/") and name != media_member(member.sha256):
        raise CommandRefused(f"{name} in the backup is another file than its name says", SPOILT)
    return member


def _limit(name: str) -> float:
    if name.startswith("tables/"):
        return float("inf")  # the free space on the disk is the limit
    return MAX_BYTES if name.startswith("media/") else LARGEST_SMALL_FILE
