"""``./qunda doctor``: looks at everything an installation needs, goes on after each mistake, and says what to mend."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import redis
from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from bot.channels.examination import Examinable, Finding, Level, examine_callback
from bot.clock import SystemClock
from bot.embedded_valkey import EmbeddedValkey
from bot.redis_connection import connect
from bot.storage.migrate import is_known, newest_revision, revision_of
from compose import open_channel
from config.channels import ChannelConfig, WecomAppConfig, load_channels
from config.errors import ConfigError
from config.settings import ROOT, VARIABLES, Settings
from config.texts import Texts
from config.yaml_file import read_yaml
from faq.embedding import SentenceModel
from shop.directory import Directory
from shop.policy import Policy
from understanding.loading import load_reader, sentence_model_folder

LITTLE_SPACE, NO_SPACE = 1024**3, 100 * 1024**2
"""Bytes free in the data dir at which a warning is given, and at which it is a failure."""
WEB_PORTS = (None, 80, 443)
"""The ports that the platforms call; None is the scheme's own."""
_DATABASE_WITHIN = 5  # seconds
_MARKS: Mapping[Level, str] = {"ok": "ok  ", "warn": "warn", "fail": "fail", "unknown": "?   "}
_VARIABLE = re.compile(r"QUNDA_[A-Z_]+")

Told = tuple[str, Finding]
Check = Callable[[], Iterable[Finding]]


def run() -> int:
    """Prints one line for each thing looked at. Returns 1 when anything failed, else 0."""
    counts = dict.fromkeys(_MARKS, 0)
    for part, finding in look_at_everything(os.environ):
        counts[finding.level] += 1
        remedy = f" → {finding.remedy}" if finding.remedy else ""
        print(f"{_MARKS[finding.level]}  {part}: {finding.what}{remedy}", flush=True)
    print(
        f"{counts['ok']} in order, {counts['warn']} to look at, {counts['fail']} to mend, {counts['unknown']} unknown."
    )
    return 1 if counts["fail"] else 0


def look_at_everything(environ: Mapping[str, str], root: Path = ROOT) -> Iterator[Told]:
    """The parts of an installation with what was found, in the order in which they are best mended."""
    settings, wrong = read_settings(environ, root)
    yield from (("settings", finding) for finding in wrong)
    if settings is None:
        yield "settings", Finding("unknown", "everything else is looked at once this is mended")
        return
    if not wrong:
        yield "settings", Finding("ok", f"configuration in {settings.config_dir}, data in {settings.data_dir}")
    for part, check in parts_of(settings, root):
        yield from ((part, finding) for finding in guarded(check))


def parts_of(settings: Settings, root: Path) -> Iterator[tuple[str, Check]]:
    """What there is to look at once the settings are read; nothing is looked at before the check is called."""
    configs = _configured(settings)
    yield "secrets", lambda: _secret_files(settings, root)
    yield "database", lambda: _database(settings)
    yield "disk", lambda: _disk(settings)
    yield "redis", lambda: _redis(settings)
    yield "texts", lambda: _texts(settings)
    yield "knowledge", lambda: _knowledge(settings)
    yield "policy", lambda: _policy(settings)
    yield "channels", lambda: _channels(settings)
    yield "people", lambda: _people(settings, configs)
    yield "address", lambda: _address(settings, configs)
    for config in configs:
        yield f"channel {config.name}", partial(_channel, settings, config)


def guarded(check: Check) -> Iterator[Finding]:
    """A check that breaks off is a finding, too: the others are still worth knowing."""
    try:
        yield from check()
    except ConfigError as error:
        yield _of(error)
    except Exception as error:
        # The error's own words may hold what was being read; its type says enough to look for it.
        yield Finding(
            "fail", f"looking at it broke off ({type(error).__name__})", "look at the file or server it is about"
        )


def _of(error: ConfigError) -> Finding:
    where = f"{error.file}:{error.line}: " if error.file and error.line else f"{error.file}: " if error.file else ""
    return Finding("fail", f"{where}{error.problem}", error.remedy)


def read_settings(environ: Mapping[str, str], root: Path) -> tuple[Settings | None, list[Finding]]:
    """The settings with every mistake in them; a wrong variable is set aside to find the next."""
    tried, wrong = dict(environ), list[Finding]()
    set_aside = set[str]()
    while True:
        try:
            return Settings.load(tried, root=root, make_secret=False), wrong
        except ConfigError as error:
            wrong.append(_of(error))
            of_key = (error.file or "").endswith("secret.key") or "QUNDA_SECRET_KEY" in error.problem
            named = "QUNDA_SECRET_KEY" if of_key else next(iter(_VARIABLE.findall(error.problem)), None)
            if named is None or named in set_aside:
                return None, wrong
            set_aside.add(named)
            # Blank counts as unset. Without a key nothing loads, so a passing one stands in, which is kept nowhere.
            tried[named] = secrets.token_hex(32) if of_key else ""
            if named not in VARIABLES:
                del tried[named]


