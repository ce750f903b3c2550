"""The page's addresses, under ``/playground/``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify, request, send_from_directory

from playground import samples
from playground.inspection import NotToBeSeen
from playground.page.guard import Unfit, check_request, protect
from playground.page.inside import inside
from playground.page.live import Live
from playground.page.performance import Performance
from playground.page.sending import sample, send
from playground.platform.media import content_type_of
from playground.wechat import WeChat

STATIC = Path(__file__).parent / "static"


def page_routes(wechat: WeChat) -> Blueprint:
    """``/healthz``, the page itself, and below ``/playground/api/`` what it asks for and asks to be done."""
    routes = Blueprint("page", __name__)
    page = Blueprint("playground", __name__, url_prefix="/playground")
    performance = Performance(wechat)
    live = Live(wechat, performance)

    page.before_request(lambda: check_request(wechat.oa.server.host))
    page.after_request(protect)
    _add_files(page, wechat)
    _add_actions(page, wechat, performance)

    @routes.get("/healthz")
    def health() -> Response:
        return Response("ok", content_type="text/plain")

    @page.get("/api/scene")
    def scene() -> Response:
        photos = [f"{subject}-1.jpg" for subject in samples.SUBJECTS]
        return jsonify(people=_people(wechat), scenarios=performance.programme(), photos=photos)

    @page.get("/api/events")
    def events() -> Response:
        return Response(live.stream(request.headers.get("Last-Event-ID", "")), content_type="text/event-stream")

    @page.get("/api/inside/<int:bubble>")
    def look_inside(bubble: int) -> Response:
        return jsonify(inside(wechat, bubble))

    routes.register_blueprint(page)
    return routes


def _people(wechat: WeChat) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "role": who.role,
            "elder": who.elder,
            "door": who.platform.name,
            "members": list(who.members),
        }
        for name, who in wechat.screens.items()
    ]


def _add_files(page: Blueprint, wechat: WeChat) -> None:
    @page.get("/")
    def index() -> Response:
        return send_from_directory(STATIC, "index.html")

    @page.get("/static/<path:name>")
    def static_file(name: str) -> Response:
        return send_from_directory(STATIC, name)

    @page.get("/samples/<name>")
    def sample_photo(name: str) -> Response:
        return Response(sample(name), content_type="image/jpeg")

    @page.get("/media/<int:bubble_id>")
    def media(bubble_id: int) -> Response:
        for _, _, bubble in wechat.world.changes(0):
            if bubble.id == bubble_id and bubble.media is not None:
                return Response(bubble.media, content_type=content_type_of(bubble.kind, bubble.media))
        return Response("没有这个文件。", 404, content_type="text/plain; charset=utf-8")


def _add_actions(page: Blueprint, wechat: WeChat, performance: Performance) -> None:
    @page.post("/api/send")
    def send_something() -> tuple[Response, int]:
        send(wechat, _body())
        return jsonify(ok=True), 202

    @page.post("/api/play")
    def play() -> Response:
        body = _body()
        performance.start(str(body.get("scenario")), door=str(body.get("door") or wechat.oa.name))
        return jsonify(ok=True)

    @page.post("/api/stop")
    def stop() -> Response:
        performance.stop()
        return jsonify(ok=True)

    @page.post("/api/reset")
    def reset() -> Response:
        performance.stop()
        performance.forget()
        wechat.inspection.forget()
        wechat.reset()
        return jsonify(ok=True)

    @page.errorhandler(Unfit)
    @page.errorhandler(NotToBeSeen)
    def tell(error: Exception) -> tuple[Response, int]:
        return jsonify(problem=str(error)), 422


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Unfit("这不是一条能看懂的请求。")
    return body
