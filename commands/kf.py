"""``./qunda kf link COMMUNITY``: the address that a leader posts in her group, as words and as a picture."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import segno

from bot.channels.wecom_kf import WecomKf
from bot.clock import SystemClock
from bot.embedded_valkey import EmbeddedValkey
from bot.errors import BotError
from bot.redis_connection import connect
from commands.errors import CommandRefused
from commands.knowledge import opened_store
from commands.preflight import own_channels
from config.channels import WecomKfConfig
from config.settings import Settings
from shop.directory import Community, Directory
from shop.kf_links import keep_link, whole_link

SCENE = "group"
"""What the platform's own statistics name the way in by; the community stands behind it in the address."""

_PIXELS = 8
_QUIET_ZONE = 4


def link(community_id: str, channel_name: str | None, file: Path | None) -> int:
    """Asks the platform for the address, keeps it for the bot's answers in groups, prints it and writes the picture.

    Raises ConfigError or CommandRefused, saying what is missing.
    """
    settings = Settings.load(os.environ, make_secret=True)
    config = _account(settings, channel_name)
    community = _community(settings, community_id)
    url = _address(settings, config)
    with opened_store(settings) as store, store.write() as connection:
        keep_link(connection, config.name, community, url, datetime.now(UTC))
    whole = whole_link(url, community)
    picture = file or settings.data_dir / "links" / f"{community.id}.png"
    picture.parent.mkdir(parents=True, exist_ok=True)
    segno.make_qr(whole).save(str(picture), scale=_PIXELS, border=_QUIET_ZONE)
    print(f"{community.name}: {whole}\nThe picture to post in its group: {picture}")
    return 0


def _account(settings: Settings, name: str | None) -> WecomKfConfig:
    accounts = {one.name: one for one in own_channels(settings) if isinstance(one, WecomKfConfig)}
    if not accounts:
        raise CommandRefused(
            "channels.yaml names no customer-service account",
            "add a channel of the kind wecom_kf (see config/channels.example.yaml)",
        )
    if name is None and len(accounts) > 1:
        raise CommandRefused("there are several customer-service accounts", f"add --channel {next(iter(accounts))}")
    if name is not None and name not in accounts:
        raise CommandRefused(f"there is no customer-service account {name}", f"use one of {', '.join(accounts)}")
    return accounts[name or next(iter(accounts))]


def _community(settings: Settings, community_id: str) -> Community:
    directory = Directory.load(settings.file("people.yaml"), settings.environ)
    community = directory.community(community_id) or directory.community_named(community_id)
    if community is None:
        known = ", ".join(each.id for each in directory.communities)
        raise CommandRefused(f"people.yaml names no community {community_id}", f"use one of {known}")
    if not community.kf_scene:
        raise CommandRefused(
            f"the community {community.id} has no kf_scene", f"write kf_scene: {community.id} under it in people.yaml"
        )
    return community


def _address(settings: Settings, config: WecomKfConfig) -> str:
    redis = connect(settings.redis_url or EmbeddedValkey(settings.data_dir).url)
    try:
        return WecomKf(config, redis, SystemClock()).contact_way(SCENE)
    except BotError as error:
        raise CommandRefused(
            f"the platform gives no address: {error}", "see ./qunda doctor, which says what to mend"
        ) from None
    finally:
        redis.close()
