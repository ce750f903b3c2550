"""The demo shop: its people, orders and accounts, written out for the bot with secrets made per data dir."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import secrets
import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import yaml

from playground.wechat import Cast, Credentials

DEMO = Path(__file__).parent / "demo"
CHINA = timezone(timedelta(hours=8))  # the shop's clock; China has no summer time

# {-1d 17:30}: that time of yesterday; {+5h}: in five hours
_MOMENT = re.compile(r"\{(?:([+-]?\d+)d (\d\d):(\d\d)|([+-]?\d+)h)\}")


def prepare(
    data_dir: Path, playground_url: str, wecom_url: str | None = None, *, now: datetime | None = None
) -> dict[str, str]:
    """Writes the demo's configuration and orders below ``data_dir`` and returns what the bot's processes need.

    ``playground_url`` is where the Official Account's API is served, ``wecom_url`` where WeCom's (one port higher,
    as ``python -m playground`` does, when not given). The result maps environment
    variables to values: ``QUNDA_CONFIG_DIR`` and the channels' credentials. ``orders.csv`` in that folder is
    dated around ``now`` (aware; the machine's time by default) and waits to be imported. Called again, it keeps the
    secrets and renews the rest.
    """
    config_dir = data_dir / "playground" / "config"
    config_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("channels.yaml", "people.yaml"):
        shutil.copyfile(DEMO / name, config_dir / name)
    template = (DEMO / "orders.template.csv").read_text(encoding="utf-8")
    orders = dated(template, (now or datetime.now(CHINA)).astimezone(CHINA))
    (config_dir / "orders.csv").write_text(orders, encoding="utf-8")
    return {
        "QUNDA_CONFIG_DIR": str(config_dir),
        "PLAYGROUND_OA_URL": playground_url,
        "PLAYGROUND_WECOM_URL": wecom_url or _one_port_higher(playground_url),
        **{f"PLAYGROUND_{name.upper()}": str(value) for name, value in _kept_values(data_dir).items()},
    }


def credentials(data_dir: Path) -> Credentials:
    """The demo accounts of this data dir, made on first use."""
    return Credentials(**_kept_values(data_dir))


def cast() -> Cast:
    """Everybody in the demo who has a phone."""
    phones = yaml.safe_load((DEMO / "phones.yaml").read_text(encoding="utf-8"))
    staff = {name: (entry["role"], entry["account"]) for name, entry in phones["staff"].items()}
    people = yaml.safe_load((DEMO / "people.yaml").read_text(encoding="utf-8"))
    elders = frozenset(person["name"] for person in people["residents"] if person.get("elder"))
    return Cast(residents=phones["residents"], staff=staff, elders=elders)


def dated(template: str, now: datetime) -> str:
    """Puts times around ``now`` in the place of marks such as ``{-1d 17:30}`` and ``{+5h}``."""

    def moment(match: re.Match[str]) -> str:
        days, hour, minute, hours = match.groups()
        if hours is not None:
            instant = now + timedelta(hours=int(hours))
        else:
            instant = (now + timedelta(days=int(days))).replace(hour=int(hour), minute=int(minute))
        return f"{instant:%Y-%m-%d %H:%M}"

    return _MOMENT.sub(moment, template)


def _one_port_higher(url: str) -> str:
    address, _, port = url.rstrip("/").rpartition(":")
    return f"{address}:{int(port) + 1}"


def _kept_values(data_dir: Path) -> dict[str, Any]:
    """Reads the credentials, or makes them. Two that make them at once agree on one whole file."""
    file = data_dir / "playground" / "secrets.json"
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(_fresh_values(), stream)
        with contextlib.suppress(FileExistsError):  # the other one was first: theirs counts
            os.link(draft, file)
        draft.unlink()
    values: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return values


def _fresh_values() -> dict[str, Any]:
    return {
        "oa_app_id": f"wx{secrets.token_hex(8)}",
        "oa_secret": secrets.token_hex(16),
        "oa_token": secrets.token_hex(16),
        "oa_aes_key": _aes_key(),
        "corp_id": f"ww{secrets.token_hex(8)}",
        "agent_id": 1000002,
        "app_secret": secrets.token_urlsafe(32),
        "app_token": secrets.token_hex(16),
        "app_aes_key": _aes_key(),
    }


def _aes_key() -> str:
    """An EncodingAESKey: 32 bytes in base64 without the last "="; letters and digits only, as the platforms make it."""
    while True:
        key = base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")
        if key.isalnum():
            return key
