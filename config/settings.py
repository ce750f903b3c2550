"""One frozen object with what the processes need to know about their surroundings."""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv.parser import parse_stream

from config.errors import ConfigError

ROOT = Path(__file__).resolve().parent.parent

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
SHORTEST_SECRET = 16

VARIABLES = (
    "QUNDA_CONFIG_DIR",
    "QUNDA_DATA_DIR",
    "QUNDA_DATABASE_URL",
    "QUNDA_REDIS_URL",
    "QUNDA_SECRET_KEY",
    "QUNDA_BASE_URL",
    "QUNDA_TIMEZONE",
    "QUNDA_LOG_LEVEL",
    "QUNDA_PLAYGROUND_URL",
    "QUNDA_INSPECTION_TOKEN",
)
OF_TOOLS = ("QUNDA_TEST_DATABASE_URL", "QUNDA_CALLED_FROM")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are, and the installation's key.

    ``environ`` is the process environment over ``.env``, for ``${VAR}`` in configuration files; it holds secrets,
    as do the two URLs, so none of them is in the repr. ``redis_url`` is None when no server is named.
    ``playground_url`` and ``inspection_token`` are set by ``up`` for the processes that the playground talks to.
    """

    config_dir: Path
    data_dir: Path
    database_url: str = field(repr=False)
    redis_url: str | None = field(repr=False)
    secret_key: bytes = field(repr=False)
    base_url: str
    timezone: ZoneInfo
    log_level: str
    environ: Mapping[str, str] = field(repr=False)
    shipped_dir: Path
    playground_url: str | None = None
    inspection_token: str | None = field(default=None, repr=False)

    @classmethod
    def load(cls, environ: Mapping[str, str], *, root: Path = ROOT, make_secret: bool) -> Settings:
        """Reads ``.env`` in ``root`` under the given environment, checks every variable and makes the data dir.

        ``make_secret``: make the installation's key when there is none yet; without it a missing key is an error.
        Raises ConfigError naming the variable, the problem and the remedy; never a secret value.
        """
        merged = {**_read_env_file(root / ".env"), **environ}
        _refuse_misspelt_names(merged)
        given = {name: merged[name].strip() for name in VARIABLES if merged.get(name, "").strip()}
        data_dir = _made(_folder(root, given.get("QUNDA_DATA_DIR", "var")))
        return cls(
            config_dir=_existing(_folder(root, given.get("QUNDA_CONFIG_DIR", "config"))),
            data_dir=data_dir,
            database_url=_database_url(given.get("QUNDA_DATABASE_URL"), data_dir),
            redis_url=_redis_url(given.get("QUNDA_REDIS_URL")),
            secret_key=_secret_key(given.get("QUNDA_SECRET_KEY"), data_dir, make_secret),
            base_url=_base_url(given.get("QUNDA_BASE_URL", "http://127.0.0.1:8000")),
            timezone=_timezone(given.get("QUNDA_TIMEZONE", "Asia/Shanghai")),
            log_level=_log_level(given.get("QUNDA_LOG_LEVEL", "INFO")),
            environ=merged,
            shipped_dir=root / "config",
            playground_url=_playground_url(given.get("QUNDA_PLAYGROUND_URL")),
            inspection_token=given.get("QUNDA_INSPECTION_TOKEN"),
        )

    def file(self, name: str) -> Path:
        """The operator's own file of that name when there is one, else the shipped file (which may be missing)."""
        own = self.config_dir / name
        return own if own.exists() else self.shipped_dir / name

    def files(self, folder: str) -> list[Path]:
        """The YAML files of a folder, sorted by name; the operator's own folder replaces the shipped one whole.

        Hidden files do not count: editors and Macs leave them beside the real ones.
        """
        own = self.config_dir / folder
        chosen = own if own.is_dir() else self.shipped_dir / folder
        shown = (file for file in chosen.glob("*") if not file.name.startswith("."))
        return sorted(file for file in shown if file.suffix in (".yaml", ".yml") and file.is_file())


def web_address(value: str) -> SplitResult | None:
    """The parts of an http or https address; None when it is none."""
    try:
        parts = urlsplit(value)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if sound else None


