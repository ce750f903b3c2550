"""A WeCom application (企业微信自建应用) whose members are the shop's staff, and the API that its bot calls."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from flask import Response, jsonify, request

from playground.platform import payloads, xml
from playground.platform.app_cards import AppCards
from playground.platform.base import API, TEXT_LIMIT, Verdict, text_of
from playground.platform.callbacks import Callback, Delivery, Reply
from playground.platform.cards import BUTTONS, Card, card_from_xml, read_card
from playground.platform.corp import CorpPlatform
from playground.platform.errors import ApiError
from playground.platform.payloads import Payload
from playground.world import Bubble, World

# doc 90454: what goes beyond is accepted and never shown.
PER_MINUTE = 30
MINUTE = timedelta(minutes=1)
# doc 90236, in seconds
DUPLICATE_INTERVAL = 1800
LONGEST_DUPLICATE_INTERVAL = 14400
MENU_EVENT = "template_card_menu_event"
UPDATES = ("update_button", "update_template_card")


@dataclass(frozen=True, slots=True)
class Content:
    """What an app message shows."""

    kind: str
    text: str = ""
    media: bytes | None = None
    card: Card | None = None


class Wecom(CorpPlatform):
    """The corp's platform; ``members`` are the userids that the application may write to."""

    def __init__(
        self,
        name: str,
        world: World,
        *,
        corp_id: str,
        agent_id: int,
        secret: str,
        token: str,
        aes_key: str,
        members: Collection[str],
        callback_timeout: float = 5.0,
    ) -> None:
        self._members = frozenset(members)
        self._shown_at: dict[str, deque[datetime]] = {}
        self._said: dict[tuple[str, str], datetime] = {}
        self._dropped = 0
        self._cards = AppCards(name, world)
        super().__init__(
            name,
            world,
            corp_id=corp_id,
            secret=secret,
            token=token,
            aes_key=aes_key,
            agent_id=str(agent_id),
            envelope={"AgentID": agent_id},
            callback_timeout=callback_timeout,
        )

    @property
    def dropped(self) -> int:
        """Messages accepted and not shown because their member had thirty within the minute."""
        with self.world.changed:
            return self._dropped

    # --- callbacks

    def judge(self, callback: Callback, answer: tuple[int, str] | None) -> Verdict:
        if answer is None:
            return Verdict(accepted=False, again=True)
        status, body = answer
        if status != 200 or not body:
            return Verdict(accepted=status == 200)
        try:
            return Verdict(accepted=True, reply=self.read_reply(callback, body))
        except ValueError:
            return Verdict(accepted=False)

    def tap_card(self, member: str, bubble: Bubble, key: str) -> Delivery:
        """A member taps a button of a card, or an action in its corner; ``ValueError`` when it offers none such."""
        with self.world.changed:
            card = self.world.card(self.name, member, bubble.id)
            name = MENU_EVENT if card.button(key) in card.menu else "template_card_event"
            code = self._cards.new_code(card.task_id)
        payload = payloads.event(name, key, TaskId=card.task_id, CardType=card.kind, ResponseCode=code)
        # Unlike other events two taps in one second are two: each has a response code of its own.
        return self.deliver(replace(self._compose(member, payload), key=f"{member}-{code}"))

    def read_reply(self, callback: Callback, body: str) -> Reply:
        document = self.wire.open(body)
        fields = xml.tree(document)
        kind = fields.get("MsgType")
        if kind not in UPDATES:
            return super().read_reply(callback, body)
        if fields.get("ToUserName") != callback.account or not xml.read(callback.body).get("ResponseCode"):
            raise ValueError("the update is not for the one who tapped a card")
        if kind == "update_button":
            button = fields.get("Button")
            name = button.get("ReplaceName") if isinstance(button, dict) else ""
            if not name:
                raise ValueError("the update names no text for the button")
            return Reply(kind, name)
        try:
            return Reply(kind, card=card_from_xml(fields.get("TemplateCard")))
        except ApiError as error:
            raise ValueError(error.errmsg) from error

    def _show_reply(self, callback: Callback, reply: Reply) -> None:
        if reply.kind not in UPDATES:
            super()._show_reply(callback, reply)
            return
        with self.world.changed:
            task_id = xml.read(callback.body)["TaskId"]
            self._cards.change(task_id, [callback.account], card=reply.card, replaced=reply.text)

    def add_voice(self, content: bytes, recognition: str) -> Payload:
        with self.world.changed:
            return payloads.voice(self.media.add("voice", content).id)

    def reset(self) -> None:
        super().reset()
        with self.world.changed:
            self._shown_at.clear()
            self._said.clear()
            self._dropped = 0
            self._cards.clear()

    # --- the API

    def add_routes(self) -> None:
        super().add_routes()
        self.app.add_url_rule(API + "agent/get", view_func=self._agent)
        self.app.add_url_rule(API + "message/send", view_func=self._send, methods=["POST"])
        self.app.add_url_rule(API + "message/update_template_card", view_func=self._update_card, methods=["POST"])

    def _agent(self) -> Response:
        """doc 90227"""
        self.authorise()
        if request.args.get("agentid") != self._agent_id:
            raise ApiError(301002)
        members = {"user": [{"userid": member} for member in sorted(self._members)]}
        return jsonify(errcode=0, errmsg="ok", agentid=int(self._agent_id), close=0, allow_userinfos=members)

    def _send(self) -> Response:
        body = self.authorised_json()
        if str(body.get("agentid")) != self._agent_id:
            raise ApiError(40056)
        wanted = [user for user in str(body.get("touser") or "").split("|") if user]
        known = [user for user in wanted if user in self._members]
        if not known:
            raise ApiError(81013)
        with self.world.changed:
            content = self._content(body)
            fresh = [member for member in known if not self._is_repeat(member, body)]
            shown = {member: bubble for member in fresh if (bubble := self._show(member, content))}
            code = self._cards.keep(content.card, shown) if content.card is not None else {}
        unknown = "|".join(user for user in wanted if user not in self._members)
        return jsonify(errcode=0, errmsg="ok", invaliduser=unknown, msgid=secrets.token_urlsafe(24), **code)

    def _content(self, body: dict[str, Any]) -> Content:
        kind = body.get("msgtype")
        if kind in ("text", "markdown"):
            return Content(kind, text_of(body, kind).encode()[:TEXT_LIMIT].decode(errors="ignore"))
        if kind in ("image", "voice", "video"):
            return Content(kind, media=self.take_media(body, kind))
        if kind == "template_card":
            card = read_card(body.get(kind), taken=self._cards.task_ids)
            if card.calls_back and not self.wire.url:
                raise ApiError(43012)
            return Content(kind, card.words, card=card)
        raise ApiError(40008)

    def _update_card(self) -> Response:
        """doc 94888"""
        body = self.authorised_json()
        if str(body.get("agentid")) != self._agent_id:
            raise ApiError(40056)
        named = body.get("userids") or []
        if not isinstance(named, list) or not (named or body.get("atall")):
            raise ApiError(40035, "userids or atall must be set")
        with self.world.changed:
            replaced, card = self._wanted_update(body)
            task_id = self._cards.spend(str(body.get("response_code") or ""))
            if replaced and self._cards.kind(task_id) != BUTTONS:
                raise ApiError(40035, "only a card with buttons has a button to replace")
            members = None if body.get("atall") else [str(user) for user in named]
            self._cards.change(task_id, members, card=card, replaced=replaced)
        return jsonify(errcode=0, errmsg="ok", invaliduser=[user for user in named if user not in self._members])

    @staticmethod
    def _wanted_update(body: dict[str, Any]) -> tuple[str, Card | None]:
        """The grey text for the buttons, or the card that takes the old one's place."""
        button = body.get("button")
        if button is None:
            return "", read_card(body.get("template_card"), update=True)
        name = button.get("replace_name") if isinstance(button, dict) else None
        if not isinstance(name, str) or not name:
            raise ApiError(42020)
        return name, None

    def _is_repeat(self, member: str, body: dict[str, Any]) -> bool:
        """Whether the same content went to this member within the interval that the caller asks for."""
        if not body.get("enable_duplicate_check"):
            return False
        seconds = min(int(body.get("duplicate_check_interval") or DUPLICATE_INTERVAL), LONGEST_DUPLICATE_INTERVAL)
        kind = body["msgtype"]
        content = (member, f"{kind} {body[kind]}")
        now = self.world.clock.now()
        before = self._said.get(content)
        if before is not None and now - before < timedelta(seconds=seconds):
            return True
        self._said[content] = now
        return False

    def _show(self, member: str, content: Content) -> Bubble | None:
        """Puts it on the member's screen; None when the member had too many within the minute."""
        now = self.world.clock.now()
        recent = self._shown_at.setdefault(member, deque())
        while recent and now - recent[0] >= MINUTE:
            recent.popleft()
        if len(recent) >= PER_MINUTE:
            self._dropped += 1
            return None
        recent.append(now)
        return self.world.show(self.name, member, "bot", content.kind, content.text, content.media, card=content.card)
