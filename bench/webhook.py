"""The webhook: the full path of varied routine questions against a bare echo on the same server, in the same run.

Every request is a signed, encrypted Official Account message; every answer is checked to carry a reply. The web
process is pinned to one core, load and database to the others, so that the ratio compares processor work. However slow
a server is, it is measured for so many seconds and no longer; what takes long is said before it begins.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests
from wechatpy.crypto import WeChatCrypto

from bench.load import LoadResult, http_post, run_load
from bench.stages import where_the_time_goes
from bot.embedded_valkey import EmbeddedValkey
from bot.storage.migrate import upgrade
from commands.web import THREADS
from config.settings import ROOT, Settings
from playground import demo_data
from playground.wechat import Credentials
from tests.postgres import postgres_server
from understanding.loading import load_reader

CONNECTIONS = 16
# Each resident asks once a round: a resident who asks all day is not the ordinary case.
ACCOUNTS = 2000
ECHO_REQUESTS = 12000
ROUNDS = 3
LONGEST_SECONDS = 12.0
"""How long one server is measured in one round at most."""
PHRASINGS = 3000
"""Drawn from the shipped knowledge: to find out which of all of them are answered takes longer than the measurement.
A server is asked them in turn, so that none comes again while it still remembers the last time.
"""
START_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class Figures:
    """One server under load: requests and answers per second, latencies in milliseconds, memory in megabytes.

    ``processor``: milliseconds that one request takes of it. While others use the machine too, it tells more than the
    rate does.
    """

    name: str
    rate: float
    processor: float
    p50: float
    p99: float
    replies: float
    megabytes: float

    @classmethod
    def of(cls, name: str, result: LoadResult, processor_seconds: float, megabytes: float) -> Figures:
        return cls(
            name,
            result.rate,
            processor_seconds / len(result.latencies) * 1000,
            result.percentile(0.5) * 1000,
            result.percentile(0.99) * 1000,
            result.with_reply / len(result.latencies),
            megabytes,
        )


def run() -> Mapping[str, Any]:
    """Measures and prints a table; returns the figures."""
    with tempfile.TemporaryDirectory(prefix="qunda-bench-") as folder:
        data_dir = Path(folder)
        credentials = demo_data.credentials(data_dir)
        stages_environment = _environment(_folder(data_dir, "stages"), None, "redis://127.0.0.1:1/0")
        print("reading the knowledge, which is learnt first where it has changed", flush=True)
        questions = _questions(stages_environment)
        rows: list[Figures] = []
        with (
            _echo_server(credentials) as echo,
            postgres_server(durable=True) as postgres,
            _bot_servers(data_dir, postgres) as bots,
        ):
            servers = {"echo": (echo, ECHO_REQUESTS), **{name: (bot, ACCOUNTS) for name, bot in bots.items()}}
            asked = {name: cycle(questions) for name in servers}
            for number in range(ROUNDS):
                print(f"round {number + 1} of {ROUNDS}", flush=True)
                for name, (server, count) in servers.items():
                    rows.append(_measure(name, server, credentials, asked[name], count))
        upgrade(stages_environment["QUNDA_DATABASE_URL"])
        stages = where_the_time_goes(stages_environment, questions, _maker(credentials))
    return _report(rows, stages)


def _questions(environment: Mapping[str, str]) -> list[str]:
    """Phrasings that the shipped knowledge answers, so that every request takes the path of a routine question."""
    reader = load_reader(Settings.load(environment, make_secret=True))
    phrasings = [text for entry in reader.knowledge.entries for text in entry.phrasings]
    drawn = random.Random(20261121).sample(phrasings, min(PHRASINGS, len(phrasings)))
    return [text for text in drawn if reader.read(text).decision == "answer"]


def _measure(name: str, server: _Server, credentials: Credentials, questions: Iterator[str], count: int) -> Figures:
    if not server.warm:
        run_load(server.port, _requests(credentials, questions, ACCOUNTS), CONNECTIONS, LONGEST_SECONDS)
        server.warm = True
    requests_made = _requests(credentials, questions, count)
    before = server.processor_seconds()
    result = run_load(server.port, requests_made, CONNECTIONS, LONGEST_SECONDS)
    if set(result.statuses) != {200}:
        raise RuntimeError(f"{name} answered with statuses {result.statuses}")
    return Figures.of(name, result, server.processor_seconds() - before, server.megabytes())


_message_ids = iter(range(10**15, 10**16))


_choose = random.Random(20261121)


def _requests(credentials: Credentials, questions: Iterator[str], count: int) -> list[bytes]:
    make = _maker(credentials)
    accounts = [f"oBench{number % ACCOUNTS:022d}" for number in range(count)]
    _choose.shuffle(accounts)
    return [http_post(*make(account, question)) for account, question in zip(accounts, questions, strict=False)]


def _maker(credentials: Credentials) -> Callable[[str, str], tuple[str, bytes]]:
    crypto = WeChatCrypto(credentials.oa_token, credentials.oa_aes_key, credentials.oa_app_id)
    return lambda account, text: _signed(crypto, account, text)


def _signed(crypto: WeChatCrypto, account: str, text: str) -> tuple[str, bytes]:
    """Path with query, and body, of one message."""
    now = str(int(time.time()))
    xml = (
        f"<xml><ToUserName><![CDATA[gh_bench]]></ToUserName><FromUserName><![CDATA[{account}]]></FromUserName>"
        f"<CreateTime>{now}</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{text}]]></Content>"
        f"<MsgId>{next(_message_ids)}</MsgId></xml>"
    )
    sealed = crypto.encrypt_message(xml, "bench", now)
    signature = sealed.split("<MsgSignature><![CDATA[")[1].split("]]>")[0]
    query = urlencode(
        {"timestamp": now, "nonce": "bench", "openid": account, "encrypt_type": "aes", "msg_signature": signature}
    )
    return f"/callback/oa?{query}", sealed.encode()


@dataclass(slots=True)
class _Server:
    process: subprocess.Popen[bytes]
    port: int
    warm: bool = False

    def megabytes(self) -> float:
        """Resident memory of the process that serves, in megabytes."""
        return max(map(_resident, self._serving()))

    def processor_seconds(self) -> float:
        """What the processes that serve have had of the processor so far."""
        return sum(map(_processor_seconds, self._serving()))

    def _serving(self) -> list[int]:
        pids = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return list(map(int, pids)) or [self.process.pid]


def _resident(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _processor_seconds(pid: int) -> float:
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, after_name[11:13])) / os.sysconf("SC_CLK_TCK")  # utime and stime, proc(5)


@contextmanager
def _echo_server(credentials: Credentials) -> Iterator[_Server]:
    port = _free_port()
    command = (
        sys.executable, "-m", "granian", "--interface", "wsgi", "--http", "1", "--workers", "1",
        "--blocking-threads", str(THREADS), "--port", str(port), "--factory", "--log-level", "warning",
        "bench.echo:create",
    )  # fmt: skip
    environment = {
        **os.environ,
        "ECHO_TOKEN": credentials.oa_token,
        "ECHO_AES_KEY": credentials.oa_aes_key,
        "ECHO_APP_ID": credentials.oa_app_id,
    }
    with _started(command, environment, port, None) as server:
        yield server


@contextmanager
def _bot_servers(data_dir: Path, postgres: str) -> Iterator[dict[str, _Server]]:
    """The bot's web process twice, on SQLite and on PostgreSQL, in front of one Valkey."""
    valkey = EmbeddedValkey(data_dir)
    redis_url = valkey.start()
    try:
        with (
            _bot_server(_folder(data_dir, "sqlite"), None, redis_url) as sqlite,
            _bot_server(_folder(data_dir, "postgresql"), postgres, redis_url) as postgresql,
        ):
            yield {"sqlite": sqlite, "postgresql": postgresql}
    finally:
        valkey.stop()


