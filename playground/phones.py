"""People with their phones: what they send, and what they see on the screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from playground.platform import payloads
from playground.platform.base import Platform
from playground.platform.callbacks import Callback, Delivery
from playground.platform.payloads import Payload
from playground.world import Bubble

MARKS = {
    "image": "[图片]",
    "voice": "[语音]",
    "video": "[视频]",
    "file": "[文件]",
    "location": "[位置]",
    "link": "[链接]",
}


class NotSeen(AssertionError):
    """What was waited for did not appear on the screen; the text holds the chat so far."""


class Screen:
    """One chat as it is on a phone, with a way to wait for what comes.

    ``account`` is the id that the platform gives the chat: openid, userid, or a group's chatid. ``members`` are those
    of a group: name → userid. ``elder`` says that the phone is set to large letters.
    """

    role = ""
    elder = False
    members: Mapping[str, str] = MappingProxyType({})

    def __init__(self, name: str, account: str, platform: Platform) -> None:
        self.name = name
        self.account = account
        self.platform = platform
        self._seen = 0

    def chat(self, since: int = 0) -> list[Bubble]:
        """Everything on the screen with an id above ``since``, oldest first."""
        return self.platform.world.chat(self.platform.name, self.account, since)

    def unseen(self) -> list[Bubble]:
        """What came from the other side since the last bubble waited for."""
        return [bubble for bubble in self.chat(self._seen) if bubble.speaker != "person"]

    def look(self) -> None:
        """Takes everything on the screen as seen."""
        self._seen = max((bubble.id for bubble in self.chat()), default=0)

    def wait_for(
        self,
        accept: Callable[[Bubble], bool],
        timeout: float = 10.0,
        on_change: Callable[[], None] = lambda: None,
    ) -> Bubble:
        """The next unseen bubble from the other side that ``accept`` takes; those before it count as seen too.

        ``on_change`` is called whenever something happens meanwhile, with the world's lock held; what it raises ends
        the waiting. Raises ``NotSeen`` after ``timeout`` seconds.
        """
        found: list[Bubble] = []

        def came() -> bool:
            on_change()
            found[:] = [bubble for bubble in self.unseen() if accept(bubble)][:1]
            return bool(found)

        if not self.platform.world.wait_until(came, timeout):
            raise NotSeen(f"{self.name} did not see it within {timeout:g} s. The chat so far:\n{self.screen()}")
        self._seen = found[0].id
        return found[0]

    def wait_for_change(self, bubble: Bubble, accept: Callable[[Bubble], bool], timeout: float = 10.0) -> Bubble:
        """The bubble as it looks once ``accept`` takes it. Raises ``NotSeen`` after ``timeout`` seconds."""

        def now() -> Bubble | None:
            return next((each for each in self.chat(bubble.id - 1) if each.id == bubble.id and accept(each)), None)

        if not self.platform.world.wait_until(lambda: now() is not None, timeout):
            raise NotSeen(f"{self.name} did not see it change within {timeout:g} s:\n{self.screen()}")
        return now() or bubble

    def screen(self) -> str:
        """The chat as text, one bubble a line."""
        return "\n".join(f"  {self.speaker(bubble)}: {words(bubble)}" for bubble in self.chat()) or "  (empty)"

    def speaker(self, bubble: Bubble) -> str:
        names = {"person": self.name, "bot": "机器人", "staff": f"客服 {bubble.name}", "platform": "微信"}
        return names[bubble.speaker]


class Person(Screen):
    """One person's chat with the bot.

    ``role`` is resident, leader, agent or supervisor; ``account`` is the id that the platform gives (openid, userid);
    ``elder`` says that the phone is set to large letters.
    Every ``send…`` returns when the bot has answered the callback or the platform has given up.
    """

    def __init__(self, name: str, role: str, account: str, platform: Platform, *, elder: bool = False) -> None:
        super().__init__(name, account, platform)
        self.elder = elder
        self.role = role
        self._last: Callback | None = None

    def send(self, text: str) -> Delivery:
        return self._send(payloads.text(text), "text", text)

    def send_photo(self, photo: Path | bytes) -> Delivery:
        content = photo if isinstance(photo, bytes) else photo.read_bytes()
        return self._send(self.platform.add_photo(content), "image", "", content)

    def send_voice(self, sound: bytes, recognition: str = "") -> Delivery:
        """``recognition`` is what the platform understood; only the Official Account passes it on."""
        return self._send(self.platform.add_voice(sound, recognition), "voice", recognition, sound)

    def send_video(self, film: bytes) -> Delivery:
        return self._send(self.platform.add_video(film), "video", "", film)

    def send_location(self, latitude: float, longitude: float, label: str) -> Delivery:
        return self._send(payloads.location(latitude, longitude, label), "location", label)

    def send_link(self, title: str, description: str, url: str) -> Delivery:
        return self._send(payloads.link(title, description, url), "link", title)

    def tap(self, key: str) -> Delivery:
        """Taps a button of the chat's menu."""
        return self._send(payloads.event("CLICK", key), "event", f"点了菜单：{key}")

    def tap_button(self, bubble: Bubble, key: str) -> Delivery:
        """Taps a button of a card. Raises ``ValueError`` when the card does not offer it (any more)."""
        button = self.platform.world.card(self.platform.name, self.account, bubble.id).button(key)
        return self._act(lambda: self.platform.tap_card(self.account, bubble, key), "event", f"点了按钮：{button.text}")

    def tap_in(self, bubble: Bubble, key: str) -> Delivery:
        """Taps a line of a menu message, by its id or its words. Raises ``NotSeen`` when it is not there."""
        item = bubble.menu.find(key) if bubble.menu is not None else None
        if item is None:
            raise NotSeen(f"{self.name} sees no {key} to tap in: {bubble.text}")
        return self._send(payloads.text(item.text, item.id), "text", item.text)

    def follow(self) -> Delivery:
        return self._send(payloads.event("subscribe"), "event", "关注了公众号")

    def unfollow(self) -> Delivery:
        return self.event("unsubscribe")

    def event(self, name: str, key: str = "", **fields: str | int) -> Delivery:
        """Any event by the platform's name, known to the bot or not. It leaves no bubble."""
        return self._remember(self.platform.send(self.account, payloads.event(name, key, **fields)))

    def repeat(self) -> Delivery:
        """Lets the platform deliver the last callback once more, with the same MsgId."""
        if self._last is None:
            raise RuntimeError(f"{self.name} has sent nothing yet")
        return self.platform.deliver(self._last)

    def _send(self, payload: Payload, kind: str, text: str, media: bytes | None = None) -> Delivery:
        return self._act(lambda: self.platform.send(self.account, payload), kind, text, media)

    def _act(self, act: Callable[[], Delivery], kind: str, text: str, media: bytes | None = None) -> Delivery:
        world, where = self.platform.world, (self.platform.name, self.account)
        bubble = world.show(*where, "person", kind, text, media)
        delivery = self._remember(act())
        world.settle(*where, bubble, delivery.callback.key, accepted=delivery.accepted)
        return delivery

    def _remember(self, delivery: Delivery) -> Delivery:
        self._last = delivery.callback
        return delivery


def words(bubble: Bubble) -> str:
    """A bubble as one line of text."""
    mark = MARKS.get(bubble.kind, "")
    return f"{mark} {bubble.text}".strip() if mark else bubble.text.replace("\n", "\n    ")
