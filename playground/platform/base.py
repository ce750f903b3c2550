"""What both platforms share: an HTTP API with tokens, media and faults, and callbacks to the bot."""

from __future__ import annotations

import json
import socket
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, Response, g, jsonify, request

from playground.inspection import message_key
from playground.platform import payloads, xml
from playground.platform.callbacks import Callback, Crypto, Delivery, Envelope, Reply, Wire
from playground.platform.errors import ApiError
from playground.platform.faults import Delivered, Fault, Faults
from playground.platform.ledger import Ledger
from playground.platform.media import MEGABYTE, MediaStore
from playground.platform.payloads import Payload
from playground.platform.server import HOST, Server
from playground.platform.xml import Fields
from playground.traffic import ApiCall, Try
from playground.world import Bubble, World

API = "/cgi-bin/"
TRIES = 3
TEXT_LIMIT = 2048  # bytes of UTF-8
LONGEST_KEPT = 8192  # bytes of a body that the traffic keeps
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the platform is content with an answer, the reply in it, and whether it tries again."""

    accepted: bool
    reply: Reply | None = None
    again: bool = False


class Platform(ABC):
    """One platform with one account of the bot on it.

    ``name`` is the bot's channel name. ``faults`` takes requests for misbehaviour, ``wire`` leads to the bot,
    ``ledger`` keeps what the bot sent. ``whole_up_to`` is the size in bytes above which a file is given only in parts
    (doc 90254: ask for a Range); None where the platform knows no such limit.
    ``receiver`` is what callbacks are addressed to; ``envelope`` is added to each of them.
    State is guarded by the world's lock; no lock is held while the bot is called or a fault hangs.
    """

    whole_up_to: int | None = None
    wire_type: type[Wire] = Wire

    def __init__(
        self, name: str, world: World, crypto: Crypto, *, receiver: str, envelope: Fields, callback_timeout: float
    ) -> None:
        self.name = name
        self.receiver = receiver
        self.envelope = envelope
        self.world = world
        self.faults = Faults()
        self.ledger = Ledger()
        self.media = MediaStore(world.clock)
        self.wire = self.wire_type(crypto, world.clock, timeout=callback_timeout)
        self.app = Flask(f"playground.{name}")
        self.app.config["MAX_CONTENT_LENGTH"] = 24 * MEGABYTE
        self._server: Server | None = None
        self._calls: Counter[str] = Counter()
        self._replied: set[str] = set()
        self._held: list[Callable[[], object]] = []
        self._add_hooks()
        self._add_media_routes()
        self.add_routes()

    # --- the HTTP server

    def open(self, port: int = 0, host: str = HOST) -> None:
        """Starts to serve the API, on loopback when not told otherwise; port 0 takes a free one."""
        self._server = Server(self.app, port, host)

    @property
    def server(self) -> Server:
        if self._server is None:
            raise RuntimeError(f"the platform {self.name} is not open yet: call open() first")
        return self._server

    def close(self) -> None:
        self.faults.clear()
        if self._server is not None:
            self._server.close()

    def reset(self) -> None:
        """Behaves again, listens again, and forgets the counters."""
        self.faults.clear()
        self.server.accept()
        with self.world.changed:
            self._calls.clear()
            self._held.clear()
            self.ledger.clear()

    def calls(self, path: str) -> int:
        """How often the bot called ``path`` (written without ``/cgi-bin/``), faulty calls included."""
        with self.world.changed:
            return self._calls[path]

    # --- what differs

    @abstractmethod
    def add_routes(self) -> None:
        """Adds the API's own addresses to ``self.app``."""

    @abstractmethod
    def check_token(self, token: str) -> None:
        """Raises ``ApiError`` unless the token is good."""

    @abstractmethod
    def expire_tokens(self) -> None:
        """Ends every access token now."""

    @abstractmethod
    def verify(self) -> bool:
        """Asks the bot to prove that it knows the token, as the platform does when the address is saved."""

    @abstractmethod
    def seal(self, callback: Callback) -> Envelope:
        """A callback signed and encrypted, anew for each try."""

    @abstractmethod
    def judge(self, callback: Callback, answer: tuple[int, str] | None) -> Verdict:
        """What the platform makes of one try."""

    # --- callbacks

    def send(self, account: str, payload: Payload) -> Delivery:
        """Delivers what a person did; returns when the bot has answered or the platform has given up."""
        return self.deliver(self._compose(account, payload))

    def deliver(self, callback: Callback) -> Delivery:
        """Delivers a callback (again): the first copy's outcome, however many copies a fault asked for.

        One that a fault drops or holds back has had no tries when this returns.
        """
        delivery = self._through_faults("callbacks", lambda: self._deliver_one(callback))
        return delivery or Delivery(callback, tries=0, status=None, accepted=True)

    def poll(self, callback: Callback) -> tuple[int, str] | None:
        """Asks once how an answer goes on: status and body, None without an answer.

        One that a fault drops or holds back has none when this returns; what is answered to it later, or to a further
        copy of it, is not looked at.
        """
        return self._through_faults("polls", lambda: self._try(callback))

    def deliver_held(self) -> None:
        """Delivers what a fault has held back, last one first."""
        with self.world.changed:
            held, self._held = self._held, []
        for deliver in reversed(held):
            deliver()

    def _through_faults(self, delivered: Delivered, deliver: Callable[[], T]) -> T | None:
        """Delivers, as often and as late as a fault says; None for what it drops or holds back."""
        fault = self.faults.on_delivery(delivered)
        if fault is not None and fault.act == "drop":
            return None
        if fault is not None and fault.act == "hold":
            with self.world.changed:
                self._held.append(deliver)
            return None
        if fault is not None and fault.act == "delay":
            self.faults.wait(fault)
        first = _copies(deliver, fault) if fault is not None and fault.act == "copy" else deliver()
        self.deliver_held()
        return first

    def open_callback(self, query: Mapping[str, str], document: str) -> str:
        """A callback as it went over the wire, decrypted."""
        names = ("msg_signature", "timestamp", "nonce")
        return self.wire.crypto.decrypt_message(xml.read(document), *(query[name] for name in names))

    def inbox_key(self, key: str, document: str) -> str:
        """By what the bot finds this callback, opened, in its own records."""
        return message_key(xml.read(document))

    def whole(self, key: str, document: str) -> str:
        """All that the bot got to read because of this callback."""
        return document

    def _compose(self, account: str, payload: Payload) -> Callback:
        now = self.timestamp()
        fields: Payload = {"ToUserName": self.receiver, "FromUserName": account, "CreateTime": now, **payload}
        key = f"{account}-{now}-{payload.get('Event')}-{payload.get('EventKey')}"
        if payload["MsgType"] != "event":
            key = str(self.world.next_message_id())
            fields["MsgId"] = int(key)
        return Callback(key, account, xml.write({**fields, **self.envelope}))

    def _deliver_one(self, callback: Callback) -> Delivery:
        tries, again = 0, True
        while again and tries < TRIES:
            tries += 1
            answer = self._try(callback)
            verdict = self.judge(callback, answer)
            again = verdict.again
        if verdict.reply is not None:
            self._show_reply(callback, verdict.reply)
        return Delivery(callback, tries, answer[0] if answer else None, verdict.accepted, verdict.reply)

    def _try(self, callback: Callback) -> tuple[int, str] | None:
        """One try: status and body, None without an answer."""
        envelope, began, at = self.seal(callback), time.monotonic(), self.world.clock.wire()
        response = self.wire.post(envelope.query, envelope.document)
        answer = None if response is None else (response.status_code, response.text)
        status, body = answer or (None, None)
        kept = Try(at, envelope.query, envelope.document, status, body, time.monotonic() - began)
        with self.world.changed:
            self.world.traffic.tried(callback.key, callback.account, kept)
        return answer

    def _show_reply(self, callback: Callback, reply: Reply) -> None:
        """A message is answered once, however many copies of it were."""
        with self.world.changed:
            if callback.key in self._replied:
                return
            self._replied.add(callback.key)
            self.world.show(self.name, callback.account, "bot", reply.kind, reply.text, reply.media)

    def read_reply(self, callback: Callback, body: str) -> Reply:
        """A passive reply; ``ValueError`` when the platform would not take it."""
        fields = xml.read(self.wire.open(body))
        kind = fields.get("MsgType", "")
        if fields.get("ToUserName") != callback.account or not kind:
            raise ValueError("the reply is not for the one who wrote")
        text = fields.get("Content", "")
        if len(text.encode()) > TEXT_LIMIT or (kind == "text" and not text):
            raise ValueError("the reply's text is empty or too long")
        return Reply(kind, text, self._reply_media(fields, kind))

    def _reply_media(self, fields: Mapping[str, str], kind: str) -> bytes | None:
        if kind not in ("image", "voice"):
            return None
        try:
            with self.world.changed:
                return self.media.get(fields.get(kind.capitalize(), "")).content
        except ApiError as error:
            raise ValueError("the reply names no stored media") from error

    # --- what people send

    def add_photo(self, content: bytes) -> Payload:
        with self.world.changed:
            item = self.media.add("image", content)
        return payloads.image(item.id, f"{self.server.url}/media/{item.id}")

    def tap_card(self, account: str, bubble: Bubble, key: str) -> Delivery:
        """Somebody taps a button of a card; ``ValueError`` where the card, or the platform, has none such."""
        raise ValueError(f"there are no cards on the platform {self.name}")

    def add_video(self, content: bytes) -> Payload:
        with self.world.changed:
            return payloads.video(self.media.add("video", content).id, self.media.add("image", content).id)

    @abstractmethod
    def add_voice(self, content: bytes, recognition: str) -> Payload:
        """A voice message; what the platform tells of its words differs."""

    # --- the API's common part

    def _add_hooks(self) -> None:
        self.app.before_request(self._before)
        self.app.after_request(self._after)

        @self.app.errorhandler(ApiError)
        def refuse(error: ApiError) -> Response:
            if "is_asked_for" not in g:
                with self.world.changed:
                    self.ledger.refused[error.errcode] += 1
            return jsonify(errcode=error.errcode, errmsg=error.errmsg)

    def _before(self) -> Response | None:
        if not request.path.startswith(API):
            return None
        path = request.path.removeprefix(API)
        with self.world.changed:
            self._calls[path] += 1
            self.world.changed.notify_all()
        fault: Fault | None = self.faults.on_call(path)
        if fault is None:
            return None
        if fault.act == "answer":
            g.is_asked_for = True
            raise ApiError(fault.errcode)
        if fault.act == "expire":
            self.expire_tokens()
            return None
        if fault.act == "hang":
            self.faults.wait(fault)
            return Response(status=504)
        if fault.act == "cut":
            request.get_data()
            request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            return Response(status=504)
        g.fault = fault
        return None

    def _after(self, response: Response) -> Response:
        if "fault" in g:
            self.faults.wait(g.fault)
        if request.path.startswith(API):
            self._remember_call(response)
        return response

    def _remember_call(self, response: Response) -> None:
        sent = request.get_data(as_text=True)[:LONGEST_KEPT] if not request.files else ""
        answered = response.get_data(as_text=True)[:LONGEST_KEPT] if response.is_json else ""
        path = request.path.removeprefix(API)
        call = ApiCall(self.world.clock.wire(), self.name, request.method, path, sent, answered)
        with self.world.changed:
            self.world.traffic.called(call)

    def _add_media_routes(self) -> None:
        @self.app.post(API + "media/upload")
        def upload() -> Response:
            self.authorise()
            file = request.files.get("media")
            if file is None:
                raise ApiError(41005)
            kind = request.args.get("type", "")
            with self.world.changed:
                item = self.media.add(kind, file.read())
            return jsonify(errcode=0, errmsg="ok", type=kind, media_id=item.id, created_at=self.timestamp())

        @self.app.get(API + "media/get")
        def download() -> Response:
            self.authorise()
            return self.download(request.args.get("media_id", ""))

        @self.app.get("/media/<media_id>")
        def picture(media_id: str) -> Response:
            return self.download(media_id)

    def download(self, media_id: str) -> Response:
        with self.world.changed:
            item = self.media.get(media_id)
        size = len(item.content)
        if self.whole_up_to is not None and size > self.whole_up_to and "Range" not in request.headers:
            raise ApiError(830002)
        response = Response(item.content, content_type=item.content_type)
        response.headers["Content-Disposition"] = f'attachment; filename="{item.filename}"'
        response.make_conditional(request, accept_ranges=True, complete_length=size)
        return response

    def authorise(self) -> None:
        with self.world.changed:
            self.check_token(request.args.get("access_token", ""))

    def authorised_json(self) -> dict[str, Any]:
        """The request's JSON object; ``ApiError`` for a bad token or what is not an object."""
        self.authorise()
        return json_object(request.get_data())

    def timestamp(self) -> int:
        return int(self.world.clock.wire().timestamp())

    def take_media(self, body: Mapping[str, Any], kind: str) -> bytes:
        part = body.get(kind)
        media_id = part.get("media_id", "") if isinstance(part, dict) else ""
        return self.media.get(str(media_id)).content


def _copies(deliver: Callable[[], T], fault: Fault) -> T:
    """Delivers several times; what came of the first."""
    if not fault.parallel:
        first, *_ = [deliver() for _ in range(fault.number)]
        return first
    start = threading.Barrier(fault.number)

    def together(_: int) -> T:
        start.wait()
        return deliver()

    with ThreadPoolExecutor(fault.number) as threads:
        first, *_ = threads.map(together, range(fault.number))
        return first


def json_object(data: bytes) -> dict[str, Any]:
    try:
        body = json.loads(data)
    except ValueError:
        raise ApiError(47001) from None
    if not isinstance(body, dict):
        raise ApiError(47001)
    return body


def text_of(body: Mapping[str, Any], kind: str) -> str:
    """The words of a text or markdown message; ``ApiError`` 44004 without any."""
    part = body.get(kind)
    content = part.get("content") if isinstance(part, dict) else None
    if not isinstance(content, str) or not content:
        raise ApiError(44004)
    return content
