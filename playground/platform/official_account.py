"""A WeChat Official Account (公众号) in secure mode, and the API that its bot calls."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import Response, jsonify, request
from wechatpy.crypto import WeChatCrypto

from playground.platform import payloads, xml
from playground.platform.account_menu import read_account_menu, read_message_menu
from playground.platform.base import API, TEXT_LIMIT, Platform, Verdict, json_object, text_of
from playground.platform.callbacks import Callback, Delivery, Envelope, sign
from playground.platform.errors import ApiError
from playground.platform.ledger import Sent
from playground.platform.menus import Menu
from playground.platform.payloads import Payload
from playground.platform.subscriptions import Subscriptions
from playground.platform.tokens import Tokens
from playground.world import World

NOTICE = "该公众号暂时无法提供服务，请稍后再试"
GH_ID = "gh_3c884a361561"

# Customer_Service_Messages.html: what an interaction allows: (for how long, how many messages).
ALLOWANCES = {
    "message": (timedelta(hours=48), 5),
    "CLICK": (timedelta(minutes=1), 3),
    "subscribe": (timedelta(minutes=1), 3),
    "SCAN": (timedelta(minutes=1), 3),
}
CONSENT = ("subscribe_msg_popup_event",)
TYPING_NEEDS = timedelta(seconds=30)
TYPING_LASTS = timedelta(seconds=15)


class Follower:
    """What the platform remembers of one openid: whether it follows, and what may still be sent to it."""

    def __init__(self) -> None:
        self.follows = True
        self.last_interaction: datetime | None = None
        self.typing_until: datetime | None = None
        self._allowances: dict[str, tuple[datetime, int]] = {}

    def interact(self, kind: str, now: datetime) -> None:
        self.last_interaction = now
        span, count = ALLOWANCES[kind]
        self._allowances[kind] = (now + span, count)

    def spend(self, now: datetime) -> int:
        """Takes one customer message and tells how many its window has given by now.

        ``ApiError`` 45015 without an open window, 45047 with an empty one.
        """
        open_windows = {kind: left for kind, (until, left) in self._allowances.items() if until > now}
        if not self.follows or not open_windows:
            raise ApiError(45015)
        kind = next((kind for kind, left in open_windows.items() if left), None)
        if kind is None:
            raise ApiError(45047)
        until, left = self._allowances[kind]
        self._allowances[kind] = (until, left - 1)
        self.typing_until = None
        return ALLOWANCES[kind][1] - left + 1


class OfficialAccount(Platform):
    """The account's platform; openids that have never written are unknown to it.

    An account that is not ``verified`` may not send customer messages or notices. ``templates`` are those of its
    notices, see ``Subscriptions``; ``menu`` is what the bot has put under the chat.
    """

    def __init__(
        self,
        name: str,
        world: World,
        *,
        app_id: str,
        secret: str,
        token: str,
        aes_key: str,
        callback_timeout: float = 5.0,
        verified: bool = True,
        templates: Mapping[str, str] | None = None,
    ) -> None:
        self.verified = verified
        self.menu: list[dict[str, Any]] = []
        self.subscriptions = Subscriptions(templates)
        self._app_id = app_id
        self._secret = secret
        self._plain, self._stable = Tokens(world.clock), Tokens(world.clock)
        self._followers: dict[str, Follower] = {}
        super().__init__(
            name,
            world,
            WeChatCrypto(token, aes_key, app_id),
            receiver=GH_ID,
            envelope={},
            callback_timeout=callback_timeout,
        )

    # --- callbacks

    def verify(self) -> bool:
        timestamp, nonce, echo = str(self.timestamp()), secrets.token_hex(5), str(secrets.randbelow(10**18))
        signature = sign(self.wire.crypto.token, timestamp, nonce)
        query = {"signature": signature, "timestamp": timestamp, "nonce": nonce, "echostr": echo}
        return self.wire.get(query) == echo

    def seal(self, callback: Callback) -> Envelope:
        sealed = self.wire.seal(callback.body)
        query = {
            "signature": sign(self.wire.crypto.token, sealed.timestamp, sealed.nonce),
            "timestamp": sealed.timestamp,
            "nonce": sealed.nonce,
            "openid": callback.account,
            "encrypt_type": "aes",
            "msg_signature": sealed.signature,
        }
        return Envelope(query, xml.write({"ToUserName": GH_ID, "Encrypt": sealed.encrypt}))

    def judge(self, callback: Callback, answer: tuple[int, str] | None) -> Verdict:
        if answer is None or answer[0] != 200:
            return Verdict(accepted=False, again=True)
        if answer[1] in ("", "success"):
            return Verdict(accepted=True)
        try:
            return Verdict(accepted=True, reply=self.read_reply(callback, answer[1]))
        except ValueError:
            return Verdict(accepted=False, again=True)

    def send(self, account: str, payload: Payload) -> Delivery:
        kind = str(payload.get("Event", "message"))
        with self.world.changed:
            follower = self._followers.setdefault(account, Follower())
            if kind not in CONSENT:
                follower.follows = kind != "unsubscribe"
            if kind in ALLOWANCES:
                follower.interact(kind, self.world.clock.now())
        return super().send(account, payload)

    def scan(self, account: str, scene: str) -> Delivery:
        """Somebody scans a code that leads to the account: a stranger follows it by that, a follower only comes."""
        with self.world.changed:
            known = self._followers.get(account)
            follows = known is not None and known.follows
        name, key = ("SCAN", scene) if follows else ("subscribe", f"qrscene_{scene}")
        return self.send(account, payloads.event(name, key, Ticket=secrets.token_urlsafe(48)))

    def grant(self, account: str, template_id: str) -> Delivery:
        """Somebody agrees to one notice. Raises ``KeyError`` for a template that the account has not."""
        with self.world.changed:
            self.subscriptions.grant(account, template_id)
        consent: xml.Fields = {"TemplateId": template_id, "SubscribeStatusString": "accept", "PopupScene": 1}
        [name] = CONSENT
        payload: Payload = {"MsgType": "event", "Event": name, "SubscribeMsgPopupEvent": {"List": consent}}
        return self.send(account, payload)

    def _deliver_one(self, callback: Callback) -> Delivery:
        delivery = super()._deliver_one(callback)
        if not delivery.accepted:
            self.world.show(self.name, callback.account, "platform", "notice", NOTICE)
        return delivery

    def add_voice(self, content: bytes, recognition: str) -> Payload:
        with self.world.changed:
            low, high = self.media.add("voice", content), self.media.add("voice", content)
        return payloads.voice(low.id, media_id_16k=high.id, recognition=recognition)

    def reset(self) -> None:
        super().reset()
        with self.world.changed:
            self._followers.clear()
            self.subscriptions.clear()

    # --- the API

    def check_token(self, token: str) -> None:
        (self._plain if self._plain.knows(token) else self._stable).check(token)

    def expire_tokens(self) -> None:
        with self.world.changed:
            self._plain.expire_all()
            self._stable.expire_all()

    def add_routes(self) -> None:
        self.app.add_url_rule(API + "token", view_func=self._token)
        self.app.add_url_rule(API + "stable_token", view_func=self._stable_token, methods=["POST"])
        self.app.add_url_rule(API + "message/custom/send", view_func=self._send, methods=["POST"])
        self.app.add_url_rule(API + "message/custom/typing", view_func=self._typing, methods=["POST"])
        self.app.add_url_rule(API + "message/subscribe/bizsend", view_func=self._notify, methods=["POST"])
        self.app.add_url_rule(API + "menu/create", view_func=self._create_menu, methods=["POST"])
        self.app.add_url_rule(API + "menu/get", view_func=self._get_menu)

    def _token(self) -> Response:
        self._check_credentials(request.args.get("appid", ""), request.args.get("secret", ""))
        with self.world.changed:
            token, seconds = self._plain.issue()
        return jsonify(access_token=token, expires_in=seconds)

    def _stable_token(self) -> Response:
        body = json_object(request.get_data())
        self._check_credentials(str(body.get("appid")), str(body.get("secret")))
        with self.world.changed:
            token, seconds = self._stable.current(force=body.get("force_refresh") is True)
        return jsonify(access_token=token, expires_in=seconds)

    def _check_credentials(self, app_id: str, secret: str) -> None:
        if app_id != self._app_id:
            raise ApiError(40013)
        if not secrets.compare_digest(secret.encode(), self._secret.encode()):
            raise ApiError(40001)

    def _send(self) -> Response:
        body = self.authorised_json()
        kind, openid = str(body.get("msgtype")), str(body.get("touser"))
        with self.world.changed:
            if kind == "msgmenu" and not self.verified:
                raise ApiError(40200)
            self._check_verified()
            follower = self._follower(body)
            text, media, menu = self._content(kind, body)
            now = self.world.clock.now()
            self.ledger.spent(follower.spend(now))
            self.ledger.sent.append(Sent(openid, "", kind, text, now))
            self.world.show(self.name, openid, "bot", kind, text, media, menu=menu)
        return jsonify(errcode=0, errmsg="ok")

    def _content(self, kind: str, body: dict[str, Any]) -> tuple[str, bytes | None, Menu | None]:
        if kind == "text":
            text = text_of(body, "text")
            if len(text.encode()) > TEXT_LIMIT:
                raise ApiError(45002)
            return text, None, None
        if kind in ("image", "voice"):
            return "", self.take_media(body, kind), None
        if kind == "msgmenu":
            menu = read_message_menu(body.get("msgmenu"))
            return menu.words, None, menu
        raise ApiError(40008)

    def _notify(self) -> Response:
        body = self.authorised_json()
        openid = str(body.get("touser"))
        with self.world.changed:
            self._check_verified()
            self._follower(body)
            text = self.subscriptions.spend(openid, body)
            self.ledger.sent.append(Sent(openid, "", "subscription", text, self.world.clock.now(), on_event=True))
            self.world.show(self.name, openid, "bot", "subscription", text)
        return jsonify(errcode=0, errmsg="ok")

    def _create_menu(self) -> Response:
        body = self.authorised_json()
        with self.world.changed:
            self.menu = read_account_menu(body)
            self.world.touch()
        return jsonify(errcode=0, errmsg="ok")

    def _get_menu(self) -> Response:
        self.authorise()
        with self.world.changed:
            if not self.menu:
                raise ApiError(46003)
            return jsonify(menu={"button": self.menu})

    def _check_verified(self) -> None:
        if not self.verified:
            raise ApiError(48001)

    def _typing(self) -> Response:
        body = self.authorised_json()
        self._check_verified()
        now = self.world.clock.now()
        with self.world.changed:
            follower = self._follower(body)
            command = body.get("command")
            if command not in ("Typing", "CancelTyping"):
                raise ApiError(45072)
            if follower.last_interaction is None or now - follower.last_interaction > TYPING_NEEDS:
                raise ApiError(45080)
            if command == "Typing" and follower.typing_until is not None and follower.typing_until > now:
                raise ApiError(45081)
            follower.typing_until = now + TYPING_LASTS if command == "Typing" else None
        return jsonify(errcode=0, errmsg="ok")

    def _follower(self, body: dict[str, object]) -> Follower:
        follower = self._followers.get(str(body.get("touser")))
        if follower is None:
            raise ApiError(40003)
        return follower

    def download(self, media_id: str) -> Response:
        """As the platform's: a film is not given itself but by an address."""
        with self.world.changed:
            item = self.media.get(media_id)
        if item.kind == "video" and request.path.startswith(API):
            return jsonify(video_url=f"{self.server.url}/media/{media_id}")
        return super().download(media_id)
