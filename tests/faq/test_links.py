from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from commands.links import dead_links
from faq.knowledge import Entry, Knowledge


class Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response({"/here": 200, "/closed": 403}.get(self.path, 404))
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
