"""Everything on one machine: web, worker, clock, an embedded Valkey, and the playground when nothing is configured."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from bot.clock import SystemClock
from bot.embedded_valkey import EmbeddedValkey
from commands.errors import CommandRefused
from commands.preflight import free_port, only_one, own_channels
from commands.supervisor import ChildSpec, Supervisor
from config.channels import ChannelConfig, GroupWebhookConfig
from config.settings import ROOT, Settings

OURS = (sys.executable, "-m", "commands")
HIGHEST_PORT = 65535
ATTEMPTS = 10  # pairs of ports that are tried for the playground
PATIENCE = 30.0  # seconds between two words about what is still not ready


def run(host: str, port: int, playground: bool) -> int:
    """Runs until Ctrl-C or SIGTERM and then ends every process. Returns the exit code."""
    settings = Settings.load(os.environ, make_secret=True)
    has_own = settings.file("channels.yaml").exists()
    if playground and has_own:
        _say("channels.yaml is there: running with your channels, without the playground.")
    with only_one(settings.data_dir):
        port = free_port(host, port)
        bot_url = f"http://{_reachable(host)}:{port}"
        environment = {**settings.environ, "PYTHONUNBUFFERED": "1"}
        if not environment.get("QUNDA_BASE_URL", "").strip():
            environment["QUNDA_BASE_URL"] = bot_url
        commands = _commands(host, port)
        playground_url = None
        if playground and not has_own:
            playground_port = _playground_port(host, port)
            playground_url = f"http://{_reachable(host)}:{playground_port}"
            commands["playground"] = _playground_command(host, playground_port, settings.data_dir, bot_url)
            environment |= _demo(settings.data_dir, playground_url)
            settings = Settings.load(environment, make_secret=True)
            orders = str(settings.config_dir / "orders.csv")
            _call_for_demo(("import", "orders", orders), environment, "the demo's orders were not taken in")
        announcement = _Announcement(bot_url, playground_url, own_channels(settings), settings)

        def on_ready() -> None:
            if playground_url is not None:
                _call_for_demo(("kf", "link"), environment, "the demo's communities got no links")
            announcement.tell()

        return _supervise(settings, environment, commands, announcement.probes(), on_ready)


def _demo(data_dir: Path, playground_url: str) -> dict[str, str]:
    """What the demo's processes are told. It has data of its own: an operator's database may be named in ``.env``
    while her channels.yaml is still missing.
    """
    from playground.demo_data import prepare

    own_data = {
        "QUNDA_DATA_DIR": str(data_dir / "playground"),
        "QUNDA_DATABASE_URL": "",
        "QUNDA_REDIS_URL": "",
        "QUNDA_SECRET_KEY": "",
        "QUNDA_PLAYGROUND_URL": playground_url,
        "QUNDA_INSPECTION_TOKEN": secrets.token_urlsafe(32),
    }
    return own_data | prepare(data_dir, playground_url)


def _call_for_demo(words: Sequence[str], environment: Mapping[str, str], failure: str) -> None:
    """What an operator does by hand before residents come."""
    command = [*OURS, *words]
    done = subprocess.run(command, env=environment, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise CommandRefused(
            f"{failure}:\n{done.stdout}{done.stderr}",
            f"take the folder {environment['QUNDA_DATA_DIR']} away and start again",
        )


def _playground_port(host: str, port: int) -> int:
    """A port above the bot's whose neighbour is free as well: the playground plays two platforms."""
    first = port + 1 if port < HIGHEST_PORT - 2 * ATTEMPTS else 10_000
    for candidate in range(first, first + 2 * ATTEMPTS, 2):
        with suppress(CommandRefused):
            return free_port(host, free_port(host, candidate) + 1) - 1
    raise CommandRefused(
        f"of the ports from {first} to {first + 2 * ATTEMPTS - 1} no two neighbours are free",
        "choose another --port, or start without the playground: --no-playground",
    )


def _commands(host: str, port: int) -> dict[str, Sequence[str]]:
    return {
        "web": (*OURS, "web", "--host", host, "--port", str(port)),
        "worker": (*OURS, "worker"),
        "clock": (*OURS, "clock"),
    }


def _playground_command(host: str, port: int, data_dir: Path, bot_url: str) -> Sequence[str]:
    options = ("--host", host, "--port", str(port), "--data-dir", str(data_dir), "--bot-url", bot_url)
    return (sys.executable, "-m", "playground", *options)


def _supervise(
    settings: Settings,
    environment: Mapping[str, str],
    commands: Mapping[str, Sequence[str]],
    probes: Sequence[str],
    on_ready: Callable[[], None],
) -> int:
    from bot.storage.migrate import upgrade

    os.chdir(ROOT)
    with Supervisor(SystemClock(), _say) as supervisor:
        if settings.redis_url is None:
            valkey = EmbeddedValkey(settings.data_dir)
            valkey.prepare()
            supervisor.start(ChildSpec("valkey", valkey.command(), environment, outlives_others=True))
            valkey.wait_until_ready()
            environment = {**environment, "QUNDA_REDIS_URL": valkey.url}
        upgrade(settings.database_url)
        for name, command in commands.items():
            supervisor.start(ChildSpec(name, command, environment))
        return supervisor.run(_readiness(probes, time.monotonic), on_ready)


class _Announcement:
    """What the operator reads when all is up."""

    def __init__(
        self, bot_url: str, playground_url: str | None, channels: tuple[ChannelConfig, ...], settings: Settings
    ) -> None:
        self._bot_url = bot_url
        self._playground_url = playground_url
        self._channels = channels
        self._settings = settings

    def probes(self) -> list[str]:
        """The addresses that answer 200 when all is well."""
        probes = [f"{self._bot_url}/readyz"]
        return probes if self._playground_url is None else [*probes, f"{self._playground_url}/healthz"]

    def tell(self) -> None:
        _say("Qunda is running.")
        for channel in self._channels:
            if not isinstance(channel, GroupWebhookConfig):  # nobody calls back from there
                _say(f"  callback of {channel.name:<12} {self._settings.base_url}/callback/{channel.name}")
        if self._playground_url is not None:
            _say(f"  playground               {self._bot_url}/playground/")
        _say(f"  health                   {self._bot_url}/readyz")
        _say(f"  data                     {self._settings.data_dir}")
        _say("Ctrl-C ends it.")


def _readiness(addresses: Sequence[str], monotonic: Callable[[], float]) -> Callable[[], bool]:
    """A question for the supervisor's loop: do all addresses answer 200? Now and then it tells which does not."""
    told_at = monotonic()

    def is_ready() -> bool:
        nonlocal told_at
        for address in addresses:
            answer = _answer(address)
            if answer is None:
                continue
            if monotonic() - told_at > PATIENCE:
                told_at = monotonic()
                _say(f"still waiting for {address}: {answer}")
            return False
        return True

    return is_ready


def _answer(address: str) -> str | None:
    """None when the address answers 200, else what it says instead."""
    try:
        # A proxy from the environment has no business between our own processes.
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=2):
            return None
    except urllib.error.HTTPError as error:
        with error:
            return error.read(500).decode(errors="replace")
    except OSError as error:
        return str(error)


def _reachable(host: str) -> str:
    """An address under which this machine reaches what listens on ``host``."""
    if host in ("0.0.0.0", "::", ""):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")  # in one piece: the children write to the same place
    sys.stdout.flush()
