"""The playground's own HTTP server: what a bot meets when a platform cannot be reached."""

from __future__ import annotations

import socket

import pytest
import requests

from playground.platform.server import HOST, Server


def greeting(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


def test_a_server_that_refuses_keeps_its_port_and_listens_on_it_again() -> None:
    server = Server(greeting)
    server.refuse()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, server.port))
    with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
        stranger.bind((HOST, server.port))

    server.accept()
    assert requests.get(server.url, timeout=5).text == "ok"
    server.close()
