"""Group chats: several members on one screen, who call the bot with @ or talk among themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from playground.phones import MARKS, Screen
from playground.platform.aibot import Aibot, Content
from playground.platform.callbacks import Callback, Delivery
from playground.platform.staff_room import StaffRoom
from playground.platform.wecom import Wecom
from playground.world import Bubble

# What the client writes between a name called with @ and the words after it.
AFTER_NAME = "\u2005"
ADDRESS = re.compile(r"https?://[!-~]+")
"""A link in somebody's words."""


class Group(Screen):
    """A group with the smart bot in it; members are called by name.

    What is said with ``at`` calls the bot: the act returns its ``Delivery``. Anything else the bot never hears of,
    and the act returns None.
    """

    role = "group"

    def __init__(self, chatid: str, platform: Aibot) -> None:
        room = platform.rooms[chatid]
        super().__init__(room.name, chatid, platform)
        self.members = {name: userid for userid, name in room.members.items()}
        self._bot = platform
        self._last: Callback | None = None

    def say(self, member: str, text: str, *, at: bool = True, quote: Bubble | None = None) -> Delivery | None:
        """A member writes; ``quote`` is what she answers. Raises ``KeyError`` for somebody who is not in the group."""
        words = self._called(text) if at else text
        content: Content = {"msgtype": "text", "text": {"content": words}}
        return self._post(member, content, "text", words, None, quote, at)

    def send_photo(
        self, member: str, photo: Path | bytes, text: str = "", *, at: bool = True, quote: Bubble | None = None
    ) -> Delivery | None:
        """A member sends a photo with words; with ``at`` it reaches the bot as a mixed message."""
        image = photo if isinstance(photo, bytes) else photo.read_bytes()
        words = self._called(text) if at else text
        items = [{"msgtype": "text", "text": {"content": words}}, self._as_image(image)]
        return self._post(member, {"msgtype": "mixed", "mixed": {"msg_item": items}}, "image", words, image, quote, at)

    def tap_button(self, member: str, bubble: Bubble, key: str) -> Delivery:
        """A member taps a button of a card. Raises ``ValueError`` when the card does not offer it to her (any more)."""
        button = self.platform.world.card(self._bot.name, self.account, bubble.id, self.members[member]).button(key)
        shown = self._show(member, "event", f"{member}点了按钮：{button.text}")
        return self._settle(shown, self._bot.tap(self.account, self.members[member], bubble, key))

    def judge(self, member: str, bubble: Bubble, kind: int, content: str = "", reasons: Sequence[int] = ()) -> Delivery:
        """A member finds an answer good (1) or bad (2), or takes that back (3); see ``Aibot.judge_answer``."""
        return self._bot.judge_answer(self.account, self.members[member], bubble, kind, content, reasons)

    def repeat(self) -> Delivery:
        """Lets the platform deliver the last callback once more, with the same msgid."""
        if self._last is None:
            raise RuntimeError(f"nobody has called the bot in {self.name} yet")
        return self.platform.deliver(self._last)

    def speaker(self, bubble: Bubble) -> str:
        return bubble.name or super().speaker(bubble)

    def _called(self, text: str) -> str:
        return f"@{self._bot.bot_name}{AFTER_NAME}{text}"

    def _post(
        self, member: str, content: Content, kind: str, words: str, media: bytes | None, quote: Bubble | None, at: bool
    ) -> Delivery | None:
        userid = self.members[member]
        quoted = _gist(quote) if quote is not None else ""
        shown = self._show(member, kind, words, media, quoted)
        if not at:
            self.platform.world.settle(self._bot.name, self.account, shown, "", accepted=True)
            return None
        if quote is not None:
            content = {**content, "quote": self._quoted(quote)}
        return self._settle(shown, self._bot.post(self.account, userid, content, f"{member}：{_gist(shown)}"))

    def _show(self, member: str, kind: str, words: str, media: bytes | None = None, quote: str = "") -> Bubble:
        show = self.platform.world.show
        return show(self._bot.name, self.account, "person", kind, words, media, name=member, quote=quote)

    def _settle(self, shown: Bubble, delivery: Delivery) -> Delivery:
        self._last = delivery.callback
        key, accepted = delivery.callback.key, delivery.accepted
        self.platform.world.settle(self._bot.name, self.account, shown, key, accepted=accepted)
        return delivery

    def _quoted(self, bubble: Bubble) -> Content:
        if bubble.kind == "image" and bubble.media is not None:
            return self._as_image(bubble.media)
        return {"msgtype": "text", "text": {"content": bubble.text}}

    def _as_image(self, image: bytes) -> Content:
        return {"msgtype": "image", "image": {"url": self._bot.file_url(image)}}


class Room(Screen):
    """The staff's group that a webhook writes into; whatever members say there stays among them."""

    role = "room"

    def __init__(self, room: StaffRoom, wecom: Wecom) -> None:
        super().__init__("客服值班群", room.chatid, wecom)
        self.members = {name: userid for userid, name in room.members.items()}


def _gist(bubble: Bubble) -> str:
    return f"{MARKS.get(bubble.kind, '')} {bubble.text}".strip()