@contextmanager
def _bot_server(folder: Path, database_url: str | None, redis_url: str) -> Iterator[_Server]:
    port = _free_port()
    environment = _environment(folder, database_url, redis_url)
    upgrade(environment["QUNDA_DATABASE_URL"])
    command = (sys.executable, "-m", "commands", "web", "--port", str(port))
    with _started(command, environment, port, "/readyz") as server:
        yield server


def _environment(folder: Path, database_url: str | None, redis_url: str) -> dict[str, str]:
    nowhere = f"http://127.0.0.1:{_free_port()}"
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("QUNDA_")},
        **demo_data.prepare(folder, nowhere, nowhere),
        "QUNDA_DATA_DIR": str(folder),
        "QUNDA_DATABASE_URL": database_url or f"sqlite:///{folder / 'qunda.db'}",
        "QUNDA_REDIS_URL": redis_url,
        "QUNDA_SECRET_KEY": "bench-only-secret-key",
    }


def _folder(data_dir: Path, name: str) -> Path:
    """A data folder of one bot, with the credentials that all of them share."""
    folder = data_dir / name
    folder.mkdir(mode=0o700)
    (folder / "playground").symlink_to(data_dir / "playground")
    return folder


@contextmanager
def _started(command: Sequence[str], environment: Mapping[str, str], port: int, ready: str | None) -> Iterator[_Server]:
    process = subprocess.Popen(
        command, cwd=ROOT, env=dict(environment), stderr=subprocess.DEVNULL, preexec_fn=_pin_to_first_core
    )
    try:
        _wait_for(process, port, ready)
        yield _Server(process, port)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _pin_to_first_core() -> None:
    os.sched_setaffinity(0, {0})


