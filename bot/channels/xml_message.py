"""Decrypted XML to :class:`Message`, shared by the channels whose callbacks are XML; and the text reply back."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.channels.channel import CARD_TAPPED, Inbound, text_of
from bot.errors import MalformedCallback
from bot.message import NOTHING, Media, Message, MessageKind

_KINDS: Mapping[str, MessageKind] = {
    "text": "text",
    "image": "image",
    "voice": "voice",
    "video": "video",
    "shortvideo": "video",
    "file": "file",
    "location": "location",
    "link": "link",
}
# Events a person causes and that mean something to us; every other one is acknowledged and counted.
_EVENTS = frozenset({"subscribe", "click", "scan", "enter_agent"})
_CARD_EVENTS = frozenset({"template_card_event"})
_LONGEST_KEY = 200
_LONGEST_SCENE = 64
_LONGEST_CHOICE = 1024
_LONGEST_ACCOUNT = 128
# Characters that XML 1.0 does not allow, and would make the platform refuse the whole reply.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def inbound(channel: str, fields: Mapping[str, Any], nonce: str) -> Inbound:
    """Translates one decrypted callback. Raises MalformedCallback when it lacks what every callback has."""
    sender, receiver = text_of(fields, "FromUserName"), text_of(fields, "ToUserName")
    kind, created = text_of(fields, "MsgType").lower(), text_of(fields, "CreateTime")
    if not sender or not kind or len(sender) > _LONGEST_ACCOUNT or not _is_time(created):
        raise MalformedCallback("the callback lacks its sender, type or time")
    if kind == "event" and text_of(fields, "Event").lower() in _CARD_EVENTS:
        tap = _tap(channel, fields, sender, created)
        return Inbound(tap, "event:card", sender, receiver, nonce, answers_in_words=False)
    if kind == "event":
        event = text_of(fields, "Event").lower()
        message = _event(channel, fields, sender, created, event) if event in _EVENTS else None
        return Inbound(message, f"event:{event}" if event in _EVENTS else "event:other", sender, receiver, nonce)
    message = _message(channel, fields, sender, created, _KINDS.get(kind, "other"))
    return Inbound(message, message.kind, sender, receiver, nonce)


def _message(channel: str, fields: Mapping[str, Any], sender: str, created: str, kind: MessageKind) -> Message:
    # The platforms' message ids alone have collided between senders; see WxJava issue 333.
    key = f"{sender}:{text_of(fields, 'MsgId')}:{created}"
    return Message(
        channel=channel,
        account=sender,
        dedupe_key=_short(key if text_of(fields, "MsgId") else f"{key}{_digest(fields)}"),
        kind=kind,
        sent_at=_time(created),
        text=_words(fields, kind),
        media=_media(fields, kind),
    )


def _event(channel: str, fields: Mapping[str, Any], sender: str, created: str, event: str) -> Message:
    # Events carry no id; sender and time alone have collided and lost events (WxJava issue 2231).
    key = f"{sender}:{created}:{event}:{_digest(fields)}"
    return Message(
        channel=channel,
        account=sender,
        dedupe_key=_short(key),
        kind="event",
        sent_at=_time(created),
        # A menu button's key is written by the operator for the bot to read; what a scan brings is no one's words.
        text=text_of(fields, "EventKey") if event == "click" else "",
        event=event,
        extra=_scene(fields, event),
    )


def _tap(channel: str, fields: Mapping[str, Any], sender: str, created: str) -> Message:
    """A button of a card. Source: developer.work.weixin.qq.com document 90240, 模板卡片事件推送."""
    event = _event(channel, fields, sender, created, CARD_TAPPED)
    return replace(
        event,
        choice=text_of(fields, "EventKey")[:_LONGEST_CHOICE],
        extra={"response_code": text_of(fields, "ResponseCode"), "task": text_of(fields, "TaskId")},
    )


def _scene(fields: Mapping[str, Any], event: str) -> Mapping[str, str]:
    """What a scanned code says of the place where it hangs; following through a code puts a word before it."""
    scene = text_of(fields, "EventKey").removeprefix("qrscene_")
    return {"scene": scene} if event in ("scan", "subscribe") and scene and len(scene) <= _LONGEST_SCENE else NOTHING


def _words(fields: Mapping[str, Any], kind: MessageKind) -> str:
    if kind == "text":
        return text_of(fields, "Content")
    if kind == "voice":
        return text_of(fields, "Recognition").strip()
    if kind == "location":
        return text_of(fields, "Label")
    return text_of(fields, "Title") if kind == "link" else ""


def _media(fields: Mapping[str, Any], kind: MessageKind) -> Media | None:
    identifier = text_of(fields, "MediaId16K") or text_of(fields, "MediaId")
    if not identifier or len(identifier) > 256:
        return None
    # A film is not fetched: in its place an Official Account is given an address elsewhere.
    if kind == "image" or kind == "voice":
        return Media(kind, identifier, text_of(fields, "Format"))
    return None


def _digest(fields: Mapping[str, Any]) -> str:
    return hashlib.sha256(repr(sorted(fields.items())).encode("utf-8", "replace")).hexdigest()[:16]


def _short(key: str) -> str:
    return key if len(key) <= _LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()


def _is_time(created: str) -> bool:
    return created.isascii() and created.isdigit() and len(created) <= 10


def _time(created: str) -> datetime:
    return datetime.fromtimestamp(int(created), UTC)


def text_reply(sender: str, receiver: str, text: str, now: datetime) -> str:
    """The XML of a passive text reply from ``receiver``'s account to ``sender``."""
    return (
        f"<xml><ToUserName>{_cdata(sender)}</ToUserName><FromUserName>{_cdata(receiver)}</FromUserName>"
        f"<CreateTime>{int(now.timestamp())}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content>{_cdata(text)}</Content></xml>"
    )


def _cdata(text: str) -> str:
    clean = _NOT_XML.sub("", text).replace("]]>", "]]]]><![CDATA[>")
    return f"<![CDATA[{clean}]]>"
