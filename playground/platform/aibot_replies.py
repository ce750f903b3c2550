"""What a smart bot may answer, and when: documents 101031 (in the HTTP answer) and 101138 (through response_url).

Its cards are those of document 101032, which knows no words in the buttons' place, as an app's cards may have.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from playground.platform.callbacks import Reply
from playground.platform.cards import Card, read_card
from playground.platform.errors import ApiError
from playground.platform.media import MEGABYTE

Occasion = Literal["message", "stream", "enter_chat", "template_card_event", "feedback_event"]

STREAM_BYTES = 20480
FEEDBACK_BYTES = 256
MOST_IMAGES = 10
# "stream" as an occasion is the platform asking how a stream goes on.
ALLOWED: Mapping[Occasion, Collection[str]] = {
    "message": ("stream", "template_card", "stream_with_template_card"),
    "stream": ("stream", "stream_with_template_card"),
    "enter_chat": ("text", "template_card"),
    "template_card_event": ("update_template_card",),
    "feedback_event": (),
}


@dataclass(frozen=True, slots=True)
class BotReply(Reply):
    """An answer: ``text`` is the whole of a stream so far, which shows again until ``finished``.

    ``images`` come with its end. ``userids`` are the members who see a card instead of the old one, none meaning all.
    """

    stream_id: str = ""
    finished: bool = True
    images: tuple[bytes, ...] = ()
    feedback_id: str = ""
    userids: tuple[str, ...] = ()


def read_bot_reply(body: Any, occasion: Occasion, task_ids: Collection[str]) -> BotReply:
    """The plain JSON of an answer; ``ValueError`` when the platform would not take it on this occasion."""
    kind = str(body.get("msgtype") or body.get("response_type")) if isinstance(body, dict) else ""
    if kind not in ALLOWED[occasion]:
        raise ValueError(f"{kind} is no answer to {occasion}")
    try:
        if kind == "text":
            return BotReply(kind, _words(body.get("text")))
        if kind == "update_template_card":
            return _update(body)
        if kind == "template_card":
            return read_card_answer(body, task_ids)
        card = None if kind == "stream" else _card(body.get("template_card"), taken=task_ids)
        return _stream(kind, body.get("stream"), card, first=occasion == "message")
    except ApiError as error:
        raise ValueError(error.errmsg) from error


def read_card_answer(body: Mapping[str, Any], task_ids: Collection[str]) -> BotReply:
    """A card as an answer of its own; ``ApiError`` when it is outside the limits."""
    part = body.get("template_card")
    card = _card(part, taken=task_ids)
    return BotReply("template_card", card.words, card=card, feedback_id=_feedback(part))


def _card(part: Any, *, taken: Collection[str] = (), update: bool = False) -> Card:
    known = {name: value for name, value in part.items() if name != "replace_text"} if isinstance(part, dict) else part
    return read_card(known, taken=taken, update=update)


def read_markdown(body: Mapping[str, Any]) -> BotReply:
    """The markdown of an answer through response_url; ``ApiError`` when it is empty or too long."""
    part = body.get("markdown")
    content = part.get("content") if isinstance(part, dict) else None
    if not isinstance(content, str) or not content:
        raise ApiError(44004)
    if len(content.encode()) > STREAM_BYTES:
        raise ApiError(45002)
    return BotReply("markdown", content, feedback_id=_feedback(part))


def _update(body: Mapping[str, Any]) -> BotReply:
    userids = body.get("userids") or []
    if not isinstance(userids, list):
        raise ValueError("userids must be a list")
    part = body.get("template_card")
    card = _card(part, update=True)
    named = tuple(str(user) for user in userids)
    return BotReply("update_template_card", card.words, card=card, feedback_id=_feedback(part), userids=named)


def _stream(kind: str, part: Any, card: Card | None, *, first: bool) -> BotReply:
    if not isinstance(part, dict):
        raise ValueError("stream missing")
    stream_id, content, finished = part.get("id", ""), part.get("content", ""), part.get("finish") is True
    if not isinstance(stream_id, str) or (first and not stream_id):
        raise ValueError("the first answer of a stream must have stream.id")
    if not isinstance(content, str) or len(content.encode()) > STREAM_BYTES:
        raise ValueError(f"stream.content must be a string of at most {STREAM_BYTES} bytes")
    items = part.get("msg_item") or []
    if items and not finished:
        raise ValueError("stream.msg_item comes with the end only")
    if not isinstance(items, list) or len(items) > MOST_IMAGES:
        raise ValueError(f"stream.msg_item has more than {MOST_IMAGES} pictures")
    images = tuple(read_image(item.get("image") if isinstance(item, dict) else None, 10 * MEGABYTE) for item in items)
    return BotReply(kind, content, None, card, stream_id, finished, images, _feedback(part))


def read_image(part: Any, most_bytes: int) -> bytes:
    """A picture that is sent as base64 with its md5; ``ApiError`` when it is not whole, too big, or no JPG or PNG."""
    told = part if isinstance(part, dict) else {}
    try:
        content = base64.b64decode(str(told.get("base64", "")), validate=True)
    except (ValueError, binascii.Error):
        raise ApiError(40035, "image.base64") from None
    if hashlib.md5(content).hexdigest() != str(told.get("md5", "")).lower():
        raise ApiError(301019)
    if not 0 < len(content) <= most_bytes:
        raise ApiError(40009)
    if not content.startswith((b"\xff\xd8\xff", b"\x89PNG")):
        raise ApiError(40004)
    return content


def _words(part: Any) -> str:
    content = part.get("content") if isinstance(part, dict) else None
    if not isinstance(content, str) or not content:
        raise ValueError("text.content is empty")
    return content


def _feedback(part: Any) -> str:
    feedback = part.get("feedback") if isinstance(part, dict) else None
    name = feedback.get("id", "") if isinstance(feedback, dict) else ""
    if not isinstance(name, str) or len(name.encode()) > FEEDBACK_BYTES:
        raise ApiError(40035, f"feedback.id must be a string of at most {FEEDBACK_BYTES} bytes")
    return name