def _secret_files(settings: Settings, root: Path) -> Iterator[Finding]:
    files = [root / ".env", settings.config_dir / "channels.yaml", settings.config_dir / "people.yaml"]
    for file in files:
        if file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o007:
            yield Finding("warn", f"every user of this machine may read {file}", f"chmod 600 '{file}'")
    if stat.S_IMODE(settings.data_dir.stat().st_mode) & 0o007:
        what = f"every user of this machine may look into {settings.data_dir}, where residents' messages lie"
        yield Finding("warn", what, f"chmod 700 '{settings.data_dir}'")
    key = settings.data_dir / "secret.key"
    if key.exists() and not stat.S_IMODE(key.stat().st_mode) & 0o077:
        yield Finding("ok", f"only this user can read {key}")


def _database(settings: Settings) -> Iterator[Finding]:
    url = make_url(settings.database_url)
    is_sqlite = url.get_backend_name() == "sqlite"
    name = f"SQLite {url.database}" if is_sqlite else f"PostgreSQL {url.database} on {url.host or 'this machine'}"
    if is_sqlite and not Path(str(url.database)).exists():
        yield Finding(
            "warn", f"there is no {url.database} yet", "./qunda migrate makes it; ./qunda up does so by itself"
        )
        return
    engine = create_engine(url, connect_args={} if is_sqlite else {"connect_timeout": _DATABASE_WITHIN})
    try:
        with engine.connect() as connection:
            revision = revision_of(connection)
    except SQLAlchemyError as error:
        remedy = "give the file to this user" if is_sqlite else "see that the server runs, and QUNDA_DATABASE_URL"
        yield Finding("fail", f"{name} cannot be used: {_reason(error, url.password)}", remedy)
        return
    finally:
        engine.dispose()
    yield _schema(name, revision)


def _reason(error: SQLAlchemyError, password: str | None) -> str:
    """The driver's own words in one line, without the password should it ever be among them."""
    words = " ".join(str(getattr(error, "orig", None) or type(error).__name__).split())
    return words.replace(password, "***") if password else words


def _schema(name: str, revision: str | None) -> Finding:
    if revision == newest_revision():
        return Finding("ok", f"{name} answers, schema {revision}")
    if revision is None:
        return Finding("fail", f"{name} has no tables yet", "run ./qunda migrate")
    if is_known(revision):
        return Finding("fail", f"{name} has the older schema {revision}", "run ./qunda migrate, and restart Qunda")
    return Finding(
        "fail", f"{name} has the schema {revision} of a newer Qunda", "bring this version up to date (git pull)"
    )


def _disk(settings: Settings) -> Iterator[Finding]:
    free = shutil.disk_usage(settings.data_dir).free
    words = f"{free / 1e9:.1f} GB are free in {settings.data_dir}"
    level: Level = "fail" if free < NO_SPACE else "warn" if free < LITTLE_SPACE else "ok"
    yield Finding(level, words, "" if level == "ok" else "make space: photos, the database and logs grow")


def _redis(settings: Settings) -> Iterator[Finding]:
    embedded = EmbeddedValkey(settings.data_dir)
    own = settings.redis_url is not None
    connection = connect(settings.redis_url or embedded.url, patience=3.0)
    try:
        info = connection.info("server")
    except redis.RedisError as error:
        if own:
            remedy = "see that the server runs and QUNDA_REDIS_URL names it, with its password when it has one"
            yield Finding("fail", f"the server does not answer ({type(error).__name__})", remedy)
        else:
            yield Finding("ok", "no server is named: ./qunda up brings its own; web, worker and clock alone need one")
        return
    finally:
        connection.close()
    version = info.get("valkey_version") or info.get("redis_version")
    yield Finding("ok", f"{'the server' if own else 'the embedded Valkey of ./qunda up'} answers, version {version}")


def _texts(settings: Settings) -> Iterator[Finding]:
    yield Finding("ok", f"{len(Texts.load(settings.files('texts')).keys())} sentences")


def _knowledge(settings: Settings) -> Iterator[Finding]:
    yield Finding("ok", f"{len(load_reader(settings).knowledge)} entries; ./qunda faq check looks closer")
    folder = sentence_model_folder(read_yaml(settings.file("understanding.yaml"), settings.environ), settings)
    try:
        if folder:
            SentenceModel(folder)
    except ConfigError as error:
        yield Finding("warn", f"{error.problem}; messages are understood without it", error.remedy)


