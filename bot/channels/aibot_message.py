"""What a smart bot is told, as :class:`Message`.

Sources: developer.work.weixin.qq.com documents 100719 (messages) and 101027 (events).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bot.channels.channel import CARD_TAPPED, Inbound, text_of
from bot.channels.template_card import chosen
from bot.errors import MalformedCallback
from bot.events import FEEDBACK
from bot.message import NOTHING, Media, Message, MessageKind

Fields = Mapping[str, Any]

WELCOME = "enter_chat"
"""The event of somebody who opens the single chat, the first time of a day."""

_KINDS: Mapping[str, MessageKind] = {
    "text": "text",
    "image": "image",
    "voice": "voice",
    "file": "file",
    "video": "video",
}
_FEEDBACK = {1: "good", 2: "bad", 3: "withdrawn"}
_LONGEST_KEY = 200
_LONGEST_ID = 128
_LONGEST_ADDRESS = 1024
_LONGEST_URL = 2048
_LONGEST_CHOICE = 1024
_LONGEST_REMARK = 500

_AFTER_NAME = "\u2005"
"""What the client writes behind the name of somebody who is called."""

# A name of several words ends only there; one that was typed by hand ends at the first blank.
_CALLED_FIRST = re.compile(rf"\s*@([^{_AFTER_NAME}@\n]{{1,64}}){_AFTER_NAME}\s*|\s*@(\S{{1,64}})(?:\s+|$)")


def inbound(channel: str, fields: Fields, *, nonce: str, now: datetime, bot_name: str) -> Inbound:
    """Translates one decrypted callback. Raises MalformedCallback when it lacks what every callback has.

    ``reply_address`` of the message is what the platform says; the channel looks where it leads.
    """
    kind, account = text_of(fields, "msgtype"), text_of(part(fields, "from"), "userid")
    if kind == "stream":
        return Inbound(None, "stream", nonce=nonce, asks_again=text_of(part(fields, "stream"), "id")[:_LONGEST_KEY])
    chat = text_of(fields, "chatid") if text_of(fields, "chattype") == "group" else ""
    in_group = text_of(fields, "chattype") == "group"
    if not (kind and account) or max(len(account), len(chat)) > _LONGEST_ID or (in_group and not chat):
        raise MalformedCallback("the callback lacks its sender, type or chat")
    about: dict[str, Any] = {
        "channel": channel,
        "account": account,
        "chat": chat,
        "dedupe_key": _key(fields),
        "sent_at": now,
        "reply_address": _address(fields),
    }
    if kind == "event":
        return _event(fields, about, nonce)
    message = _message(fields, kind, about, bot_name)
    return Inbound(message, "mixed" if kind == "mixed" else message.kind, account, nonce=nonce)


def part(fields: Fields, name: str) -> Fields:
    """A part of the callback; an absent one, or one of another kind, is empty."""
    found = fields.get(name)
    return found if isinstance(found, dict) else NOTHING


def _message(fields: Fields, kind: str, about: Mapping[str, Any], bot_name: str) -> Message:
    words = _words(fields, kind)
    if about["chat"]:
        # Whoever calls the bot and quotes, without a word of her own, asks what the quoted words ask.
        words = without_mentions(words, bot_name) or _quoted(part(fields, "quote"))
    media = _media(fields, kind)
    shown: MessageKind = media.kind if media and kind == "mixed" else _KINDS.get(kind, "other")
    return Message(**about, kind="text" if kind == "mixed" and media is None else shown, text=words, media=media)


def _words(fields: Fields, kind: str) -> str:
    if kind == "mixed":
        return "\n".join(filter(None, (_words(item, "text") for item in _items(fields)))).strip()
    return text_of(part(fields, kind), "content").strip() if kind in ("text", "voice") else ""


def _quoted(quote: Fields) -> str:
    return _words(quote, text_of(quote, "msgtype"))


def _items(fields: Fields) -> list[Fields]:
    items = part(fields, "mixed").get("msg_item")
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _media(fields: Fields, kind: str) -> Media | None:
    """The file of a message; of several pictures the first."""
    if kind == "mixed":
        pictures = (_media(item, "image") for item in _items(fields))
        return next((picture for picture in pictures if picture), None)
    url, shown = text_of(part(fields, kind), "url"), _KINDS.get(kind)
    if shown == "image" or shown == "file" or shown == "video":
        return Media(shown, url) if 0 < len(url) <= _LONGEST_URL else None
    return None


def without_mentions(words: str, bot_name: str) -> str:
    """The words without those by which the bot was called: names before them, and its own wherever it stands.

    ``bot_name`` may be empty; then the first name is taken for it.
    """
    names = [bot_name] if bot_name else []
    rest = words
    while found := (_called(rest, bot_name) or _CALLED_FIRST.match(rest)):
        names += [name for name in found.groups() if name and not names]
        rest = rest[found.end() :]
    for name in names:
        rest = re.sub(rf"\s*@{re.escape(name)}(?:\s|$)", " ", rest)
    return rest.strip()


def _called(words: str, bot_name: str) -> re.Match[str] | None:
    """The bot's own name at the beginning, however what follows is joined to it."""
    return re.match(rf"\s*@{re.escape(bot_name)}\s*", words) if bot_name else None


