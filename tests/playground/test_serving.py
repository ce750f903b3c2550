from __future__ import annotations

import random
import signal
import socket
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import requests

from playground import demo_data
from playground.wechat import WeChat
from tests.playground.conftest import Api


def test_reset_empties_screens_counters_faults_and_windows(wechat: WeChat, oa: Api) -> None:
    wechat.person("王桂兰").send("在吗")
    wechat.oa.faults.answer(-1, times=None)
    wechat.clock.advance(hours=49)
    wechat.reset()

    assert wechat.person("王桂兰").chat() == []
    body = {"touser": "oWang", "msgtype": "text", "text": {"content": "您好"}}
    assert oa.post("message/custom/send", body)["errcode"] == 40003
    assert wechat.oa.calls("message/custom/send") == 1
    assert wechat.clock.now() - wechat.clock.wire() < timedelta(seconds=1)


def test_the_process_serves_both_platforms_and_ends_on_sigterm_while_a_page_is_open(tmp_path: Path) -> None:
    port = _two_free_ports()
    command = (
        sys.executable,
        "-m",
        "playground",
        "--port",
        str(port),
        "--data-dir",
        str(tmp_path),
        "--bot-url",
        "http://127.0.0.1:9",
    )
    with subprocess.Popen(command) as process:
        try:
            _wait_for(f"http://127.0.0.1:{port}/healthz", process)
            secrets = demo_data.credentials(tmp_path)
            query = {"corpid": secrets.corp_id, "corpsecret": secrets.app_secret}
            answer = requests.get(f"http://127.0.0.1:{port + 1}/cgi-bin/gettoken", params=query, timeout=5).json()
            stream = requests.get(f"http://127.0.0.1:{port}/playground/api/events", stream=True, timeout=5)
            first = next(stream.iter_lines())
        finally:
            process.send_signal(signal.SIGTERM)
        code = process.wait(10)

    assert answer["errcode"] == 0
    assert first.startswith(b"id: ")
    assert code == 0


def _two_free_ports() -> int:
    """A free port whose next one is free too, below those that systems give to whoever asks for any."""
    while True:
        port = random.randrange(20_000, 32_000, 2)
        with socket.socket() as one, socket.socket() as other:
            try:
                one.bind(("127.0.0.1", port))
                other.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if requests.get(address, timeout=1).status_code == 200:
                return
        except requests.ConnectionError:
            time.sleep(0.05)  # nobody tells us when another process listens
    raise AssertionError("the playground did not come up")