def _policy(settings: Settings) -> Iterator[Finding]:
    file = settings.file("policy.yaml")
    Policy.load(file, settings.environ)
    yield Finding("ok", f"{file} is readable")


def _people(settings: Settings, configs: tuple[ChannelConfig, ...]) -> Iterator[Finding]:
    file = settings.config_dir / "people.yaml"
    if not file.exists():
        level: Level = "fail" if configs else "warn"
        yield Finding(
            level, f"there is no {file}", "run ./qunda setup, or copy config/people.example.yaml and fill it in"
        )
        return
    directory = Directory.load(file, settings.environ)
    names = {config.name for config in configs}
    yield Finding("ok", f"{len(directory.communities)} communities, {len(directory.staff)} staff in {file}")
    if names:
        yield from _unknown_channels(directory, names)
    for community in directory.communities:
        if directory.leader_of(community.id) is None:
            remedy = f"write leader: … under {community.id} in people.yaml, or supervisors and agents get its tickets"
            yield Finding("warn", f"the community {community.id} has no leader", remedy)
    staff_channels = [config.name for config in configs if isinstance(config, WecomAppConfig)]
    for person in directory.staff:
        if staff_channels and not set(person.accounts) & set(staff_channels):
            remedy = f"write accounts: {{{staff_channels[0]}: her userid}} in people.yaml"
            yield Finding("warn", f"{person.id} ({person.role}) has no account on {staff_channels[0]}", remedy)


def _unknown_channels(directory: Directory, names: set[str]) -> Iterator[Finding]:
    used = Counter[str]()
    for community in directory.communities:
        used.update(chat.channel for chat in community.chats)
    for accounts in (person.accounts for person in directory.staff):
        used.update(accounts.keys())
    for accounts in (resident.accounts for resident in directory.residents):
        used.update(accounts.keys())
    for channel in sorted(set(used) - names):
        what = f"people.yaml names the channel {channel} {used[channel]} times, which is not configured"
        yield Finding("warn", what, f"configure {channel} in channels.yaml, or mend the name")


def _address(settings: Settings, configs: tuple[ChannelConfig, ...]) -> Iterator[Finding]:
    parts = urlsplit(settings.base_url)
    if not configs:
        return
    if _is_private(parts.hostname or ""):
        what = f"QUNDA_BASE_URL is {settings.base_url}, where no platform can reach it"
        yield Finding("warn", what, "set it to your public address, such as https://bot.example.com")
    elif parts.scheme != "https" or parts.port not in WEB_PORTS:
        what = f"QUNDA_BASE_URL is {settings.base_url}; the platforms call ports 80 and 443 only, best with https"
        yield Finding("warn", what, "put a reverse proxy with TLS in front (docs/deploying.md)")
    else:
        yield Finding("ok", f"{settings.base_url} is a public address with TLS")


def _is_private(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host == "localhost" or "." not in host or host.endswith((".local", ".internal", ".lan"))


def _channels(settings: Settings) -> Iterator[Finding]:
    file = settings.config_dir / "channels.yaml"
    if not file.exists():
        remedy = "run ./qunda setup, or copy config/channels.example.yaml and fill it in"
        yield Finding("warn", f"there is no {file}, so ./qunda up shows the playground", remedy)
        return
    names = [config.name for config in load_channels(file, settings.environ)]
    yield Finding("ok", f"{', '.join(names)} in {file}")


def _configured(settings: Settings) -> tuple[ChannelConfig, ...]:
    """The channels, none while their file is missing or wrong, which the check of that file tells."""
    file = settings.config_dir / "channels.yaml"
    with suppress(ConfigError):
        return load_channels(file, settings.environ) if file.exists() else ()
    return ()


def _channel(settings: Settings, config: ChannelConfig) -> Iterator[Finding]:
    """Asks the platform, and comes to the door as the platform does. Redis is not needed for it."""
    clock = SystemClock()
    channel = open_channel(config, connect(settings.redis_url or EmbeddedValkey(settings.data_dir).url), clock)
    if not isinstance(channel, Examinable):
        what = "the platform cannot be asked about it without writing to everybody there"
        yield Finding("unknown", what, "see whether the first alert arrives")
        return
    yield from channel.examine()
    nonce = str(secrets.randbelow(10**10))
    address = f"{settings.base_url}/callback/{config.name}"
    yield examine_callback(address, channel.verification(clock.now(), nonce))
