"""What ``kf/sync_msg`` lists, as :class:`Message`.

Source of fields and numbers: developer.work.weixin.qq.com document 94670.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from bot.channels.channel import text_of
from bot.events import DELIVERY_FAILED, ENTERED, PERSON_SPOKE, RECALLED, SESSION_CHANGED
from bot.message import Media, Message, MessageKind

Entry = Mapping[str, Any]

_LONGEST_KEY = 200
_LONGEST_ACCOUNT = 128
_LONGEST_WORDS = 1000
_MOST_FORWARDED = 20


class Origin(IntEnum):
    """Who is behind an entry."""

    CUSTOMER = 3
    SYSTEM = 4
    SERVICER = 5


class Change(IntEnum):
    """``change_type`` of a session_status_change."""

    FROM_POOL = 1
    TRANSFERRED = 2
    ENDED = 3
    TAKEN_UP_AGAIN = 4


# fail_type of msg_send_fail. What is not in it, and 0, names no cause.
_FAILURES = {
    1: "account_closed",
    2: "account_closed",
    4: "window_closed",
    5: "session_ended",
    6: "window_used_up",
    8: "account_closed",
    10: "person_refuses",
    11: "account_closed",
    12: "kind_refused",
    13: "words_refused",
}


def message_of(channel: str, entry: object, now: datetime) -> Message | None:
    """One entry of the list; None for what concerns no conversation, is not known, or cannot be read.

    ``now`` stands in for a sending time that is missing.
    """
    if not isinstance(entry, dict):
        return None
    origin, about = entry.get("origin"), _part(entry, "event")
    account = text_of(entry, "external_userid") or text_of(about, "external_userid")
    if not account or len(account) > _LONGEST_ACCOUNT:
        return None
    fields: dict[str, Any] = {
        "channel": channel,
        "account": account,
        "dedupe_key": _key(entry),
        "sent_at": _time(entry, now),
    }
    if entry.get("msgtype") == "event":
        tell = _EVENTS.get(text_of(about, "event_type"))
        told = tell(about) if tell else None
        return Message(**fields, kind="event", **told) if told else None
    if origin == Origin.SERVICER:
        said = {"staff": text_of(entry, "servicer_userid"), "kind": _kind(entry), "text": _words(entry)}
        return Message(**fields, kind="event", event=PERSON_SPOKE, extra=said)
    if origin != Origin.CUSTOMER:
        return None
    choice = text_of(_part(entry, "text"), "menu_id")
    return Message(**fields, kind=_kind(entry), text=_words(entry), media=_media(entry), choice=choice)


def _entered(about: Entry) -> dict[str, Any]:
    extra = {name: text_of(about, name)[:_LONGEST_ACCOUNT] for name in ("scene", "scene_param")}
    return {"event": ENTERED, "reply_code": text_of(about, "welcome_code"), "extra": extra}


def _session_changed(about: Entry) -> dict[str, Any] | None:
    change = about.get("change_type")
    if change == Change.ENDED:
        extra = {"who": "ended", "staff": text_of(about, "old_servicer_userid")}
        return {"event": SESSION_CHANGED, "reply_code": text_of(about, "msg_code"), "extra": extra}
    if change not in (Change.FROM_POOL, Change.TRANSFERRED, Change.TAKEN_UP_AGAIN):
        return None
    return {"event": SESSION_CHANGED, "extra": {"who": "person", "staff": text_of(about, "new_servicer_userid")}}


def _recalled(about: Entry) -> dict[str, Any]:
    return {"event": RECALLED, "extra": {"message": _short(text_of(about, "recall_msgid"))}}


def _failed(about: Entry) -> dict[str, Any]:
    fail_type = about.get("fail_type")
    code = _FAILURES.get(fail_type, "lost") if isinstance(fail_type, int) else "lost"
    return {"event": DELIVERY_FAILED, "extra": {"key": text_of(about, "fail_msgid"), "code": code}}


_EVENTS: Mapping[str, Callable[[Entry], dict[str, Any] | None]] = {
    "enter_session": _entered,
    "session_status_change": _session_changed,
    "user_recall_msg": _recalled,
    "servicer_recall_msg": _recalled,
    "msg_send_fail": _failed,
}

_KINDS: Mapping[str, MessageKind] = {
    "text": "text",
    "image": "image",
    "voice": "voice",
    "video": "video",
    "file": "file",
    "location": "location",
    "link": "link",
}
# In which field of its own a message of this type brings words along.
_TITLES = {
    "link": ("title",),
    "location": ("name", "address"),
    "miniprogram": ("title",),
    "channels_shop_product": ("title",),
    "channels_shop_order": ("product_titles", "order_id"),
    "channels": ("nickname", "title"),
    "meeting": ("topic", "title"),
    "calendar": ("title", "summary"),
    "note": ("title",),
}


def _kind(entry: Entry) -> MessageKind:
    return _KINDS.get(text_of(entry, "msgtype"), "other")


def _words(entry: Entry) -> str:
    kind = text_of(entry, "msgtype")
    part = _part(entry, kind)
    if kind == "text":
        return text_of(part, "content")
    if kind == "merged_msg":
        return _forwarded(part)
    words = dict.fromkeys(text_of(part, name).strip() for name in _TITLES.get(kind, ()))
    return " ".join(filter(None, words))[:_LONGEST_WORDS]


def _forwarded(part: Entry) -> str:
    """A forwarded piece of another chat: its title, and what was said in it."""
    items = part.get("item")
    said = [_said(item) for item in items[:_MOST_FORWARDED]] if isinstance(items, list) else []
    return "\n".join(filter(None, (text_of(part, "title"), *said)))[:_LONGEST_WORDS]


def _said(item: object) -> str:
    if not isinstance(item, dict):
        return ""
    try:
        content = json.loads(text_of(item, "msg_content") or "{}")
    except (ValueError, RecursionError):
        return ""
    words = text_of(_part(content, "text"), "content") if isinstance(content, dict) else ""
    return f"{text_of(item, 'sender_name')}：{words}" if words else ""


def _media(entry: Entry) -> Media | None:
    kind = _kind(entry)
    if kind == "image" or kind == "voice" or kind == "video" or kind == "file":
        media_id = text_of(_part(entry, kind), "media_id")
        return Media(kind, media_id, "amr" if kind == "voice" else "") if 0 < len(media_id) <= 256 else None
    return None


def _part(entry: Entry, name: str) -> Entry:
    part = entry.get(name)
    return part if isinstance(part, dict) else {}


def _key(entry: Entry) -> str:
    content = json.dumps(entry, sort_keys=True, default=str)
    return _short(text_of(entry, "msgid")) or hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()


def _short(key: str) -> str:
    return key if len(key) <= _LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()


def _time(entry: Entry, now: datetime) -> datetime:
    seconds = entry.get("send_time")
    plausible = isinstance(seconds, int) and 0 < seconds < 10**10
    return datetime.fromtimestamp(seconds, UTC) if plausible and isinstance(seconds, int) else now
