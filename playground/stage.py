"""The whole bot on a stage: its processes started as an operator starts them, with the small WeChat in front."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import requests

from playground import demo_data
from playground.platform.server import HOST
from playground.wechat import WeChat

ROOT = Path(__file__).parent.parent
START_WITHIN = 60.0  # seconds
STOP_WITHIN = 20.0
LOOK_EVERY = 0.1
LAST_LINES = 30


class NotStarted(RuntimeError):
    """The bot's processes did not come up; the text holds the end of what they said."""


class Stage:
    """Used as a context: inside it the bot answers at ``bot_url`` and ``wechat`` is connected to it.

    ``data_dir`` must be empty or a former stage's; all of the bot's data lie in it. ``with_kf`` gives the residents
    the customer service too, ``with_groups`` the staff groups with the smart bot and one for alerts. ``environment``
    is given to the bot's processes over the demo's own; nothing of an installation on this machine is used, neither
    its database nor its settings.
    """

    def __init__(
        self,
        data_dir: Path,
        environment: Mapping[str, str] | None = None,
        *,
        with_kf: bool = demo_data.WITH_KF,
        with_groups: bool = demo_data.WITH_GROUPS,
    ) -> None:
        cast = demo_data.cast(with_kf=with_kf, with_groups=with_groups)
        self.wechat = WeChat(demo_data.credentials(data_dir), cast)
        self._with_kf, self._with_groups = with_kf, with_groups
        self.data_dir = data_dir
        self._given = environment or {}
        self._inspection_token = secrets.token_urlsafe(32)
        self._log = data_dir / "stage.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.wechat.open()
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def begin_anew(self) -> None:
        """Empties the phones and the bot's records; people and orders are as on the first day."""
        self.wechat.inspection.forget()
        self.wechat.reset()

    @property
    def pid(self) -> int:
        """The process id of ``up``, above all the others."""
        assert self._process is not None, "the stage is not open"
        return self._process.pid

    def _start(self) -> None:
        platforms = (self.wechat.oa, self.wechat.wecom, self.wechat.kf, self.wechat.aibot)
        urls = [platform.server.url for platform in platforms]
        demo = demo_data.prepare(self.data_dir, *urls, with_kf=self._with_kf, with_groups=self._with_groups)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("QUNDA_")}
        own = {
            "QUNDA_DATA_DIR": str(self.data_dir),
            "QUNDA_PLAYGROUND_URL": self.wechat.oa.server.url,
            "QUNDA_INSPECTION_TOKEN": self._inspection_token,
        }
        environment = {**inherited, **_blank_settings(), **own, **demo, **self._given}
        port = _free_port()
        self.bot_url = f"http://{HOST}:{port}"
        self.wechat.connect(self.bot_url, self._inspection_token)
        orders = str(Path(demo["QUNDA_CONFIG_DIR"]) / "orders.csv")
        self._call(("import", "orders", orders), environment, "the demo's orders were not taken")
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                _command("up", "--no-playground", "--port", str(port)),
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._wait_until_ready()
        if self._with_kf:
            self._call(("kf", "link"), environment, "the communities got no links")

    def _call(self, words: tuple[str, ...], environment: Mapping[str, str], failure: str) -> None:
        """What an operator does by hand before residents come."""
        done = subprocess.run(
            _command(*words),
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise NotStarted(f"{failure}:\n{done.stdout}{done.stderr}")

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_WITHIN
        while not self._is_ready():
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                raise NotStarted(f"the bot did not come up. It said:\n{self.last_words()}")
            time.sleep(LOOK_EVERY)

    def _is_ready(self) -> bool:
        with requests.Session() as session:
            session.trust_env = False  # a proxy has no business on this machine
            try:
                return session.get(f"{self.bot_url}/readyz", timeout=2).status_code == 200
            except requests.RequestException:
                return False

    def last_words(self) -> str:
        """The end of what the bot's processes have printed."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines() if self._log.exists() else []
        return "\n".join(lines[-LAST_LINES:])

    def _stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_WITHIN)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self.wechat.close()


def _blank_settings() -> dict[str, str]:
    """Blank counts as unset, and keeps the installation's ``.env`` from filling these in."""
    names = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "BASE_URL", "TIMEZONE")
    return {f"QUNDA_{name}": "" for name in names}


def _command(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "commands", *words)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port
