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
import bisect
import json
import secrets
import threading
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Response, jsonify, request

from playground.platform import kf_content, xml
from playground.platform.base import API, Verdict
from playground.platform.callbacks import Callback, Delivery
from playground.platform.corp import CorpPlatform
from playground.platform.errors import ApiError
from playground.platform.kf_content import Content, Spoken
from playground.platform.kf_session import WINDOW, Entrance, EventCode, Session, State
from playground.platform.ledger import Sent
from playground.platform.media import MEGABYTE
from playground.platform.payloads import Payload
from playground.world import World

KEPT = timedelta(days=3)
TOKEN_LASTS = timedelta(minutes=10)
CODE_LASTS = timedelta(seconds=20)
MINUTE = timedelta(minutes=1)
LONGEST_CURSOR, LONGEST_TOKEN = 64, 128  # bytes
LARGEST_PAGE = 1000
LARGEST_BATCH = 100
LONGEST_SCENE, LONGEST_SCENE_PARAM = 32, 128  # bytes
CUSTOMER, SYSTEM, SERVICER = 3, 4, 5  # origins
FROM_POOL, TRANSFERRED, OVER, AGAIN = 1, 2, 3, 4  # change types
TEXT, TEXT_OR_MENU = frozenset({"text"}), frozenset({"text", "msgmenu"})
SILK = b"\x02#!SILK_V3"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the message list. ``number`` grows; ``message`` is what ``kf/sync_msg`` gives."""

    number: int
    at: datetime
    message: Mapping[str, Any]


class Kf(CorpPlatform):
    """The account's platform.

    ``customers`` maps an external_userid (wm…) to a nickname; one that is not in it is nameless until it comes.
    ``servicers`` are the userids of those who may serve. ``untokened_per_minute`` is how often ``kf/sync_msg`` may be
    called without a callback's token: the documents only say that it is strictly limited.
    """

    whole_up_to = 20 * MEGABYTE
    untokened_per_minute = 5

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
        self._resting = dict.fromkeys(servicers, -1)  # userid → stop_type, -1 while serving
        self._scenes: dict[str, str] = {}
        self._silk: dict[str, str] = {}
        self._forget()
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

    def _forget(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._entries: list[Entry] = []
        self._poke_tokens: dict[str, datetime] = {}
        self._untokened: deque[datetime] = deque()
        self._msgids: set[str] = set()
        self._codes: dict[str, EventCode] = {}

    def reset(self) -> None:
        super().reset()
        with self.world.changed:
            self._forget()
            self._resting = dict.fromkeys(self._resting, -1)

    # --- what customers do

    @property
    def entries(self) -> list[Entry]:
        """The message list of the last three days."""
        with self.world.changed:
            self._drop_old()
            return list(self._entries)

    def session(self, account: str) -> Session:
        """A customer's session, as it is now."""
        with self.world.changed:
            session = self._sessions.setdefault(account, Session())
            session.look(self.world.clock.now())
            return session

    def send(self, account: str, payload: Payload) -> Delivery:
        """A customer's message; ``payload`` comes from ``kf_content``, else ``ValueError``."""
        if "msgtype" not in payload:
            raise ValueError("not a customer-service message; make it with kf_content")
        with self.world.changed:
            self.session(account).hear(self.world.clock.now())
            key = self._note(dict(payload), CUSTOMER, account)
        return self._poke(key, account)

    def wrote(self, account: str, content: Content, at: datetime) -> None:
        """A customer's message of an earlier time, of which nobody was told. Make them up in the order of time."""
        with self.world.changed:
            self.session(account).hear(at)
            where = {"open_kfid": self.open_kfid, "external_userid": account}
            self._append({**where, **content}, CUSTOMER, at)

    def enter(self, account: str, scene: str = "", scene_param: str = "") -> Delivery:
        """A customer opens the chat. The event has a welcome code if she was neither welcomed nor wrote in 48 hours."""
        with self.world.changed:
            session, now = self.session(account), self.world.clock.now()
            session.entrance = Entrance(scene, scene_param, now)
            fields = {"scene": scene, "scene_param": scene_param}
            if session.may_be_welcomed(now):
                fields["welcome_code"] = self._code(account, TEXT_OR_MENU, CODE_LASTS)
            key = self._note_event("enter_session", account, **{name: value for name, value in fields.items() if value})
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
            key = self._note_event("user_recall_msg", account, recall_msgid=msgid)
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
        """One of the servicers at work in WeCom's client."""
        if userid not in self._resting:
            raise KeyError(f"{userid} is no servicer; known are {', '.join(sorted(self._resting))}")
        return Servicer(self, userid)

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
            now = self.world.clock.now()
            self._poke_tokens = {name: at for name, at in self._poke_tokens.items() if now - at < TOKEN_LASTS}
            token = f"ENC{secrets.token_urlsafe(33)}"
            self._poke_tokens[token] = now
        fields: Payload = {
            "ToUserName": self._corp_id,
            "CreateTime": self.timestamp(),
            "MsgType": "event",
            "Event": "kf_msg_or_event",
            "Token": token,
            "OpenKfId": self.open_kfid,
        }
        return Callback(key, account, xml.write(fields))

    # --- the message list

    def _note(self, content: Content, origin: int, account: str, servicer: str = "") -> str:
        """Adds a message to the list and gives its msgid."""
        where = {"open_kfid": self.open_kfid, "external_userid": account}
        return self._append({**where, **({"servicer_userid": servicer} if servicer else {}), **content}, origin)

    def _note_event(self, event_type: str, account: str, **fields: str | int) -> str:
        """Adds an event, whose ids stand inside it."""
        where = {"open_kfid": self.open_kfid, **({"external_userid": account} if account else {})}
        return self._append(kf_content.event(event_type, **where, **fields), SYSTEM)

    def _append(self, content: Mapping[str, Any], origin: int, at: datetime | None = None) -> str:
        with self.world.changed:
            msgid = secrets.token_urlsafe(33)
            sent = self.timestamp() if at is None else int(at.timestamp())
            message = {"msgid": msgid, "send_time": sent, "origin": origin, **content}
            self._entries.append(Entry(self.world.next_message_id(), at or self.world.clock.now(), message))
            self.world.touch()
            return msgid

    def _drop_old(self) -> None:
        oldest = self.world.clock.now() - KEPT
        gone = bisect.bisect_left(self._entries, oldest, key=lambda entry: entry.at)
        del self._entries[:gone]

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
            self._check_poke_token(body.get("token"))
            place, limit = _place(body.get("cursor")), _limit(body.get("limit"))
            self._drop_old()
            rest = self._entries[bisect.bisect_right(self._entries, place, key=lambda entry: entry.number) :]
            fault = self.faults.later("cut_page")
            page = rest[: limit if fault is None else min(fault.number, limit)]
            messages = [self._in_format(entry.message, body.get("voice_format")) for entry in page]
        place = page[-1].number if page else place
        more = int(len(page) < len(rest))
        return jsonify(errcode=0, errmsg="ok", next_cursor=_cursor(place), has_more=more, msg_list=messages)

    def _check_poke_token(self, token: object) -> None:
        now = self.world.clock.now()
        if token:
            is_known = isinstance(token, str) and len(token.encode()) <= LONGEST_TOKEN and token in self._poke_tokens
            if not is_known or now - self._poke_tokens[str(token)] >= TOKEN_LASTS:
                raise ApiError(95007)
            return
        while self._untokened and now - self._untokened[0] >= MINUTE:
            self._untokened.popleft()
        if len(self._untokened) >= self.untokened_per_minute:
            raise ApiError(45009)
        self._untokened.append(now)

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
        """The documents name no errcode for a code that is used, late or unknown: here it is 95007."""
        body = self.authorised_json()
        with self.world.changed:
            code = self._codes.get(str(body.get("code")))
            if code is None or code.until <= self.world.clock.now():
                raise ApiError(95007, "code")
            if body.get("msgtype") not in code.kinds:
                raise ApiError(40008)
            session = self.session(code.account)
            if code.state is not None and session.state is not code.state:
                raise ApiError(95018)
            msgid = self._new_msgid(body)
            spoken = kf_content.read_spoken(body, self.media)
            del self._codes[body["code"]]
            if code.state is None:
                session.welcomed_at = self.world.clock.now()
            self._speak(code.account, msgid, spoken, on_event=True)
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
            key = self._note_event("msg_send_fail", account, fail_msgid=msgid, fail_type=fault.number)
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
                session.serve(self._free_servicer(body.get("servicer_userid")))
            elif target is State.ENDED:
                session.end()
            else:
                session.state = target
            code = self._code_of_change(account, session)
            self.world.touch()
        return jsonify(errcode=0, errmsg="ok", **({"msg_code": code} if code else {}))

    def _code_of_change(self, account: str, session: Session) -> str:
        """A session's first change to the pool or to a person, and its end, let one message be sent."""
        if session.state is State.ENDED:
            return self._code(account, TEXT_OR_MENU, CODE_LASTS, State.ENDED)
        if session.state is State.ASSISTANT or session.gave_reply_code:
            return ""
        session.gave_reply_code = True
        return self._code(account, TEXT, WINDOW, session.state)

    def _code(self, account: str, kinds: frozenset[str], lasts: timedelta, state: State | None = None) -> str:
        code = secrets.token_urlsafe(24)
        self._codes[code] = EventCode(account, kinds, self.world.clock.now() + lasts, state)
        return code

    def _free_servicer(self, userid: object) -> str:
        if not isinstance(userid, str) or userid not in self._resting:
            raise ApiError(95014)
        if self._resting[userid] >= 0:
            raise ApiError(95019)
        return userid

    def _list_servicers(self) -> Response:
        """Here 1 means stopped, where the event writes 2."""
        self.authorise()
        self._check_account(request.args.get("open_kfid"))
        with self.world.changed:
            told = [
                {"userid": userid, "status": int(resting >= 0), **({"stop_type": resting} if resting >= 0 else {})}
                for userid, resting in self._resting.items()
            ]
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


