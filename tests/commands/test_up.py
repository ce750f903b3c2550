"""``up`` and the single processes, over a small bot that stands in for the real one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config.settings import ROOT
from tests.commands.processes import PATIENCE, Lines, assert_ends, descendants, end

STAND_INS = {
    "app.py": """
        import atexit, os
        from flask import Flask
        from config.errors import ConfigError
        def create():
            if os.environ.get("STAND_IN_REFUSES"):
                raise ConfigError("a community has no leader", "name one", file="people.yaml", line=7)
            app = Flask("stand-in")
            app.add_url_rule("/readyz", "readyz", lambda: "ok")
            app.add_url_rule("/about", "about", lambda: {"pid": os.getpid(), **os.environ})
            print(f"web {os.getpid()}", flush=True)
            atexit.register(os.write, 1, b"web said goodbye\\n")
            return app
    """,
    "worker.py": """
        import os, signal
        def main(settings):
            print(f"worker {os.getpid()} {settings.redis_url}", flush=True)
            signal.pause()
    """,
    "clock.py": """
        import os, signal
        def main(settings):
            print(f"clock {os.getpid()}", flush=True)
            signal.pause()
    """,
    "commands/imports.py": """
        def orders(file, dry_run):
            assert file.read_text() == "orders"
            return 0
    """,
    "commands/kf.py": """
        import os, pathlib
        def link(community, channel, file):
            pathlib.Path(os.environ["QUNDA_CONFIG_DIR"], "links").touch()
            return 0
    """,
    "playground/__init__.py": "",
    "playground/demo_data.py": """
        import pathlib
        CHANNELS = pathlib.Path(__file__).with_name("channels.yaml").read_text()
        def prepare(data_dir, playground_url):
            folder = data_dir / "playground" / "config"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "channels.yaml").write_text(CHANNELS)
            (folder / "orders.csv").write_text("orders")
            return {"QUNDA_CONFIG_DIR": str(folder), "PLAYGROUND_URL": playground_url, "PLAYGROUND_TOKEN": "t"}
    """,
    "playground/__main__.py": """
        import sys
        from flask import Flask
        app = Flask("playground")
        app.get("/healthz")(lambda: "ok")
        app.run(port=int(sys.argv[sys.argv.index("--port") + 1]))
    """,
    "migrations/env.py": "",
    "migrations/script.py.mako": "",
}
CHANNELS = """\
oa:
  kind: official_account
  app_id: wx1
  secret: s
  token: ${PLAYGROUND_TOKEN}
  aes_key: 6qkdMrq68nTKduznJYO1A37W2oEgpkMUvkttRToqhUt
