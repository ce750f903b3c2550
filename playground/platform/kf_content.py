"""Customer-service messages in the API's own field names: what customers send (doc 94670), what may be sent (94677)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from playground.platform.base import TEXT_LIMIT, text_of
from playground.platform.errors import ApiError
from playground.platform.media import MEGABYTE, MediaStore
from playground.platform.menus import Menu, read_menu

Content = dict[str, Any]

# What customers may send at most; of a bigger file only a text comes, in words of our own.
RECEIVED_UP_TO = {"image": 2 * MEGABYTE, "voice": 2 * MEGABYTE, "video": 10 * MEGABYTE, "file": 20 * MEGABYTE}
TOO_LARGE = "[文件过大，暂不支持接收]"
TITLE_LIMIT, DESC_LIMIT, URL_LIMIT = 128, 512, 2048  # bytes; the first two are cut, a longer address is refused
_MSGID = re.compile(r"[0-9a-zA-Z_-]{1,32}")


def text(words: str, menu_id: str = "") -> Content:
    return _of("text", content=words, **({"menu_id": menu_id} if menu_id else {}))


def media(kind: str, media_id: str) -> Content:
    return _of(kind, media_id=media_id)


def location(latitude: float, longitude: float, name: str, address: str = "") -> Content:
    return _of("location", latitude=latitude, longitude=longitude, name=name, address=address)


def link(title: str, desc: str, url: str, pic_url: str = "") -> Content:
    return _of("link", title=title, desc=desc, url=url, pic_url=pic_url)


def miniprogram(title: str, appid: str, pagepath: str, thumb_media_id: str) -> Content:
    return _of("miniprogram", title=title, appid=appid, pagepath=pagepath, thumb_media_id=thumb_media_id)


def business_card(userid: str) -> Content:
    return _of("business_card", userid=userid)


def merged(title: str, said: Sequence[tuple[str, str]], at: int) -> Content:
    """A forwarded piece of another chat: who said what, each at ``at`` (seconds)."""
    items = [
        {
            "send_time": at,
            "msgtype": "text",
            "sender_name": name,
            "msg_content": json.dumps({"text": {"content": words}}, ensure_ascii=False),
        }
        for name, words in said
    ]
    return _of("merged_msg", title=title, item=items)


def event(event_type: str, **fields: str | int) -> Content:
    return _of("event", event_type=event_type, **fields)


def _of(kind: str, **fields: Any) -> Content:
    return {"msgtype": kind, kind: fields}


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the bot sends, as a phone shows it."""

    kind: str
    text: str = ""
    media: bytes | None = None
    menu: Menu | None = None


def read_spoken(body: Mapping[str, Any], store: MediaStore) -> Spoken:
    """The message of a ``send_msg`` or ``send_msg_on_event``. Raises ``ApiError`` when it is outside the limits."""
    kind = body.get("msgtype")
    if kind == "text":
        words = text_of(body, "text")
        if len(words.encode()) > TEXT_LIMIT:
            raise ApiError(45002)
        return Spoken("text", words)
    if kind == "msgmenu":
        menu = read_menu(body.get("msgmenu"))
        return Spoken("msgmenu", menu.words, menu=menu)
    if kind in ("image", "voice", "video", "file"):
        return Spoken(kind, "", _media(body, kind, "media_id", store))
    if kind == "link":
        return Spoken("link", _link(body), _media(body, "link", "thumb_media_id", store))
    raise ApiError(40008)


def read_msgid(body: Mapping[str, Any]) -> str:
    """The msgid that the caller chose, or "". Raises ``ApiError`` 40058 for one that is not allowed."""
    msgid = body.get("msgid") or ""
    if msgid and (not isinstance(msgid, str) or not _MSGID.fullmatch(msgid)):
        raise ApiError(40058, "msgid")
    return str(msgid)


def _media(body: Mapping[str, Any], kind: str, name: str, store: MediaStore) -> bytes:
    part = body.get(kind)
    return store.get(str(part.get(name, "") if isinstance(part, dict) else "")).content


def _link(body: Mapping[str, Any]) -> str:
    part = body.get("link")
    if not isinstance(part, dict) or not isinstance(part.get("title"), str) or not part["title"]:
        raise ApiError(40058, "link.title")
    url = part.get("url")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")) or len(url.encode()) > URL_LIMIT:
        raise ApiError(40058, "link.url")
    title, desc = _cut(part["title"], TITLE_LIMIT), _cut(str(part.get("desc") or ""), DESC_LIMIT)
    return "\n".join(line for line in (title, desc, url) if line)


def _cut(words: str, most: int) -> str:
    return words.encode()[:most].decode(errors="ignore")
