"""What is looked at before anything is started."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from commands.errors import CommandRefused
from config.channels import ChannelConfig, load_channels
from config.errors import ConfigError
from config.settings import Settings


def settings_of_one_process() -> Settings:
    """Settings for a process that is started by itself, where nothing is made up: key, server, channels must be there.

    Raises ConfigError for the first that is missing or wrong.
    """
    settings = Settings.load(os.environ, make_secret=False)
    if settings.redis_url is None:
        raise ConfigError(
            "QUNDA_REDIS_URL is not set",
            "name a Redis or Valkey server, or use ./qunda up, which starts one of its own",
        )
    own_channels(settings)
    return settings


def own_channels(settings: Settings) -> tuple[ChannelConfig, ...]:
    """The operator's channels; raises ConfigError when there are none."""
    file = settings.file("channels.yaml")
    if not file.exists():
        raise ConfigError(
            f"there is no channels.yaml in {settings.config_dir}",
            "copy config/channels.example.yaml there and fill it in, or run ./qunda up, which brings a playground",
        )
    return load_channels(file, settings.environ)


def free_port(host: str, port: int) -> int:
    """The port itself, or any free one for 0. Raises CommandRefused when another program listens there."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            return int(listener.getsockname()[1])
    except socket.gaierror:
        raise CommandRefused(f"{host} is not an address", "give --host an address of this machine") from None
    except OSError as error:
        raise CommandRefused(
            f"port {port} on {host} cannot be used ({error.strerror})",
            f"stop the program that uses it, or choose another: --port {port + 10 if port < 65000 else 8000}",
        ) from None


@contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Holds the data dir for one ``up``; raises CommandRefused when another one has it."""
    descriptor = os.open(data_dir / "up.pid", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandRefused(
                f"Qunda is already running on {data_dir} (process {file.read().strip()})",
                "stop that one with Ctrl-C or kill, or set QUNDA_DATA_DIR to another folder",
            ) from None
        file.truncate()
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
        file.truncate(0)
