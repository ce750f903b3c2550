"""Who may look and who may act: the page's own origin only, and nothing from elsewhere on the page."""

from __future__ import annotations

from ipaddress import ip_address
from typing import NoReturn
from urllib.parse import urlsplit

from flask import Response, abort, request

from playground.platform.server import EVERYWHERE

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)


class Unfit(Exception):
    """A request that cannot be carried out; the text tells the person at the page where the mistake is."""


def check_request(host: str) -> None:
    """Stops a request under a name that leads here only by a trick, or one that a foreign page could have made.

    ``host`` is what the server was told to listen on.
    """
    name = urlsplit(f"//{request.host}").hostname or ""
    if not _is_ours(name, host):
        _refuse(421, f"这个演示不用 {name} 这个名字，请用 http://127.0.0.1 打开。")
    if request.method != "GET":
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != request.host:
            _refuse(403, "只有这个页面自己能操作手机。")
        if request.mimetype != "application/json":
            _refuse(415, "请用 JSON。")


def protect(response: Response) -> Response:
    """Adds the headers that keep everything foreign out."""
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers.setdefault("Cache-Control", "no-cache")
    return response


def _is_ours(name: str, host: str) -> bool:
    """A name that somebody else's DNS could lead here is not ours; a bare address is where we listen everywhere."""
    if name in ("localhost", host):
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or host in EVERYWHERE


def _refuse(status: int, words: str) -> NoReturn:
    abort(Response(words, status, content_type="text/plain; charset=utf-8"))
