from __future__ import annotations

import base64
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import requests

from playground import demo_data, samples
from playground.wechat import WeChat
from tests.playground.conftest import Api, EchoBot


def test_people_chats_and_sending_are_steered_over_http(wechat: WeChat, bot: EchoBot) -> None:
    base = f"{wechat.oa.server.url}/_control"

    people = requests.get(f"{base}/people", timeout=5).json()
    sent = requests.post(f"{base}/send", json={"person": "王桂兰", "text": "在吗"}, timeout=5).json()
    chat = requests.get(f"{base}/chat", params={"person": "王桂兰"}, timeout=5).json()
    later = requests.get(f"{base}/chat", params={"person": "王桂兰", "since": chat[0]["id"]}, timeout=5).json()

    assert {"name": "张团长", "role": "leader"} in people
    assert sent == {"tries": 1, "accepted": True}
    assert [(bubble["speaker"], bubble["text"]) for bubble in chat] == [("person", "在吗"), ("bot", "在吗")]
    assert [bubble["speaker"] for bubble in later] == ["bot"]


def test_a_photo_is_sent_over_http_and_shown_in_the_chat(wechat: WeChat) -> None:
    base = f"{wechat.oa.server.url}/_control"
    photo = base64.b64encode(samples.photo("bad-apple-1.jpg")).decode()

    requests.post(f"{base}/send", json={"person": "王桂兰", "photo": photo}, timeout=5)

    chat = requests.get(f"{base}/chat", params={"person": "王桂兰"}, timeout=5).json()
    assert (chat[0]["kind"], chat[0]["media"]) == ("image", photo)


def test_a_page_of_another_site_cannot_send(wechat: WeChat, bot: EchoBot) -> None:
    form = '{"person": "王桂兰", "text": "在吗"}'.encode()

    response = requests.post(
        f"{wechat.oa.server.url}/_control/send", data=form, headers={"Content-Type": "text/plain"}, timeout=5
    )

    assert response.status_code == 415
    assert bot.heard == []


def test_control_is_refused_from_elsewhere(wechat: WeChat) -> None:
    client = wechat.oa.app.test_client()

    response = client.get("/_control/people", environ_base={"REMOTE_ADDR": "192.0.2.1"})

    assert response.status_code == 403


def test_reset_empties_screens_counters_faults_and_windows(wechat: WeChat, oa: Api) -> None:
    wechat.person("王桂兰").send("在吗")
    wechat.oa.faults.answer(-1, times=None)
    requests.post(f"{wechat.oa.server.url}/_control/reset", json={}, timeout=5)

    assert wechat.person("王桂兰").chat() == []
    body = {"touser": "oWang", "msgtype": "text", "text": {"content": "您好"}}
    assert oa.post("message/custom/send", body)["errcode"] == 40003
    assert wechat.oa.calls("message/custom/send") == 1


def test_the_process_serves_both_platforms_and_ends_on_sigterm(tmp_path: Path) -> None:
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
        finally:
            process.send_signal(signal.SIGTERM)
        code = process.wait(10)

    assert answer["errcode"] == 0
    assert code == 0


def _two_free_ports() -> int:
    """A free port whose next one is free too."""
    while True:
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            port: int = one.getsockname()[1]
            try:
                other.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
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
