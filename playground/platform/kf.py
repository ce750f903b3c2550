"""A customer-service account (微信客服) of a WeCom corp: residents on their own WeChat, servicers, and the API.

What a customer or servicer does becomes an entry of the message list, which the bot reads by ``kf/sync_msg``; the
callback only says that there is something. Documents 94638, 94645, 94669, 94670, 94677, 95122, 95159.

The Python side, which stays as it is:

    kf.send(account, content)             a customer's message; ``kf_content`` makes the contents
    kf.wrote(account, content, at)        the same in the past, while nobody was there to be told
    kf.enter(account, scene="", scene_param="")     she opens the chat; ``kf.enter_by(account, url)`` by a link
    kf.recall(account, msgid)             she takes a message of hers back
    kf.servicer(userid)                   what a servicer does in WeCom's client, see ``Servicer``
    kf.session(account).state             who serves her: ``State``
    kf.entries                            the message list, oldest first
    kf.ledger                             what the bot sent, and whether it kept to the limits
    kf.faults                             ``fail_delivery``, ``cut_page`` and those of every platform

Each of the acts returns a ``Delivery``: how the callback went. ``playground.customers.Customer`` is a phone on top.
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Response, jsonify, request

from playground.platform import kf_content, xml
from playground.platform.base import API, Verdict
from playground.platform.callbacks import Callback, Delivery
from playground.platform.corp import CorpPlatform
from playground.platform.errors import ApiError
from playground.platform.kf_content import Content, Spoken
from playground.platform.kf_messages import CUSTOMER, Entry, MessageList, cursor_of, limit_of, place_of
from playground.platform.kf_servicers import Servicer, Servicers
from playground.platform.kf_session import WINDOW, Entrance, Session, Sessions, State
from playground.platform.ledger import Sent
from playground.platform.media import MEGABYTE
from playground.platform.payloads import Payload
from playground.world import World

LARGEST_BATCH = 100
LONGEST_SCENE, LONGEST_SCENE_PARAM = 32, 128  # bytes
SILK = b"\x02#!SILK_V3"


class Kf(CorpPlatform):
    """The account's platform.

    ``customers`` maps an external_userid (wm…) to a nickname; one that is not in it is nameless until it comes.
    ``servicers`` are the userids of those who may serve.
    """

    whole_up_to = 20 * MEGABYTE

    def __init__(
        self,
        name: str,
        world: World,
        *,
        corp_id: str,
        open_kfid: str,
        secret: str,
        token: str,
        aes_key: str,
        servicers: Collection[str] = (),
        customers: Mapping[str, str] | None = None,
        callback_timeout: float = 5.0,
    ) -> None:
        self.open_kfid = open_kfid
        self._nicknames = dict(customers or {})
        self._scenes: dict[str, str] = {}
        self._silk: dict[str, str] = {}
        self._msgids: set[str] = set()
        self._messages = MessageList(world, open_kfid)
        self._sessions = Sessions(world.clock)
        self._servicers = Servicers(
            name, world, servicers, messages=self._messages, sessions=self._sessions, poke=self._poke
        )
        super().__init__(
            name,
            world,
            corp_id=corp_id,
            secret=secret,
            token=token,
            aes_key=aes_key,
            agent_id="",
            envelope={},
            callback_timeout=callback_timeout,
        )

    def reset(self) -> None:
        super().reset()
        with self.world.changed:
            self._messages.clear()
            self._sessions.clear()
            self._msgids.clear()
            self._servicers.all_serve()

    # --- what customers do

    @property
    def entries(self) -> list[Entry]:
        """The message list of the last three days."""
        with self.world.changed:
            return self._messages.all()

    def session(self, account: str) -> Session:
        """A customer's session, as it is now."""
        with self.world.changed:
            return self._sessions.of(account)

    def send(self, account: str, payload: Payload) -> Delivery:
        """A customer's message; ``payload`` comes from ``kf_content``, else ``ValueError``."""
        if "msgtype" not in payload:
            raise ValueError("not a customer-service message; make it with kf_content")
        with self.world.changed:
            self.session(account).hear(self.world.clock.now())
            key = self._messages.note(dict(payload), CUSTOMER, account)
        return self._poke(key, account)

    def wrote(self, account: str, content: Content, at: datetime) -> None:
        """A customer's message of an earlier time, of which nobody was told. Make them up in the order of time."""
        with self.world.changed:
            self.session(account).hear(at)
            self._messages.note_earlier(content, account, at)

    def enter(self, account: str, scene: str = "", scene_param: str = "") -> Delivery:
        """A customer opens the chat. The event has a welcome code if she was neither welcomed nor wrote in 48 hours."""
        with self.world.changed:
            session, now = self.session(account), self.world.clock.now()
            session.entrance = Entrance(scene, scene_param, now)
            code = self._sessions.welcome_code(account) if session.may_be_welcomed(now) else ""
            fields = {"scene": scene, "scene_param": scene_param, "welcome_code": code}
            told = {name: value for name, value in fields.items() if value}
            key = self._messages.note_event("enter_session", account, **told)
        return self._poke(key, account)

    def enter_by(self, account: str, url: str) -> Delivery:
        """A customer follows a link of ``kf/add_contact_way``, perhaps with a ``scene_param`` behind it.

        Raises ``ValueError`` for an address that is not one of this account's, or a scene_param without a scene.
        """
        query = parse_qs(urlsplit(url).query)
        encoded, param = query.get("enc_scene", [""])[0], query.get("scene_param", [""])[0]
        with self.world.changed:
            scene = self._scenes.get(encoded)
        if scene is None or (param and not scene) or len(param.encode()) > LONGEST_SCENE_PARAM:
            raise ValueError(f"not a link of this account, or its scene_param cannot be: {url}")
        return self.enter(account, scene, param)

    def recall(self, account: str, msgid: str) -> Delivery:
        """A customer takes a message back. The list keeps it; an event says that it is gone."""
        with self.world.changed:
            key = self._messages.note_event("user_recall_msg", account, recall_msgid=msgid)
        return self._poke(key, account)

    def add_photo(self, content: bytes) -> Payload:
        return self._add("image", content)

    def add_video(self, content: bytes) -> Payload:
        return self._add("video", content)

    def add_file(self, content: bytes) -> Payload:
        return self._add("file", content)

    def add_voice(self, content: bytes, recognition: str) -> Payload:
        """A voice message; this platform never tells what it understood."""
        return self._add("voice", content)

    def _add(self, kind: str, content: bytes) -> Content:
        if len(content) > kf_content.RECEIVED_UP_TO[kind]:
            return kf_content.text(kf_content.TOO_LARGE)
        with self.world.changed:
            item = self.media.add(kind, content)
            if kind == "voice":
                self._silk[item.id] = self.media.add("voice", SILK + content).id
        return kf_content.media(kind, item.id)

    # --- what servicers do

    def servicer(self, userid: str) -> Servicer:
        """One of the servicers at work in WeCom's client. Raises ``KeyError`` for anybody else."""
        return self._servicers.named(userid)

    # --- callbacks

    def judge(self, callback: Callback, answer: tuple[int, str] | None) -> Verdict:
        """Only the status counts: nothing can be said in the answer. An error status is not tried again."""
        if answer is None:
            return Verdict(accepted=False, again=True)
        return Verdict(accepted=answer[0] == 200)

    def inbox_key(self, key: str, document: str) -> str:
        return key

    def whole(self, key: str, document: str) -> str:
        """The callback, and the message that it led to."""
        found = [entry.message for entry in self.entries if entry.message["msgid"] == key]
        return "\n\n".join((document, *(json.dumps(message, ensure_ascii=False, indent=2) for message in found)))

    def _poke(self, key: str, account: str) -> Delivery:
        return self.deliver(self._poke_callback(key, account))

    def _poke_later(self, key: str, account: str) -> None:
        """For what happens while the bot waits for an answer of the API."""
        callback = self._poke_callback(key, account)
        threading.Thread(target=self.deliver, args=(callback,), daemon=True).start()

    def _poke_callback(self, key: str, account: str) -> Callback:
        """``key`` is the msgid of what there is to read; it is not in the callback, which has no id at all."""
        with self.world.changed:
            token = self._messages.new_token()
        fields: Payload = {
            "ToUserName": self._corp_id,
            "CreateTime": self.timestamp(),
            "MsgType": "event",
            "Event": "kf_msg_or_event",
            "Token": token,
            "OpenKfId": self.open_kfid,
        }
        return Callback(key, account, xml.write(fields))

    # --- the API

    def add_routes(self) -> None:
        super().add_routes()
        self.app.add_url_rule(API + "kf/servicer/list", view_func=self._list_servicers)
        for path, view in (
            ("sync_msg", self._sync),
            ("send_msg", self._send_message),
            ("send_msg_on_event", self._send_on_event),
            ("service_state/get", self._get_state),
            ("service_state/trans", self._change_state),
            ("account/list", self._list_accounts),
            ("add_contact_way", self._make_link),
            ("customer/batchget", self._get_customers),
        ):
            self.app.add_url_rule(f"{API}kf/{path}", view_func=view, methods=["POST"])

    def _sync(self) -> Response:
        body = self.authorised_json()
        with self.world.changed:
            self._check_account(body.get("open_kfid"))
            self._messages.check_token(body.get("token"))
            place, limit = place_of(body.get("cursor")), limit_of(body.get("limit"))
            rest = self._messages.after(place)
            fault = self.faults.later("cut_page")
            page = rest[: limit if fault is None else min(fault.number, limit)]
            messages = [self._in_format(entry.message, body.get("voice_format")) for entry in page]
        place = page[-1].number if page else place
        more = int(len(page) < len(rest))
        return jsonify(errcode=0, errmsg="ok", next_cursor=cursor_of(place), has_more=more, msg_list=messages)

    def _in_format(self, message: Mapping[str, Any], voice_format: object) -> Mapping[str, Any]:
        if message["msgtype"] != "voice" or voice_format != 1:
            return message
        return {**message, **kf_content.media("voice", self._silk[message["voice"]["media_id"]])}

    def _send_message(self) -> Response:
        body = self.authorised_json()
        with self.world.changed:
            self._check_account(body.get("open_kfid"))
            account = self._customer(body.get("touser"))
            msgid = self._new_msgid(body)
            spoken = kf_content.read_spoken(body, self.media)
            used = self.session(account).spend()
            self.ledger.spent(used)
            self._speak(account, msgid, spoken)
        return jsonify(errcode=0, errmsg="ok", msgid=msgid)

    def _send_on_event(self) -> Response:
        body = self.authorised_json()
        with self.world.changed:
            code = str(body.get("code"))
            account = self._sessions.check_code(code, body.get("msgtype")).account
            msgid = self._new_msgid(body)
            spoken = kf_content.read_spoken(body, self.media)
            self._sessions.use_code(code)
            self._speak(account, msgid, spoken, on_event=True)
        return jsonify(errcode=0, errmsg="ok", msgid=msgid)

    def _new_msgid(self, body: Mapping[str, Any]) -> str:
        msgid = kf_content.read_msgid(body)
        if msgid in self._msgids:
            raise ApiError(95033)
        return msgid or secrets.token_hex(16)

    def _speak(self, account: str, msgid: str, spoken: Spoken, *, on_event: bool = False) -> None:
        """The message is accepted: it appears on the phone, or an event says later why it did not."""
        self._msgids.add(msgid)
        fault = self.faults.later("fail_delivery")
        now, arrived = self.world.clock.now(), fault is None
        self.ledger.sent.append(Sent(account, msgid, spoken.kind, spoken.text, now, arrived, on_event))
        if fault is None:
            self.world.show(self.name, account, "bot", spoken.kind, spoken.text, spoken.media, menu=spoken.menu)
        else:
            key = self._messages.note_event("msg_send_fail", account, fail_msgid=msgid, fail_type=fault.number)
            self._poke_later(key, account)

    def _get_state(self) -> Response:
        body = self.authorised_json()
        with self.world.changed:
            self._check_account(body.get("open_kfid"))
            session = self.session(self._customer(body.get("external_userid")))
            told = {"service_state": int(session.state), "servicer_userid": session.servicer}
        return jsonify(errcode=0, errmsg="ok", **told)

    def _change_state(self) -> Response:
        body = self.authorised_json()
        with self.world.changed:
            self._check_account(body.get("open_kfid"))
            account = self._customer(body.get("external_userid"))
            session, target = self.session(account), _state(body.get("service_state"))
            session.check_move(target)
            if target is State.PERSON:
                session.serve(self._servicers.free(body.get("servicer_userid")))
            elif target is State.ENDED:
                session.end()
            else:
                session.state = target
            code = self._sessions.code_of_change(account)
            self.world.touch()
        return jsonify(errcode=0, errmsg="ok", **({"msg_code": code} if code else {}))

    def _list_servicers(self) -> Response:
        self.authorise()
        self._check_account(request.args.get("open_kfid"))
        with self.world.changed:
            told = self._servicers.told()
        return jsonify(errcode=0, errmsg="ok", servicer_list=told)

    def _list_accounts(self) -> Response:
        self.authorised_json()
        account = {"open_kfid": self.open_kfid, "name": "群答小助手", "avatar": "", "manage_privilege": True}
        return jsonify(errcode=0, errmsg="ok", account_list=[account])

    def _make_link(self) -> Response:
        body = self.authorised_json()
        self._check_account(body.get("open_kfid"))
        scene = body.get("scene") or ""
        if not isinstance(scene, str) or len(scene.encode()) > LONGEST_SCENE:
            raise ApiError(40058, "scene")
        return jsonify(errcode=0, errmsg="ok", url=self.link(scene))

    def link(self, scene: str = "") -> str:
        """The account's address for a scene; ``scene_param`` may be added behind it when the scene is not empty."""
        encoded = "ENC" + base64.urlsafe_b64encode(f"{self.open_kfid}/{scene}".encode()).decode().rstrip("=")
        with self.world.changed:
            self._scenes[encoded] = scene
        return f"https://work.weixin.qq.com/kf/kfc{self.open_kfid[2:12]}?enc_scene={encoded}"

    def _get_customers(self) -> Response:
        body = self.authorised_json()
        wanted = body.get("external_userid_list")
        if not isinstance(wanted, list) or not 0 < len(wanted) <= LARGEST_BATCH:
            raise ApiError(40058, "external_userid_list")
        with self.world.changed:
            known = [str(account) for account in wanted if account in self._sessions or account in self._nicknames]
            told = [self._about(account, bool(body.get("need_enter_session_context"))) for account in known]
        unknown = [account for account in wanted if account not in known]
        return jsonify(errcode=0, errmsg="ok", customer_list=told, invalid_external_userid=unknown)

    def _about(self, account: str, with_entrance: bool) -> dict[str, Any]:
        about: dict[str, Any] = {
            "external_userid": account,
            "nickname": self._nicknames.get(account, ""),
            "avatar": "",
            "gender": 0,
        }
        entrance = self.session(account).entrance
        if with_entrance and entrance is not None and self.world.clock.now() - entrance.at < WINDOW:
            about["enter_session_context"] = {"scene": entrance.scene, "scene_param": entrance.scene_param}
        return about

    def _check_account(self, open_kfid: object) -> None:
        if not isinstance(open_kfid, str) or not open_kfid.startswith("wk"):
            raise ApiError(95000)
        if open_kfid != self.open_kfid:
            raise ApiError(95004)

    def _customer(self, account: object) -> str:
        if not isinstance(account, str) or account not in self._sessions:
            raise ApiError(40096)
        return account


def _state(value: object) -> State:
    try:
        return State(value)  # type: ignore[arg-type]
    except ValueError:
        raise ApiError(40058, "service_state") from None
