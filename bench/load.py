"""A load generator that costs little itself: prepared requests over a few kept connections, in a process of its own."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

_PATIENCE = 10.0


@dataclass(slots=True)
class LoadResult:
    """What one run saw. ``seconds`` is its length, ``latencies`` the time of each answer in seconds, in no order."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    with_reply: int = 0

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """The latency in seconds that this share of the answers kept."""
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


class _Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.sent_at = 0.0

    def send(self, request: bytes) -> None:
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> tuple[int, bytes] | None:
        """Status and body once a whole answer is there. Raises EOFError when the server has hung up."""
        received = self.socket.recv(65536)
        if not received:
            raise EOFError("the server closed the connection before it had answered")
        self.buffer += received
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return None
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        if len(rest) < length:
            return None
        self.buffer = rest[length:]
        return int(head[9:12]), rest[:length]


def http_post(path: str, body: bytes) -> bytes:
    """One HTTP/1.1 request, ready to be written."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def run_load(port: int, requests: Sequence[bytes], connections: int, seconds: float) -> LoadResult:
    """Sends the requests in order over ``connections``, each connection one at a time, until all are answered.

    After ``seconds`` no further one is sent. Raises ``EOFError`` when the server closes a connection, and
    ``TimeoutError`` when it answers nothing for ten seconds.
    """
    result = LoadResult()
    waiting = iter(requests)
    selector = selectors.DefaultSelector()
    started = time.perf_counter()
    open_connections = 0
    for _ in range(connections):
        connection = _Connection(port)
        request = next(waiting, None)
        if request is None:
            break
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(request)
        open_connections += 1
    while open_connections:
        ready = selector.select(_PATIENCE)
        if not ready:
            raise TimeoutError(f"no answer for {_PATIENCE:g} s, after {len(result.latencies)} answers")
        for key, _ in ready:
            connection = key.data
            answer = connection.receive()
            if answer is None:
                continue
            now = time.perf_counter()
            result.latencies.append(now - connection.sent_at)
            result.statuses[answer[0]] = result.statuses.get(answer[0], 0) + 1
            result.with_reply += b"<Encrypt>" in answer[1]
            request = next(waiting, None) if now - started < seconds else None
            if request is None:
                selector.unregister(connection.socket)
                connection.socket.close()
                open_connections -= 1
            else:
                connection.send(request)
    result.seconds = time.perf_counter() - started
    return result