def _wait_for(process: subprocess.Popen[bytes], port: int, ready: str | None) -> None:
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                pass
            if ready is None or requests.get(f"http://127.0.0.1:{port}{ready}", timeout=2).ok:
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server did not come up in time")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def _report(rows: Sequence[Figures], stages: Mapping[str, float]) -> Mapping[str, Any]:
    names = list(dict.fromkeys(row.name for row in rows))
    echo = [row.rate for row in rows if row.name == "echo"]
    figures: dict[str, Any] = {}
    print(f"\n{CONNECTIONS} connections, {ROUNDS} rounds, medians; the ratio is taken round by round")
    print(f"{'server':<12}{'req/s':>8}{'ratio':>8}{'cpu ms':>8}{'p50 ms':>8}{'p99 ms':>8}{'replied':>9}{'RSS MB':>8}")
    for name in names:
        mine = [row for row in rows if row.name == name]
        figures[name] = {
            "requests_per_second": _median([row.rate for row in mine]),
            "ratio_to_echo": _median([row.rate / peer for row, peer in zip(mine, echo, strict=True)]),
            "processor_ms": _median([row.processor for row in mine]),
            "p50_ms": _median([row.p50 for row in mine]),
            "p99_ms": max(row.p99 for row in mine),
            "share_replied": min(row.replies for row in mine),
            "resident_megabytes": mine[-1].megabytes,
        }
        line = figures[name]
        print(
            f"{name:<12}{line['requests_per_second']:>8.0f}{line['ratio_to_echo']:>8.2f}"
            f"{line['processor_ms']:>8.2f}{line['p50_ms']:>8.1f}{line['p99_ms']:>8.1f}"
            f"{line['share_replied']:>9.0%}{line['resident_megabytes']:>8.0f}"
        )
    print("\nwhere the time of one message goes (SQLite, one thread, microseconds, median)")
    for stage, microseconds in stages.items():
        print(f"  {stage:<46}{microseconds:>8.0f}")
    return {"servers": figures, "microseconds_by_stage": dict(stages)}
