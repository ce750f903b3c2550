"""The webhook of a group of staff (群机器人, 消息推送): the bot writes, nobody answers. Document 99110."""

from __future__ import annotations

import re
import secrets
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import Response, jsonify, request

from playground.platform.aibot_replies import read_image
from playground.platform.base import API, json_object
from playground.platform.cards import NOTICE, read_card
from playground.platform.errors import ApiError
from playground.platform.media import MEGABYTE, MediaStore
from playground.platform.wecom import Content, Wecom

PER_MINUTE = 20
MINUTE = timedelta(minutes=1)
LONGEST = {"text": 2048, "markdown": 4096, "markdown_v2": 4096}  # bytes
IMAGE_BYTES = 2 * MEGABYTE
EVERYBODY = "@all"
_MENTION = re.compile(r"<@([^<>]+)>")


class StaffRoom:
    """One group's webhook, served with the rest of WeCom's API; ``members`` maps userids to names.

    ``chatid`` is the account under which the group's screen is found on the platform of ``wecom``.
    """

    def __init__(self, wecom: Wecom, *, key: str, chatid: str = "staff-room", members: Mapping[str, str]) -> None:
        self.chatid = chatid
        self.members = dict(members)
        self._wecom = wecom
        self._world = wecom.world
        self._key = key
        self._media = MediaStore(wecom.world.clock)
        self._sent_at: deque[datetime] = deque()
        wecom.app.add_url_rule(API + "webhook/send", "room_send", self._send, methods=["POST"])
        wecom.app.add_url_rule(API + "webhook/upload_media", "room_upload", self._upload, methods=["POST"])

    @property
    def url(self) -> str:
        """Where the bot posts to. It holds the key: whoever has it can write into the group."""
        return f"{self._wecom.server.url}{API}webhook/send?key={self._key}"

    def reset(self) -> None:
        with self._world.changed:
            self._sent_at.clear()

    def _send(self) -> Response:
        self._check_key()
        body = json_object(request.get_data())
        with self._world.changed:
            self._count()
            self._show(body)
        return jsonify(errcode=0, errmsg="ok")

    def _upload(self) -> Response:
        self._check_key()
        file, kind = request.files.get("media"), request.args.get("type", "")
        if file is None:
            raise ApiError(41005)
        if kind not in ("file", "voice"):
            raise ApiError(40004)
        with self._world.changed:
            item = self._media.add(kind, file.read())
        return jsonify(errcode=0, errmsg="ok", type=kind, media_id=item.id, created_at=str(self._wecom.timestamp()))

    def _check_key(self) -> None:
        if not secrets.compare_digest(request.args.get("key", "").encode(), self._key.encode()):
            raise ApiError(93000)

    def _count(self) -> None:
        """Takes one of the minute's twenty; ``ApiError`` 45009 beyond."""
        now = self._world.clock.now()
        while self._sent_at and now - self._sent_at[0] >= MINUTE:
            self._sent_at.popleft()
        if len(self._sent_at) >= PER_MINUTE:
            raise ApiError(45009)
        self._sent_at.append(now)

    def _show(self, body: Mapping[str, Any]) -> None:
        content = self._content(str(body.get("msgtype")), body)
        where = (self._wecom.name, self.chatid)
        self._world.show(*where, "bot", content.kind, content.text, content.media, card=content.card)

    def _content(self, kind: str, body: Mapping[str, Any]) -> Content:
        part = body.get(kind)
        if kind in LONGEST:
            return Content(kind, self._words(kind, part))
        if kind == "image":
            return Content(kind, media=read_image(part, IMAGE_BYTES))
        if kind == "template_card":
            card = read_card(part)
            if card.kind != NOTICE:
                raise ApiError(40035, "a webhook's card cannot call back")
            return Content(kind, card.words, card=card)
        if kind in ("file", "voice"):
            media_id = str(part.get("media_id", "")) if isinstance(part, dict) else ""
            return Content(kind, media=self._media.get(media_id).content)
        raise ApiError(40008)

    def _words(self, kind: str, part: Any) -> str:
        told = part if isinstance(part, dict) else {}
        content = told.get("content")
        if not isinstance(content, str) or not content:
            raise ApiError(44004)
        if len(content.encode()) > LONGEST[kind]:
            raise ApiError(40058, f"{kind}.content exceed max length {LONGEST[kind]}")
        if kind == "text":
            return " ".join([content, *self._mentions(told)])
        if kind == "markdown":
            return _MENTION.sub(lambda match: self._at(match.group(1)) or match.group(), content)
        return content

    def _mentions(self, part: Mapping[str, Any]) -> list[str]:
        """Those named, as the client shows them. Telephone numbers are nobody's here, but for "@all"."""
        named = part.get("mentioned_list") or []
        called = part.get("mentioned_mobile_list") or []
        if not isinstance(named, list) or not isinstance(called, list):
            raise ApiError(40035, "mentioned_list and mentioned_mobile_list must be lists")
        everybody = [EVERYBODY] if EVERYBODY in (*named, *called) else []
        return [at for at in map(self._at, [*everybody, *(name for name in named if name != EVERYBODY)]) if at]

    def _at(self, userid: object) -> str:
        if userid == EVERYBODY:
            return "@所有人"
        name = self.members.get(str(userid))
        return f"@{name}" if name is not None else ""