def _event(fields: Fields, about: Mapping[str, Any], nonce: str) -> Inbound:
    event = part(fields, "event")
    name = text_of(event, "eventtype")
    read = _EVENTS.get(name)
    if read is None:
        return Inbound(None, "event:other", nonce=nonce)
    message = Message(**{**about, "kind": "event", **read(part(event, name), about["account"])})
    what = message.event or CARD_TAPPED
    seen = f"event:{what}_{message.extra['kind']}" if what == FEEDBACK else f"event:{what}"
    return Inbound(message, seen, about["account"], nonce=nonce, answers_in_words=name == WELCOME)


def _tapped(event: Fields, account: str) -> dict[str, Any]:
    """A choice of a menu stands for its words. The same one, tapped again by the same person, is a repeat."""
    task, key = text_of(event, "task_id")[:_LONGEST_ID], text_of(event, "event_key")[:_LONGEST_CHOICE]
    choice = chosen(task, key)
    if choice is None:
        return {"event": CARD_TAPPED, "choice": key, "extra": {"task": task}}
    once = _that_fits(f"{task}:{account}:{choice[0]}")
    return {"kind": "text", "choice": choice[0], "text": choice[1], "extra": {"task": task}, "dedupe_key": once}


def _feedback(event: Fields, account: str) -> dict[str, Any]:
    """The answer's id is the key of the message that it answered."""
    reasons = event.get("inaccurate_reason_list")
    known = [reason for reason in reasons if reason in (1, 2, 3, 4)] if isinstance(reasons, list) else []
    kind = event.get("type")
    extra = {
        "answer": text_of(event, "id")[:_LONGEST_KEY],
        "kind": _FEEDBACK.get(kind, "other") if isinstance(kind, int) else "other",
        "remark": text_of(event, "content")[:_LONGEST_REMARK],
        "reasons": known,
    }
    return {"event": FEEDBACK, "extra": {name: value for name, value in extra.items() if value}}


# What each tells besides its sender, who is named too.
_EVENTS: Mapping[str, Callable[[Fields, str], dict[str, Any]]] = {
    WELCOME: lambda event, account: {"event": WELCOME},
    "template_card_event": _tapped,
    "feedback_event": _feedback,
}


def _address(fields: Fields) -> str:
    address = text_of(fields, "response_url")
    return address if len(address) <= _LONGEST_ADDRESS else ""


def _key(fields: Fields) -> str:
    key = text_of(fields, "msgid")
    if not key:
        raise MalformedCallback("the callback has no id")
    return _that_fits(key)


def _that_fits(key: str) -> str:
    return key if len(key) <= _LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()