class Servicer:
    """A servicer in WeCom's client. Each act is told to the bot by an event; an impossible one is a ``ValueError``."""

    def __init__(self, kf: Kf, userid: str) -> None:
        self._kf = kf
        self.userid = userid

    def say(self, account: str, words: str) -> Delivery:
        """Writes to a customer whose session she serves, or which has ended and so becomes hers."""
        kf = self._kf
        with kf.world.changed:
            session = kf.session(account)
            if session.state is State.ENDED:
                session.serve(self.userid)
                self._note_change(account, AGAIN, old_servicer_userid=self.userid, new_servicer_userid=self.userid)
            self._check_serves(session)
            key = kf._note(kf_content.text(words), SERVICER, account, self.userid)
            kf.world.show(kf.name, account, "staff", "text", words, name=self.userid)
        return kf._poke(key, account)

    def take(self, account: str) -> Delivery:
        """Takes a customer from the pool."""
        kf = self._kf
        with kf.world.changed:
            session = kf.session(account)
            if session.state is not State.POOL:
                raise ValueError(f"{account} does not wait in the pool")
            session.serve(self.userid)
            code = kf._code(account, TEXT, WINDOW, State.PERSON)
            key = self._note_change(account, FROM_POOL, new_servicer_userid=self.userid, msg_code=code)
        return kf._poke(key, account)

    def transfer(self, account: str, to: str) -> Delivery:
        """Gives a session of hers to another servicer."""
        kf = self._kf
        with kf.world.changed:
            session = kf.session(account)
            self._check_serves(session)
            session.serve(kf.servicer(to).userid)
            key = self._note_change(account, TRANSFERRED, old_servicer_userid=self.userid, new_servicer_userid=to)
        return kf._poke(key, account)

    def end(self, account: str) -> Delivery:
        """Ends a session of hers."""
        kf = self._kf
        with kf.world.changed:
            session = kf.session(account)
            self._check_serves(session)
            session.end()
            code = kf._code(account, TEXT_OR_MENU, CODE_LASTS, State.ENDED)
            key = self._note_change(account, OVER, old_servicer_userid=self.userid, msg_code=code)
        return kf._poke(key, account)

    def stop_serving(self, *, pausing: bool = False) -> Delivery:
        """Takes no new sessions from now on; ``pausing`` only hangs up for a while."""
        return self._change_status(status=2, stop_type=int(pausing))

    def serve_again(self) -> Delivery:
        return self._change_status(status=1)

    def recall(self, account: str, msgid: str) -> Delivery:
        """Takes a message of hers back."""
        return self._event("servicer_recall_msg", account, recall_msgid=msgid)

    def refuse(self, account: str, *, refuses: bool = True) -> Delivery:
        """Refuses a customer's messages, or takes them again."""
        return self._event("reject_customer_msg_switch_change", account, reject_switch=int(refuses))

    def _change_status(self, **fields: int) -> Delivery:
        with self._kf.world.changed:
            self._kf._resting[self.userid] = fields.get("stop_type", -1)
        return self._event("servicer_status_change", "", **fields)

    def _event(self, event_type: str, account: str, **fields: str | int) -> Delivery:
        key = self._kf._note_event(event_type, account, servicer_userid=self.userid, **fields)
        return self._kf._poke(key, account)

    def _note_change(self, account: str, change_type: int, **fields: str) -> str:
        return self._kf._note_event("session_status_change", account, change_type=change_type, **fields)

    def _check_serves(self, session: Session) -> None:
        if session.state is not State.PERSON or session.servicer != self.userid:
            raise ValueError(f"{self.userid} does not serve this session")


def _cursor(place: int) -> str:
    return base64.urlsafe_b64encode(f"kf:{place}".encode()).decode().rstrip("=")


def _place(cursor: object) -> int:
    """The number behind a cursor, 0 for none. Raises ``ApiError`` 40058 for what never was one."""
    if not cursor:
        return 0
    if not isinstance(cursor, str) or len(cursor.encode()) > LONGEST_CURSOR:
        raise ApiError(40058, "cursor")
    try:
        head, _, number = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition(":")
    except ValueError:
        raise ApiError(40058, "cursor") from None
    if head != "kf" or not number.isdigit():
        raise ApiError(40058, "cursor")
    return int(number)


def _limit(limit: object) -> int:
    if not limit:
        return LARGEST_PAGE
    if not isinstance(limit, int) or limit < 0:
        raise ApiError(40058, "limit")
    return min(limit, LARGEST_PAGE)


def _state(value: object) -> State:
    try:
        return State(value)  # type: ignore[arg-type]
    except ValueError:
        raise ApiError(40058, "service_state") from None
