"""Steering the small WeChat over HTTP, for `up` and for a page: JSON, from this machine only."""

from __future__ import annotations

import base64
import binascii
from ipaddress import ip_address
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, jsonify, request

from playground.phones import Person
from playground.platform.callbacks import Delivery
from playground.world import Bubble

if TYPE_CHECKING:
    from playground.wechat import WeChat


def control_routes(wechat: WeChat) -> Blueprint:
    """``people``, ``chat?person=&since=``, ``send`` and ``reset`` under ``/_control``, and ``/healthz``.

    ``send`` takes ``{"person", "text"}``, or ``photo`` or ``voice`` in base64 (with ``recognition``).
    """
    routes = Blueprint("control", __name__)

    @routes.before_request
    def only_from_here() -> None:
        if not ip_address(request.remote_addr or "0.0.0.0").is_loopback:
            abort(403)

    @routes.get("/healthz")
    def health() -> Response:
        return Response("ok", content_type="text/plain")

    @routes.get("/_control/people")
    def people() -> Response:
        return jsonify([{"name": who.name, "role": who.role} for who in wechat.people.values()])

    @routes.get("/_control/chat")
    def chat() -> Response:
        person = wechat.person(request.args["person"])
        since = request.args.get("since", 0, int)
        return jsonify([_bubble(bubble) for bubble in person.chat(since)])

    @routes.post("/_control/send")
    def send() -> Response:
        body = request.get_json()  # insists on application/json, which a foreign page cannot post unasked
        delivery = _send(wechat.person(body["person"]), body)
        return jsonify(tries=delivery.tries, accepted=delivery.accepted)

    @routes.post("/_control/reset")
    def reset() -> Response:
        request.get_json()
        wechat.reset()
        return jsonify(ok=True)

    return routes


def _send(person: Person, body: dict[str, str]) -> Delivery:
    try:
        if "photo" in body:
            return person.send_photo(base64.b64decode(body["photo"], validate=True))
        if "voice" in body:
            return person.send_voice(base64.b64decode(body["voice"], validate=True), body.get("recognition", ""))
        return person.send(body["text"])
    except (KeyError, binascii.Error):
        abort(400, "send one of: text, photo or voice (base64)")


def _bubble(bubble: Bubble) -> dict[str, object]:
    return {
        "id": bubble.id,
        "speaker": bubble.speaker,
        "kind": bubble.kind,
        "text": bubble.text,
        "at": bubble.at.isoformat(),
        "media": base64.b64encode(bubble.media).decode() if bubble.media else None,
    }
