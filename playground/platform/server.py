"""A threaded HTTP server on loopback that can also refuse connections."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

HOST = "127.0.0.1"
EVERYWHERE = ("0.0.0.0", "::")


class _Handler(WSGIRequestHandler):
    # Head and body leave in two writes; waiting for the first one's acknowledgement would cost 40 ms a call.
    disable_nagle_algorithm = True
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        """Stays quiet: access lines would hold tokens."""


class _TrackingServer(ThreadedWSGIServer):
    """Knows its open connections, so that refusing also ends the ones kept alive."""

    request_queue_size = 256

    def __init__(self, host: str, port: int, app: Callable[..., Iterable[bytes]]) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(host, port, app, handler=_Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def drop_connections(self) -> None:
        for connection in list(self._open):
            with contextlib.suppress(OSError):  # already gone
                connection.shutdown(socket.SHUT_RDWR)


class Server:
    """Serves one WSGI app; port 0 takes a free one, which is then kept over refusing and accepting.

    ``url`` is where this machine reaches it.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]], port: int = 0, host: str = HOST) -> None:
        self._app = app
        self._held: socket.socket | None = None
        self._server: _TrackingServer | None = self._start(host, port)
        self.host = host
        self.port: int = self._server.server_port
        self.url = f"http://{_reachable(host)}:{self.port}"

    def refuse(self) -> None:
        """From now on nobody listens on the port, and nobody else can take it."""
        if self._server is not None:
            self._stop(self._server)
            self._server = None
            self._held = _bound(self.host, self.port)

    def accept(self) -> None:
        """Listens again on the same port."""
        if self._server is None:
            self._server = self._start(self.host, self.port)
            self._let_go()

    def close(self) -> None:
        if self._server is not None:
            self._stop(self._server)
            self._server = None
        self._let_go()

    def _let_go(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None

    def _start(self, host: str, port: int) -> _TrackingServer:
        server = _TrackingServer(host, port, self._app)
        self._thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return server

    def _stop(self, server: _TrackingServer) -> None:
        server.shutdown()
        self._thread.join()  # it closes the listening socket
        server.drop_connections()


def _bound(host: str, port: int) -> socket.socket:
    """A socket that has the port without listening on it: who connects is refused."""
    held = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind((host, port))
    return held


def _reachable(host: str) -> str:
    if host in EVERYWHERE:
        return HOST
    return f"[{host}]" if ":" in host else host