"""

Start = Callable[..., tuple[subprocess.Popen[bytes], Lines]]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("up") / "群 答"
    for room in ("bot", "commands", "config"):
        shutil.copytree(ROOT / room, root / room, ignore=shutil.ignore_patterns("__pycache__", "channels.yaml"))
    for name, text in STAND_INS.items():
        (root / name).parent.mkdir(exist_ok=True)
        indent = "        "
        (root / name).write_text("\n".join(line.removeprefix(indent) for line in text.splitlines()), encoding="utf-8")
    (root / "playground/channels.yaml").write_text(CHANNELS)
    return root


@pytest.fixture
def start(tree: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts a command in the small tree, with a data dir of the test's own."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(*arguments: str, **environ: str) -> tuple[subprocess.Popen[bytes], Lines]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("QUNDA_")}
        process = subprocess.Popen(
            [sys.executable, "-m", "commands", *arguments],
            cwd=tree,
            env={**inherited, "QUNDA_DATA_DIR": str(tmp_path / "data"), "PYTHONUNBUFFERED": "1", **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        started.append(process)
        return process, Lines(process.stdout)

    yield begin
    for process in started:
        end(process)


@pytest.fixture
def own_config(tmp_path: Path) -> str:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "channels.yaml").write_text(CHANNELS)
    return str(folder)


def about(lines: Lines) -> dict[str, Any]:
    """What the web process tells about itself."""
    address = lines.until("  health").removesuffix("/readyz")
    return fetch(f"{address}/about")


def is_open(url: str) -> bool:
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.socket() as caller:
        return caller.connect_ex((host, int(port))) == 0


def fetch(address: str) -> dict[str, Any]:
    with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
        told: dict[str, Any] = json.load(answer)
        return told


def refusal(started: tuple[subprocess.Popen[bytes], Lines]) -> tuple[int, str]:
    output, _ = started[0].communicate(timeout=PATIENCE)
    return started[0].returncode, output.decode()


def test_without_own_channels_up_brings_the_playground_and_ends_every_process_on_sigterm(
    start: Start,
) -> None:
    process, lines = start("up", "--port", "0")
    callback = lines.until("  callback of oa")
    playground = lines.until("  playground")
    told = about(lines)
    assert callback == f"{told['QUNDA_BASE_URL']}/callback/oa"
    assert playground == f"{told['QUNDA_BASE_URL']}/playground/"
    assert told["QUNDA_PLAYGROUND_URL"] == told["PLAYGROUND_URL"]
    assert len(told["QUNDA_INSPECTION_TOKEN"]) >= 32
    assert Path(told["QUNDA_CONFIG_DIR"], "links").exists()
    assert told["QUNDA_REDIS_URL"].startswith("unix://")
    family = descendants(process.pid)
    assert len(family) == 6  # valkey, granian and its worker, worker, clock, playground
    process.terminate()
    assert process.wait(PATIENCE) == 0
    for pid in family:
        assert_ends(pid)


def test_the_demo_touches_neither_the_database_nor_the_server_of_the_operator(start: Start, tmp_path: Path) -> None:
    _, lines = start(
        "up",
        "--port",
        "0",
        QUNDA_DATABASE_URL="postgresql+psycopg://nobody@nowhere/own",
        QUNDA_REDIS_URL="redis://nowhere/0",
    )
    told = about(lines)
    assert told["QUNDA_DATABASE_URL"] == ""
    assert told["QUNDA_REDIS_URL"].startswith("unix://")
    assert told["QUNDA_DATA_DIR"] == str(tmp_path / "data/playground")


def test_with_own_channels_there_is_no_playground(start: Start, own_config: str, tmp_path: Path) -> None:
    _, lines = start("up", "--port", "0", QUNDA_CONFIG_DIR=own_config, PLAYGROUND_TOKEN="t")
    told = about(lines)
    assert any("without the playground" in line for line in lines.seen)
    assert "PLAYGROUND_URL" not in told
    assert told["QUNDA_DATA_DIR"] == str(tmp_path / "data")


def test_a_killed_web_worker_and_a_killed_valkey_come_back(start: Start) -> None:
    process, lines = start("up", "--port", "0")
    told = about(lines)
    valkey = next(pid for pid in descendants(process.pid) if "valkey" in Path(f"/proc/{pid}/exe").readlink().name)
    os.kill(valkey, signal.SIGKILL)
    lines.until("valkey ended")
    os.kill(told["pid"], signal.SIGKILL)
    lines.until("web ended")
    reborn = int(lines.until("web"))
    while not is_open(told["QUNDA_BASE_URL"]):
        assert process.poll() is None
        time.sleep(0.02)
    assert fetch(f"{told['QUNDA_BASE_URL']}/about")["pid"] == reborn != told["pid"]


def test_the_application_is_told_of_the_end(start: Start) -> None:
    process, lines = start("up", "--port", "0")
    lines.until("Qunda is running")
    process.terminate()
    lines.until("web said goodbye")


def test_nothing_survives_an_up_that_was_killed(start: Start) -> None:
    process, lines = start("up", "--port", "0")
    about(lines)
    family = descendants(process.pid)
    process.kill()
    for pid in family:
        assert_ends(pid)


def test_a_second_up_on_the_same_data_dir_is_refused(start: Start) -> None:
    first, lines = start("up", "--port", "0")
    lines.until("Qunda is running")
    code, told = refusal(start("up", "--port", "0"))
    assert code == 1
    assert "already running on" in told
    assert f"process {first.pid}" in told
    assert "To mend it" in told


@pytest.mark.parametrize("command", ["up", "web"])
def test_a_taken_port_is_told_with_another_one_to_try(start: Start, own_config: str, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environ = {"QUNDA_CONFIG_DIR": own_config, "PLAYGROUND_TOKEN": "t", "QUNDA_REDIS_URL": "redis://x"}
        code, told = refusal(start(command, "--port", str(port), **environ, QUNDA_SECRET_KEY="k" * 32))
    assert code == 1
    assert f"port {port}" in told
    assert "--port" in told
    assert "Traceback" not in told


def test_up_without_channels_and_without_playground_is_refused(start: Start) -> None:
    code, told = refusal(start("up", "--no-playground", "--port", "0"))
    assert code == 2
    assert "channels.example.yaml" in told


def test_a_mistake_that_only_a_child_finds_ends_the_start_without_a_traceback(start: Start) -> None:
    code, told = refusal(start("up", "--port", "0", STAND_IN_REFUSES="1"))
    assert code == 2
    assert told.count("people.yaml:7: a community has no leader") == 1
    assert "Traceback" not in told


@pytest.mark.parametrize("command", ["web", "worker", "clock"])
@pytest.mark.parametrize(
    ("missing", "remedy"),
    [
        ("QUNDA_SECRET_KEY", "./qunda migrate"),
        ("QUNDA_REDIS_URL", "./qunda up"),
        ("QUNDA_CONFIG_DIR", "channels.example.yaml"),
        ("PLAYGROUND_TOKEN", "set PLAYGROUND_TOKEN"),
    ],
)
def test_a_single_process_makes_nothing_up(
    start: Start, own_config: str, command: str, missing: str, remedy: str
) -> None:
    environ = {
        "QUNDA_SECRET_KEY": "k" * 32,
        "QUNDA_REDIS_URL": "redis://localhost",
        "QUNDA_CONFIG_DIR": own_config,
        "PLAYGROUND_TOKEN": "t",
    }
    del environ[missing]
    code, told = refusal(start(command, **environ))
    assert code == 2
    assert remedy in told
    assert "Traceback" not in told


def test_migrate_makes_key_and_database_in_a_virgin_data_dir(start: Start, tmp_path: Path) -> None:
    code, told = refusal(start("migrate"))
    assert (code, told) == (0, "")
    assert (tmp_path / "data/secret.key").exists()
    assert (tmp_path / "data/qunda.db").exists()


def test_the_playground_moves_on_when_the_port_beside_the_bots_is_taken(start: Start) -> None:
    port = port_with_free_neighbours()
    with socket.create_server(("127.0.0.1", port + 1)):
        _, lines = start("up", "--port", str(port))
        told = about(lines)

    assert told["QUNDA_PLAYGROUND_URL"] == f"http://127.0.0.1:{port + 3}"


def port_with_free_neighbours() -> int:
    """A free port after which four more are free."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
        if not any(is_open(f"http://127.0.0.1:{port + step}") for step in range(5)):
            return port
