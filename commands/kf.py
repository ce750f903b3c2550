"""``./qunda kf link``: the address that a leader posts in her group, as words and as a picture."""

from __future__ import annotations

import os
from collections.abc import Sequence
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


def link(community_id: str | None, channel_name: str | None, file: Path | None) -> int:
    """Asks the platform for the address, keeps it for the bot's answers in groups, prints it and writes the picture.

    Without a community it does so for each that has a scene. Raises ConfigError or CommandRefused, saying what is
    missing.
    """
    if file is not None and community_id is None:
        raise CommandRefused("--out takes one picture", "name the community as well")
    settings = Settings.load(os.environ, make_secret=True)
    config = _account(settings, channel_name)
    communities = _communities(settings, community_id)
    url = _address(settings, config)
    with opened_store(settings) as store, store.write() as connection:
        for community in communities:
            keep_link(connection, config.name, community, url, datetime.now(UTC))
    for community in communities:
        _draw(whole_link(url, community), community, file or settings.data_dir / "links" / f"{community.id}.png")
    return 0


def _draw(whole: str, community: Community, picture: Path) -> None:
    picture.parent.mkdir(parents=True, exist_ok=True)
    segno.make_qr(whole).save(str(picture), scale=_PIXELS, border=_QUIET_ZONE)
    print(f"{community.name}: {whole}\nThe picture to post in its group: {picture}")


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


def _communities(settings: Settings, community_id: str | None) -> Sequence[Community]:
    directory = Directory.load(settings.file("people.yaml"), settings.environ)
    if community_id is not None:
        return (_community(directory, community_id),)
    found = [each for each in directory.communities if each.kf_scene]
    if not found:
        raise CommandRefused("no community in people.yaml has a kf_scene", "write kf_scene: … under each of them")
    return found


def _community(directory: Directory, community_id: str) -> Community:
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
