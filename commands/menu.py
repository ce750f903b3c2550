"""``./qunda menu push``: the account's menu from a file."""

from __future__ import annotations

import json
import os

from bot.channels.official_account import OfficialAccount
from bot.clock import SystemClock
from bot.errors import BotError
from bot.redis_connection import connect
from commands.errors import CommandRefused
from config.channels import OfficialAccountConfig, load_channels
from config.menu import load_menu
from config.settings import Settings


def push(channel: str, *, dry_run: bool) -> int:
    """Sends ``menu.yaml`` to the platform; ``channel`` names the account when there are several.

    Returns 0. Raises ConfigError for a mistake in a file and CommandRefused when it cannot be done.
    """
    settings = Settings.load(os.environ, make_secret=False)
    menu = load_menu(settings.file("menu.yaml"), settings.environ)
    config = _account(settings, channel)
    if dry_run:
        print(json.dumps(menu, ensure_ascii=False, indent=2))
        return 0
    with connect(settings.redis_url or "redis://127.0.0.1:1") as connection:
        account = OfficialAccount(config, connection, SystemClock())
        try:
            account.replace_menu(menu)
        except BotError as error:
            raise CommandRefused(
                f"{config.name} did not take the menu: {error}", "./qunda doctor looks at the account more closely"
            ) from None
    print(f"{config.name}: the menu is in place; residents see it within a few minutes.")
    return 0


def _account(settings: Settings, channel: str) -> OfficialAccountConfig:
    configs = load_channels(settings.config_dir / "channels.yaml", settings.environ)
    accounts = [config for config in configs if isinstance(config, OfficialAccountConfig)]
    named = [config for config in accounts if channel in ("", config.name)]
    if len(named) != 1:
        names = ", ".join(config.name for config in accounts) or "none"
        raise CommandRefused("it is not clear which account is meant", f"name it with --channel; there is: {names}")
    return named[0]
