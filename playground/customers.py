"""Residents who write to the customer-service account (微信客服) from their own WeChat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from playground.phones import NotSeen, Person
from playground.platform import kf_content
from playground.platform.callbacks import Delivery
from playground.platform.kf import Kf
from playground.world import Bubble

GROUP_SCENE = "group"  # of the link that is posted in the communities' groups


class Customer(Person):
    """A resident's chat with the customer service; ``account`` is her external_userid (wm…).

    Whatever she does waits in the message list; what a ``Delivery`` tells is how the bot took the callback that says
    so. ``community`` is the scene_param of the link that was posted in her community's group, or "".
    """

    platform: Kf

    def __init__(self, name: str, account: str, kf: Kf, *, elder: bool = False, community: str = "") -> None:
        super().__init__(name, "resident", account, kf, elder=elder)
        self.community = community

    def send(self, text: str) -> Delivery:
        return self._send(kf_content.text(text), "text", text)

    def send_file(self, content: bytes, filename: str = "") -> Delivery:
        return self._send(self.platform.add_file(content), "file", filename, content)

    def send_location(self, latitude: float, longitude: float, label: str) -> Delivery:
        return self._send(kf_content.location(latitude, longitude, label, label), "location", label)

    def send_link(self, title: str, description: str, url: str) -> Delivery:
        return self._send(kf_content.link(title, description, url), "link", title)

    def send_miniprogram(self, title: str, appid: str, pagepath: str, cover: bytes) -> Delivery:
        """A page of a mini-program, such as an order; ``cover`` is its picture."""
        with self.platform.world.changed:
            cover_id = self.platform.media.add("image", cover).id
        return self._send(kf_content.miniprogram(title, appid, pagepath, cover_id), "miniprogram", title)

    def send_card(self, userid: str) -> Delivery:
        """The business card of one of the corp's members."""
        return self._send(kf_content.business_card(userid), "business_card", userid)

    def forward(self, title: str, said: Sequence[tuple[str, str]]) -> Delivery:
        """A piece of another chat: who said what."""
        content = kf_content.merged(title, said, self.platform.timestamp())
        return self._send(content, "merged_msg", "\n".join((title, *(f"{name}：{words}" for name, words in said))))

    def tap(self, key: str) -> Delivery:
        """Taps a line of the last menu on the screen, by its id or its words. Without such a line she writes the word,
        because the official account's menu has no counterpart here.
        """
        menus = [bubble.menu for bubble in self.chat() if bubble.menu is not None]
        item = menus[-1].find(key) if menus else None
        return self.send(key) if item is None else self._send(kf_content.text(item.text, item.id), "text", item.text)

    def tap_in(self, bubble: Bubble, key: str) -> Delivery:
        """Taps a line of any menu on the screen. Raises ``NotSeen`` when it is not there."""
        item = bubble.menu.find(key) if bubble.menu is not None else None
        if item is None:
            raise NotSeen(f"{self.name} sees no {key} to tap in: {bubble.text}")
        return self._send(kf_content.text(item.text, item.id), "text", item.text)

    def enter(self, scene: str = "", scene_param: str = "") -> Delivery:
        """Opens the chat."""
        return self._come_in("打开了微信客服", lambda: self.platform.enter(self.account, scene, scene_param))

    def enter_by(self, url: str) -> Delivery:
        """Opens the chat by a link of ``kf/add_contact_way``."""
        return self._come_in("从链接进来了", lambda: self.platform.enter_by(self.account, url))

    def follow(self) -> Delivery:
        """Comes in by the link in her community's group, as a follower finds the official account."""
        if not self.community:
            return self.enter()
        act = partial(self.platform.enter, self.account, GROUP_SCENE, self.community)
        return self._come_in("从社区群里的链接进来了", act)

    def recall(self) -> Delivery:
        """Takes her last message back."""
        own = [
            bubble
            for bubble in self.chat()
            if bubble.speaker == "person" and bubble.callback and bubble.kind not in ("event", "notice")
        ]
        if not own:
            raise NotSeen(f"{self.name} has written nothing that could be taken back")
        delivery = self.platform.recall(self.account, own[-1].callback)
        self.platform.world.change(
            self.platform.name, self.account, own[-1].id, kind="notice", text="你撤回了一条消息", media=None
        )
        return self._remember(delivery)

    def _come_in(self, words: str, act: Callable[[], Delivery]) -> Delivery:
        world, where = self.platform.world, (self.platform.name, self.account)
        bubble = world.show(*where, "person", "event", words)
        delivery = self._remember(act())
        world.settle(*where, bubble, delivery.callback.key, accepted=delivery.accepted)
        return delivery
