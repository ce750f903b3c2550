from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

import pytest

from commands.links import dead_links
from faq.knowledge import Entry, Knowledge


class Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = urlsplit(self.path).path  # a proxy is asked with the whole address
        self.send_response({"/here": 200, "/closed": 403}.get(path, 404))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing in tests."""


@pytest.fixture
def site() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_only_links_that_lead_nowhere_are_named_with_every_entry_that_has_them(
    site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    entries = [
        Entry("a", "问", answer=f"看这里：{site}/here。或者{site}/gone，好吗"),
        Entry("b", "问二", answer=f"见{site}/closed", elder=f"见 {site}/gone"),
        Entry("c", "问三", answer="没有链接"),
    ]
    found = [(entry.id, finding) for entry, finding in dead_links(Knowledge(entries))]
    assert [entry_id for entry_id, _ in found] == ["a", "b"]
    assert all(f"{site}/gone answers 404" in finding for _, finding in found)


def test_a_server_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    ((_, finding),) = dead_links(Knowledge([Entry("a", "问", answer="http://127.0.0.1:1/x")]))
    assert "cannot be reached" in finding


def test_links_that_are_written_without_http_are_asked_for_too(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", site)
    entries = [
        Entry("a", "问", answer="请看www.shop.example/here，或 WWW.shop.example/gone。"),
        Entry("b", "问二", answer="在m.shop.com.cn/gone下单，发票写信到 bill@shop.com 索取"),
    ]
    found = [(entry.id, finding) for entry, finding in dead_links(Knowledge(entries))]
    assert [entry_id for entry_id, _ in found] == ["a", "b"]
    assert found[0][1].startswith("the link WWW.shop.example/gone answers 404")
    assert found[1][1].startswith("the link m.shop.com.cn/gone answers 404")
