"""What people at the page send, checked as the phone itself would check it."""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Callable, Mapping
from typing import Any

from playground import samples
from playground.groups import ADDRESS, Group
from playground.page.guard import Unfit
from playground.page.live import size_of
from playground.phones import Person, Screen
from playground.platform.callbacks import Delivery
from playground.platform.media import MAX_BYTES, MEGABYTE
from playground.wechat import WeChat
from playground.world import Bubble

SHOWN_WITHIN = 5.0  # seconds

Send = Callable[[], Delivery | None]


def send(wechat: WeChat, body: Mapping[str, Any]) -> None:
    """Lets a person send something; returns when it is on her screen, while it is still on its way to the bot.

    ``body`` holds ``person``, ``kind`` and what that kind needs. Raises ``Unfit``.
    """
    screen = wechat.screens.get(_text(body, "person"))
    kind = _text(body, "kind")
    if isinstance(screen, Group) and kind == "open":
        _start(*_link_in(screen, wechat, body))
    elif isinstance(screen, Group):
        _start(screen, _in_group(screen, kind, body))
    elif isinstance(screen, Person):
        make = _KINDS.get(kind)
        if make is None:
            raise Unfit("不知道要发什么：文字、照片、语音、位置、链接或菜单。")
        _start(screen, make(screen, body))
    else:
        raise Unfit("没有这个人，请从列表里选一个。")


def _in_group(group: Group, kind: str, body: Mapping[str, Any]) -> Send:
    member, at = _text(body, "member"), body.get("at") is not False
    if member not in group.members:
        raise Unfit("先选一个群成员，再说话。")
    if kind == "text":
        text = _said(body)
        return lambda: group.say(member, text, at=at)
    if kind in ("photo", "sample"):
        photo = _photo_of(body) if kind == "photo" else sample(_text(body, "name"))
        return lambda: group.send_photo(member, photo, at=at)
    if kind == "button":
        bubble, key = _tappable(group, body, group.members[member])
        return lambda: group.tap_button(member, bubble, key)
    raise Unfit("群里只能发文字和照片；语音、位置和链接机器人收不到。")


def _link_in(group: Group, wechat: WeChat, body: Mapping[str, Any]) -> tuple[Screen, Send]:
    """A member follows the link that the bot has shown in a group, into her chat with the customer service."""
    customer = wechat.customers.get(_text(body, "member"))
    if customer is None:
        raise Unfit("这个群成员没有居民的微信，进不了微信客服。请换一位居民来点。")
    bubble = next((each for each in group.chat() if each.id == body.get("bubble")), None)
    found = ADDRESS.search(bubble.text) if bubble is not None else None
    if found is None:
        raise Unfit("这个链接已经不在了。")
    return customer, lambda: customer.enter_by(found.group())


def _start(person: Screen, act: Send) -> None:
    def own() -> int:
        return max((bubble.id for bubble in person.chat() if bubble.speaker == "person"), default=0)

    before = own()
    threading.Thread(target=act, daemon=True).start()
    person.platform.world.wait_until(lambda: own() > before, SHOWN_WITHIN)


def _words(person: Person, body: Mapping[str, Any]) -> Send:
    text = _said(body)
    return lambda: person.send(text)


def _said(body: Mapping[str, Any]) -> str:
    text = _text(body, "text")
    if not text.strip():
        raise Unfit("还没有写字，写点什么再发送。")
    return text


def _photo(person: Person, body: Mapping[str, Any]) -> Send:
    content = _photo_of(body)
    return lambda: person.send_photo(content)


def _photo_of(body: Mapping[str, Any]) -> bytes:
    content, name = _file(body), _text(body, "name") or "这个文件"
    if len(content) > MAX_BYTES["image"]:
        raise Unfit(f"“{name}”有 {len(content) / MEGABYTE:.1f} MB，微信的照片最大 10 MB，没有发出去。")
    if size_of(content) is None:
        raise Unfit(f"“{name}”不是照片，或者这种格式打不开，没有发出去。请选 JPG 或 PNG。")
    return content


def _sample(person: Person, body: Mapping[str, Any]) -> Send:
    content = sample(_text(body, "name"))
    return lambda: person.send_photo(content)


def sample(name: str) -> bytes:
    """One of the built-in photos. Raises ``Unfit``."""
    try:
        return samples.photo(name)
    except KeyError:
        raise Unfit("没有这张样本照片。") from None


def _voice(person: Person, body: Mapping[str, Any]) -> Send:
    words = _text(body, "text").strip()
    content = _file(body) if "content" in body else samples.voice(words or "nobody-says-anything", 3.0)
    if len(content) > MAX_BYTES["voice"]:
        raise Unfit("这段语音超过 2 MB，没有发出去。请说短一点，一分钟以内。")
    return lambda: person.send_voice(content, words)


def _location(person: Person, body: Mapping[str, Any]) -> Send:
    return lambda: person.send_location(31.2304, 121.4737, "阳光花园东门")


def _link(person: Person, body: Mapping[str, Any]) -> Send:
    return lambda: person.send_link("怎么看水果坏没坏", "三张图看懂", "https://example.com/fruit")


def _enter(person: Person, body: Mapping[str, Any]) -> Send:
    return person.follow


def _menu(person: Person, body: Mapping[str, Any]) -> Send:
    key = _text(body, "key")
    bubble = next((each for each in person.chat() if each.id == body.get("bubble")), None)
    if bubble is None or bubble.menu is None or bubble.menu.find(key) is None:
        raise Unfit("这个选项已经不在了。")
    return lambda: person.tap_in(bubble, key)


def _tap(person: Person, body: Mapping[str, Any]) -> Send:
    key = _text(body, "text").strip()
    if not key:
        raise Unfit("这个菜单没有内容。")
    return lambda: person.tap(key)


def _button(person: Person, body: Mapping[str, Any]) -> Send:
    bubble, key = _tappable(person, body)
    return lambda: person.tap_button(bubble, key)


def _tappable(screen: Screen, body: Mapping[str, Any], member: str = "") -> tuple[Bubble, str]:
    """A card's bubble, and the key of a button on it that can be tapped (by this member of a group)."""
    key = _text(body, "key")
    bubble = next((each for each in screen.chat() if each.id == body.get("bubble")), None)
    if bubble is None or bubble.card is None:
        raise Unfit("这张卡片已经不在了。")
    try:
        bubble.own_cards.get(member, bubble.card).button(key)
    except ValueError:
        raise Unfit("这个按钮已经不能点了。") from None
    return bubble, key


_KINDS: Mapping[str, Callable[[Person, Mapping[str, Any]], Send]] = {
    "text": _words,
    "photo": _photo,
    "sample": _sample,
    "voice": _voice,
    "location": _location,
    "link": _link,
    "tap": _tap,
    "enter": _enter,
    "menu": _menu,
    "button": _button,
}


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name, "")
    if not isinstance(value, str):
        raise Unfit(f"{name} 应该是文字。")
    return value


def _file(body: Mapping[str, Any]) -> bytes:
    try:
        content = base64.b64decode(_text(body, "content"), validate=True)
    except (ValueError, binascii.Error):
        raise Unfit("文件没有传完整，请再选一次。") from None
    if len(content) <= 5:
        raise Unfit("这个文件是空的，没有发出去。")
    return content