def _read_env_file(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        with path.open(encoding="utf-8-sig") as stream:
            bindings = list(parse_stream(stream))
    except (OSError, UnicodeDecodeError):
        raise ConfigError("the file cannot be read", "make it a readable file in UTF-8", file=path) from None
    for binding in bindings:
        if binding.error or (binding.key is not None and binding.value is None):
            # The parser counts blank lines above a binding as part of it.
            blank = len(binding.original.string) - len(binding.original.string.lstrip("\r\n"))
            line = binding.original.line + blank
            raise ConfigError("this line is not an assignment", "write NAME=value", file=path, line=line)
    return {binding.key: binding.value or "" for binding in bindings if binding.key is not None}


def _refuse_misspelt_names(environ: Mapping[str, str]) -> None:
    """A near miss is a slip that would quietly leave the default in place; other QUNDA_ names are the operator's."""
    for name in environ:
        if not name.startswith("QUNDA_") or name in VARIABLES or name in OF_TOOLS:
            continue
        if near := get_close_matches(name, VARIABLES, n=1, cutoff=0.9):
            raise ConfigError(f"{name} is not a variable of Qunda", f"did you mean {near[0]}?")


def _folder(root: Path, value: str) -> Path:
    return (root / Path(value).expanduser()).resolve()


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise ConfigError(
            f"QUNDA_CONFIG_DIR names {folder}, which is not a folder", "make the folder, or unset the variable"
        )
    return folder


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"QUNDA_DATA_DIR: the folder {folder} cannot be made ({error.strerror})",
            "name a folder that this user may write to",
        ) from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(f"QUNDA_DATA_DIR: {folder} cannot be written to", "name a folder that this user may write to")
    return folder


def _database_url(value: str | None, data_dir: Path) -> str:
    if value is None:
        return f"sqlite:///{data_dir / 'qunda.db'}"
    if re.match(r"sqlite:///[^?]", value) and ":memory:" not in value:
        return value
    if value.startswith("postgresql+psycopg://"):
        return value
    raise ConfigError(
        "QUNDA_DATABASE_URL is not a database that Qunda works with",
        "write postgresql+psycopg://user:password@host/name or sqlite:////path/to/file.db, or unset it",
    )


def _redis_url(value: str | None) -> str | None:
    if value is None or value.split("://")[0] in ("redis", "rediss", "unix"):
        return value
    raise ConfigError(
        "QUNDA_REDIS_URL is not the address of a Redis or Valkey server",
        "write redis://host:6379/0, rediss://… or unix:///path/to/socket, or unset it and use ./qunda up",
    )


def _base_url(value: str) -> str:
    parts = web_address(value)
    if parts is None or parts.query or parts.fragment:
        raise ConfigError("QUNDA_BASE_URL is not a web address", "write it like https://bot.example.com")
    return value.rstrip("/")


def _playground_url(value: str | None) -> str | None:
    if value is None or web_address(value) is not None:
        return value
    raise ConfigError("QUNDA_PLAYGROUND_URL is not a web address", "unset it; ./qunda up sets it itself")


def _timezone(value: str) -> ZoneInfo:
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(
            f"QUNDA_TIMEZONE: there is no time zone called {value!r}", "write a name such as Asia/Shanghai"
        ) from None


def _log_level(value: str) -> str:
    if value.upper() not in LOG_LEVELS:
        raise ConfigError(
            f"QUNDA_LOG_LEVEL: there is no level called {value!r}", f"write one of {', '.join(LOG_LEVELS)}"
        )
    return value.upper()


def _secret_key(value: str | None, data_dir: Path, make_secret: bool) -> bytes:
    if value is not None:
        return _checked_key(value.encode(), "QUNDA_SECRET_KEY", None)
    file = data_dir / "secret.key"
    if make_secret and not file.exists():
        _make_key(file)
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
        key = file.read_bytes().strip()
    except FileNotFoundError:
        raise ConfigError(
            f"there is no secret key: QUNDA_SECRET_KEY is unset and {file} is missing",
            "run ./qunda migrate once, which makes the file, or set QUNDA_SECRET_KEY to the key of the other machines",
        ) from None
    except OSError as error:
        raise ConfigError(
            f"the secret key cannot be read ({error.strerror})", "give the file to the user Qunda runs as", file=file
        ) from None
    if mode & 0o077:
        raise ConfigError("other users can read the secret key", f"chmod 600 '{file}'", file=file)
    return _checked_key(key, "the secret key", file)


def _checked_key(key: bytes, what: str, file: Path | None) -> bytes:
    if len(key) < SHORTEST_SECRET:
        raise ConfigError(
            f"{what} is shorter than {SHORTEST_SECRET} characters",
            "write a long random text, such as python3 -c 'import secrets; print(secrets.token_hex(32))' prints",
            file=file,
        )
    return key


def _make_key(file: Path) -> None:
    """Writes beside the file and links it into place: two first commands at once agree on one whole key."""
    draft = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_hex(32) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        os.link(draft, file)
    except FileExistsError:
        return
    finally:
        draft.unlink(missing_ok=True)
