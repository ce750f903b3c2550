"""A smart bot (智能机器人) in WeCom: single chats and groups of members, who call it with @.

Sources: developer.work.weixin.qq.com documents 100719 (messages), 101027 (events), 101031 (answers), 101033 (cipher),
101138 (response_url). Whether messages are tried again is not documented; it is done here as for an app's callbacks.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import Any

from flask import Response, jsonify, request
from wechatpy.enterprise.crypto import WeChatCrypto

from playground.platform.aibot_replies import BotReply, Occasion, read_bot_reply, read_card_answer, read_markdown
from playground.platform.base import API, Platform, Verdict, json_object
from playground.platform.callbacks import Callback, Delivery, Envelope, Reply, Wire
from playground.platform.errors import ApiError
from playground.platform.payloads import Payload
from playground.platform.sealed_files import SealedFiles
from playground.world import Bubble, World

CHINA = timezone(timedelta(hours=8))
STREAM_LASTS = timedelta(minutes=6)  # from the member's message on
ANSWER_LASTS = timedelta(hours=1)
AT_ONCE = 3  # messages of one member that are being answered
TOO_MANY = "机器人还在回答您前面的消息，请稍后再发"
FILES = "/files/"
MENU = "menu-"  # how the bot names the cards of its menus: it knows a choice again by card and member

Content = dict[str, Any]


@dataclass(frozen=True, slots=True)
class BotCallback(Callback):
    """``account`` is the chat: a group's chatid, or the member's own userid. ``trigger`` is what answers quote."""

    member: str = ""
    occasion: Occasion = "message"
    began: datetime = datetime.min
    trigger: str = ""
    task_id: str = ""
    bubble_id: int = 0


@dataclass(slots=True)
class Stream:
    """An answer that goes on until its end."""

    callback: BotCallback
    id: str
    bubble: Bubble
    has_card: bool


@dataclass(slots=True)
class Door:
    """What a ``response_url`` leads to."""

    callback: BotCallback
    until: datetime
    used: bool = False


@dataclass(frozen=True, slots=True)
class Chat:
    """A group: its name, and the names of its members by their userids."""

    name: str
    members: Mapping[str, str] = field(default_factory=dict)


class JsonWire(Wire):
    """Callbacks and answers as JSON around the same cipher."""

    content_type = "application/json"

    def open(self, document: str) -> str:
        try:
            body = json.loads(document)
            sealed = {"Encrypt": body["encrypt"]}
            return self.crypto.decrypt_message(sealed, body["msgsignature"], str(body["timestamp"]), body["nonce"])
        except Exception as error:  # wechatpy lets any kind of error out for what it cannot decrypt
            raise ValueError("not encrypted for this bot") from error


class Aibot(Platform):
    """One bot. ``rooms`` are the groups it is in, by chatid; ``poll_every`` is in seconds.

    On top of it, ``playground.groups.Group`` is a group's screen, and ``playground.phones.Person`` a single chat.
    """

    wire_type = JsonWire

    def __init__(
        self,
        name: str,
        world: World,
        *,
        bot_id: str,
        bot_name: str,
        token: str,
        aes_key: str,
        rooms: Mapping[str, Chat] | None = None,
        callback_timeout: float = 5.0,
        poll_every: float = 1.0,
    ) -> None:
        self.bot_name = bot_name
        self.rooms = dict(rooms or {})
        self._bot_id = bot_id
        self._poll_every = poll_every
        self._files = SealedFiles(aes_key, world.clock)
        self._nonces: dict[str, set[str]] = {}
        self._open: Counter[str] = Counter()
        self._streams: dict[str, Stream] = {}
        self._doors: dict[str, Door] = {}
        self._task_ids: set[str] = set()
        self._feedback: dict[int, str] = {}
        self._welcomed: set[tuple[str, date]] = set()
        self._closing = threading.Event()
        crypto = WeChatCrypto(token, aes_key, "")
        super().__init__(name, world, crypto, receiver="", envelope={}, callback_timeout=callback_timeout)

    # --- what members do

    def post(self, chat: str, member: str, content: Content, trigger: str) -> Delivery:
        """A message to the bot, in the platform's own fields; ``trigger`` is how an answer in a group quotes it.

        A member's fourth message at once is not delivered: the client says so instead.
        """
        callback = self._callback(chat, member, "message", content, trigger=trigger, with_door=True)
        with self.world.changed:
            if self._open[member] >= AT_ONCE:
                self.world.show(self.name, chat, "platform", "notice", TOO_MANY)
                return Delivery(callback, tries=0, status=None, accepted=False)
            self._open[member] += 1
        try:
            return self.deliver(callback)
        finally:
            with self.world.changed:
                if callback.key not in self._streams:
                    self._open[member] -= 1

    def tap(self, chat: str, member: str, bubble: Bubble, key: str) -> Delivery:
        """A member taps a button of a card: one request, never repeated."""
        card = self.world.card(self.name, chat, bubble.id, member)
        card.button(key)
        event = {"card_type": card.kind, "event_key": key, "task_id": card.task_id}
        callback = self._event(
            chat, member, "template_card_event", event, with_door=True, task_id=card.task_id, bubble_id=bubble.id
        )
        return self.deliver(callback)

    def judge_answer(
        self, chat: str, member: str, bubble: Bubble, kind: int, content: str = "", reasons: Sequence[int] = ()
    ) -> Delivery:
        """A member finds an answer good (1) or bad (2), or takes that back (3).

        ``content`` and ``reasons`` (1 beside the point, 2 incomplete, 3 wrong, 4 wrong analysis) go with a bad one.
        Raises ``ValueError`` for an answer whose sender asked for no feedback: it makes no event.
        """
        feedback_id = self._feedback.get(bubble.id)
        if feedback_id is None:
            raise ValueError("this answer has no feedback.id")
        event: Content = {"id": feedback_id, "type": kind}
        if kind == 2:
            event |= {"content": content, "inaccurate_reason_list": list(reasons)}
        return self.deliver(self._event(chat, member, "feedback_event", event))

    def enter(self, member: str) -> Delivery | None:
        """A member opens the single chat; only the first time of a day makes an event, else None."""
        today = self.world.clock.now().astimezone(CHINA).date()
        with self.world.changed:
            if (member, today) in self._welcomed:
                return None
            self._welcomed.add((member, today))
        return self.deliver(self._event(member, member, "enter_chat", None))

    def file_url(self, content: bytes) -> str:
        """Where the bot finds a file, encrypted, for the next five minutes."""
        with self.world.changed:
            return f"{self.server.url}{FILES}{self._files.add(content)}"

    # --- a single chat, as a person's phone knows it

    def send(self, account: str, payload: Payload) -> Delivery:
        kind = str(payload["MsgType"])
        if kind == "event":
            raise ValueError("a smart bot hears of no such event")
        content = {"text": ("content", "Content"), "voice": ("content", "Recognition")}.get(kind, ("url", "Url"))
        if kind not in ("text", "voice", "image", "file", "video"):
            raise ValueError(f"a smart bot gets no {kind}")
        body = {"msgtype": kind, kind: {content[0]: payload[content[1]]}}
        return self.post(account, account, body, str(payload.get("Content", "")))

    def add_photo(self, content: bytes) -> Payload:
        return {"MsgType": "image", "Url": self.file_url(content)}

    def add_video(self, content: bytes) -> Payload:
        return {"MsgType": "video", "Url": self.file_url(content)}

    def add_voice(self, content: bytes, recognition: str) -> Payload:
        return {"MsgType": "voice", "Recognition": recognition}

    def tap_card(self, account: str, bubble: Bubble, key: str) -> Delivery:
        return self.tap(account, account, bubble, key)

    # --- callbacks

    def verify(self) -> bool:
        return self.wire.verify_sealed()

    def open_callback(self, query: Mapping[str, str], document: str) -> str:
        sealed = {"Encrypt": json.loads(document)["encrypt"]}
        names = ("msg_signature", "timestamp", "nonce")
        return self.wire.crypto.decrypt_message(sealed, *(query[name] for name in names))

    def seal(self, callback: Callback) -> Envelope:
        sealed = self.wire.seal(callback.body)
        with self.world.changed:
            self._nonces.setdefault(callback.key, set()).add(sealed.nonce)
        query = {"msg_signature": sealed.signature, "timestamp": sealed.timestamp, "nonce": sealed.nonce}
        return Envelope(query, json.dumps({"encrypt": sealed.encrypt}))

    def judge(self, callback: Callback, answer: tuple[int, str] | None) -> Verdict:
        assert isinstance(callback, BotCallback), "this platform makes its own callbacks"
        if answer is None:
            return Verdict(accepted=False, again=callback.occasion == "message")
        status, body = answer
        if status != 200 or not body:
            return Verdict(accepted=status == 200)
        try:
            return Verdict(accepted=True, reply=self._read(callback, body))
        except ValueError:
            return Verdict(accepted=False)

    def _read(self, callback: BotCallback, body: str) -> BotReply:
        plain = json.loads(self.wire.open(body))
        with self.world.changed:
            if json.loads(body)["nonce"] not in self._nonces.get(callback.key, ()):
                raise ValueError("the answer's nonce is not the request's")
            # What answers a repeat is not shown again, so its card takes no id of its own.
            taken = () if callback.key in self._replied else self._task_ids
            reply = read_bot_reply(plain, callback.occasion, taken)
        if callback.task_id and reply.card is not None and reply.card.task_id != callback.task_id:
            raise ValueError("the card's task_id is not that of the one tapped")
        return reply

    def _callback(
        self, chat: str, member: str, occasion: Occasion, content: Content, *, with_door: bool = False, **about: Any
    ) -> BotCallback:
        key = secrets.token_urlsafe(24)
        began = self.world.clock.now()
        body: Content = {"msgid": key, "aibotid": self._bot_id, "chattype": "single", "from": {"userid": member}}
        if chat in self.rooms:
            body |= {"chatid": chat, "chattype": "group"}
        code = secrets.token_urlsafe(32)
        if with_door:
            body["response_url"] = f"{self.server.url}{API}aibot/response?response_code={code}"
        words = json.dumps({**body, **content}, ensure_ascii=False)
        callback = BotCallback(key, chat, words, member, occasion, began, **about)
        if with_door:
            with self.world.changed:
                self._doors[code] = Door(callback, began + ANSWER_LASTS)
        return callback

    def inbox_key(self, key: str, document: str) -> str:
        told = json.loads(document)
        tapped = told.get("event", {}).get("template_card_event")
        if tapped is None or not tapped["task_id"].startswith(MENU):
            return str(told["msgid"])
        choice = tapped["event_key"].partition("#")[0]
        return f"{tapped['task_id']}:{told['from']['userid']}:{choice}"

    def _event(
        self, chat: str, member: str, occasion: Occasion, about: Content | None, *, with_door: bool = False, **more: Any
    ) -> BotCallback:
        event: Content = {"eventtype": occasion} | ({occasion: about} if about is not None else {})
        content = {"create_time": self.timestamp(), "msgtype": "event", "event": event}
        return self._callback(chat, member, occasion, content, with_door=with_door, **more)

    def _deliver_one(self, callback: Callback) -> Delivery:
        delivery = super()._deliver_one(callback)
        with self.world.changed:
            self._nonces.pop(callback.key, None)
        return delivery

    # --- what the bot says

    def _show_reply(self, callback: Callback, reply: Reply) -> None:
        assert isinstance(callback, BotCallback), "this platform makes its own callbacks"
        assert isinstance(reply, BotReply), "this platform reads its own replies"
        with self.world.changed:
            if callback.key in self._replied:
                return
            self._replied.add(callback.key)
            if callback.occasion == "template_card_event":
                self._change_card(callback, reply)
            elif reply.stream_id:
                self._begin(callback, reply)
            else:
                self._show(callback, reply)

    def _show(self, callback: BotCallback, reply: BotReply, **more: Any) -> Bubble:
        quote = callback.trigger if callback.account in self.rooms else ""
        where = (self.name, callback.account)
        bubble = self.world.show(*where, "bot", reply.kind, reply.text, card=reply.card, quote=quote, **more)
        if reply.feedback_id:
            self._feedback[bubble.id] = reply.feedback_id
        if reply.card is not None and reply.card.task_id:
            self._task_ids.add(reply.card.task_id)
        return bubble

    def _begin(self, callback: BotCallback, reply: BotReply) -> None:
        words = BotReply("stream", reply.text, feedback_id=reply.feedback_id)
        bubble = self._show(callback, words, state="sending")
        stream = Stream(callback, reply.stream_id, bubble, has_card=False)
        if not self._go_on(stream, reply):
            self._streams[callback.key] = stream
            threading.Thread(target=self._follow, args=(stream,), daemon=True).start()

    def _go_on(self, stream: Stream, reply: BotReply) -> bool:
        """Shows a stream as it is now; True when that is its end."""
        where = (self.name, stream.callback.account)
        state = "delivered" if reply.finished else "sending"
        self.world.change(*where, stream.bubble.id, text=reply.text, state=state)
        if reply.card is not None and not stream.has_card:
            stream.has_card = True
            self._show(stream.callback, BotReply("template_card", reply.card.words, card=reply.card))
        for image in reply.images:
            self.world.show(*where, "bot", "image", "", image)
        return reply.finished

    def _follow(self, stream: Stream) -> None:
        """Asks how a stream goes on until it ends, or six minutes after the message that it answers."""
        over = False
        while not over and self._is_due(stream):
            over = self._ask(stream)
        with self.world.changed:
            if self._streams.pop(stream.callback.key, None) is None:
                return
            self._open[stream.callback.member] -= 1
            if not over:
                self.world.change(self.name, stream.callback.account, stream.bubble.id, state="failed")

    def _is_due(self, stream: Stream) -> bool:
        if self._closing.wait(self._poll_every):
            return False
        with self.world.changed:
            in_time = self.world.clock.now() - stream.callback.began < STREAM_LASTS
            return in_time and stream.callback.key in self._streams

    def _ask(self, stream: Stream) -> bool:
        told, about = stream.callback, {"msgtype": "stream", "stream": {"id": stream.id}}
        callback = self._callback(told.account, told.member, "stream", about)
        reply = self.judge(callback, self.poll(callback)).reply
        with self.world.changed:
            self._nonces.pop(callback.key, None)
            if not isinstance(reply, BotReply) or reply.stream_id not in ("", stream.id):
                return False
            return told.key in self._streams and self._go_on(stream, reply)

    def _change_card(self, callback: BotCallback, reply: BotReply) -> None:
        """Shows another card to some members, or to all of the chat."""
        where = (self.name, callback.account, callback.bubble_id)
        if reply.userids and callback.account in self.rooms:
            [before] = [each for each in self.world.chat(*where[:2]) if each.id == callback.bubble_id]
            own = {**before.own_cards, **dict.fromkeys(reply.userids, reply.card)}
            self.world.change(*where, own_cards=own)
        else:
            self.world.change(*where, card=reply.card, text=reply.text, own_cards={})
        self._feedback.pop(callback.bubble_id, None)
        if reply.feedback_id:
            self._feedback[callback.bubble_id] = reply.feedback_id

    # --- the HTTP server

    def add_routes(self) -> None:
        self.app.add_url_rule(API + "aibot/response", view_func=self._respond, methods=["POST"])
        self.app.add_url_rule(f"{FILES}<token>", view_func=self._file)

    def _respond(self) -> Response:
        body = json_object(request.get_data())
        with self.world.changed:
            door = self._doors.get(request.args.get("response_code", ""))
            if door is None or door.until <= self.world.clock.now():
                raise ApiError(40035, "response_code unknown or expired")
            if door.used:
                raise ApiError(42022)
            reply = self._active_reply(body, in_group=door.callback.account in self.rooms)
            door.used = True
            self._show(door.callback, reply)
        return jsonify(errcode=0, errmsg="ok")

    def _active_reply(self, body: Content, *, in_group: bool) -> BotReply:
        kind = body.get("msgtype")
        if kind == "markdown":
            return read_markdown(body)
        if kind != "template_card" or in_group:
            raise ApiError(40008)
        return read_card_answer(body, self._task_ids)

    def _file(self, token: str) -> Response:
        with self.world.changed:
            content = self._files.get(token)
        if content is None:
            return Response(status=403)
        return Response(content, content_type="application/octet-stream")

    def check_token(self, token: str) -> None:
        """A smart bot has no access token; its addresses hold a code of their own."""

    def expire_tokens(self) -> None:
        """There are none."""

    def reset(self) -> None:
        super().reset()
        with self.world.changed:
            for memory in (self._open, self._streams, self._doors, self._task_ids, self._feedback, self._welcomed):
                memory.clear()
            self._files.clear()

    def close(self) -> None:
        self._closing.set()
        super().close()
