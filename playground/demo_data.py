"""The demo shop: its people, orders and accounts, written out for the bot with secrets made per data dir."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import socket
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from playground.platform.callbacks import new_aes_key
from playground.platform.server import HOST
from playground.wechat import Cast, Credentials

DEMO = Path(__file__).parent / "demo"
# Whether the demo's residents have the customer service too: its channel, and phones with it on the page.
WITH_KF = True
KF_URL = "PLAYGROUND_KF_URL"
# Whether the demo's staff have groups with the smart bot in them, and one that alerts go to: channels and phones.
WITH_GROUPS = True
BOT_URL = "PLAYGROUND_BOT_URL"
CHINA = timezone(timedelta(hours=8))  # the shop's clock; China has no summer time

# {-1d 17:30}: that time of yesterday; {+5h}: in five hours
_MOMENT = re.compile(r"\{(?:([+-]?\d+)d (\d\d):(\d\d)|([+-]?\d+)h)\}")


def prepare(
    data_dir: Path,
    playground_url: str,
    wecom_url: str | None = None,
    kf_url: str | None = None,
    bot_url: str | None = None,
    *,
    with_kf: bool = WITH_KF,
    with_groups: bool = WITH_GROUPS,
    now: datetime | None = None,
) -> dict[str, str]:
    """Writes the demo's configuration and orders below ``data_dir`` and returns what the bot's processes need.

    ``playground_url`` is where the Official Account's API is served, ``wecom_url`` where WeCom's (one port higher,
    as ``python -m playground`` does, when not given), ``kf_url`` where the customer service's and ``bot_url`` the
    smart bot's (any free ports, which ``python -m playground`` finds in its environment). The result maps environment
    variables to values: ``QUNDA_CONFIG_DIR``, the channels' addresses and credentials. ``orders.csv`` in that folder is
    dated around ``now`` (aware; the machine's time by default) and waits to be imported. Called again, it keeps the
    secrets and renews the rest.
    """
    config_dir = data_dir / "playground" / "config"
    config_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(DEMO / "people.yaml", config_dir / "people.yaml")
    (config_dir / "channels.yaml").write_text(_channels(with_kf, with_groups), encoding="utf-8")
    template = (DEMO / "orders.template.csv").read_text(encoding="utf-8")
    orders = dated(template, (now or datetime.now(CHINA)).astimezone(CHINA))
    (config_dir / "orders.csv").write_text(orders, encoding="utf-8")
    return {
        "QUNDA_CONFIG_DIR": str(config_dir),
        "PLAYGROUND_OA_URL": playground_url,
        "PLAYGROUND_WECOM_URL": wecom_url or _one_port_higher(playground_url),
        KF_URL: kf_url or _any_port(playground_url),
        BOT_URL: bot_url or _any_port(playground_url),
        **{f"PLAYGROUND_{name.upper()}": str(value) for name, value in _kept_values(data_dir).items()},
    }


def _channels(with_kf: bool, with_groups: bool) -> str:
    wanted = {"channels.yaml": True, "channels.kf.yaml": with_kf, "channels.groups.yaml": with_groups}
    return "".join((DEMO / name).read_text(encoding="utf-8") for name, is_wanted in wanted.items() if is_wanted)


def credentials(data_dir: Path) -> Credentials:
    """The demo accounts of this data dir, made on first use."""
    return Credentials(**_kept_values(data_dir))


def cast(*, with_kf: bool = WITH_KF, with_groups: bool = WITH_GROUPS) -> Cast:
    """Everybody in the demo who has a phone."""
    phones = yaml.safe_load((DEMO / "phones.yaml").read_text(encoding="utf-8"))
    staff = {name: (entry["role"], entry["account"]) for name, entry in phones["staff"].items()}
    people = yaml.safe_load((DEMO / "people.yaml").read_text(encoding="utf-8"))
    scenes = {community["id"]: community["kf_scene"] for community in people["communities"]}
    return Cast(
        residents=phones["residents"],
        staff=staff,
        elders=frozenset(person["name"] for person in people["residents"] if person.get("elder")),
        customers=phones["customers"] if with_kf else {},
        groups={name: (group["chatid"], tuple(group["members"])) for name, group in phones["groups"].items()}
        if with_groups
        else {},
        members=phones["members"] if with_groups else {},
        communities={person["name"]: scenes[person["community"]] for person in people["residents"]},
    )


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


def _any_port(url: str) -> str:
    """An address on the same machine with a port that is free now."""
    parts = urlsplit(url)
    with socket.create_server((parts.hostname or HOST, 0)) as listener:
        return f"{parts.scheme}://{parts.netloc.rpartition(':')[0]}:{listener.getsockname()[1]}"


def _one_port_higher(url: str) -> str:
    address, _, port = url.rstrip("/").rpartition(":")
    return f"{address}:{int(port) + 1}"


def _kept_values(data_dir: Path) -> dict[str, Any]:
    """Reads the credentials, or makes them; what an older file lacks is added.

    Two that make them at once agree on one whole file.
    """
    file = data_dir / "playground" / "secrets.json"
    fresh = _fresh_values()
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = _written(file, fresh)
        with contextlib.suppress(FileExistsError):  # the other one was first: theirs counts
            os.link(draft, file)
        draft.unlink()
    values: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    if fresh.keys() - values.keys():
        os.replace(_written(file, fresh | values), file)
        return _kept_values(data_dir)
    return values


def _written(file: Path, values: dict[str, Any]) -> Path:
    """A draft beside the file that only its owner can read."""
    draft = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(values, stream)
    return draft


def _fresh_values() -> dict[str, Any]:
    return asdict(
        Credentials(
            oa_app_id=f"wx{secrets.token_hex(8)}",
            oa_secret=secrets.token_hex(16),
            oa_token=secrets.token_hex(16),
            oa_aes_key=new_aes_key(),
            corp_id=f"ww{secrets.token_hex(8)}",
            agent_id=1000002,
            app_secret=secrets.token_urlsafe(32),
            app_token=secrets.token_hex(16),
            app_aes_key=new_aes_key(),
        )
    )
