"""The whole bot with the smart bot in two groups, and with the customer service that residents go on with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Row

from bot.channels.wecom_kf import WecomKf
from bot.clock import ShiftedClock
from bot.storage.tables import conversations, outbox
from playground import demo_data
from playground.groups import Group
from playground.phones import Person
from playground.wechat import WeChat
from shop.importing import import_orders
from shop.kf_links import keep_link
from tests.end_to_end.crowd import wait_until
from tests.handlers.kf_town import KfTown

GROUP, OTHER_GROUP = "阳光花园服务群", "翠湖里服务群"
MEMBERS = {
    name: f"Neighbour{number}"
    for number, name in enumerate(["刘建国", "王阿姨", "李叔", "小赵", "钱姐", "周哥", "吴妈", "郑伯", "冯嫂", "陈工"])
}
SUNSHINES_CHATS = "chats: [{channel: group-bot, id: wrDemoSunshine00000000000000001}], "
LIU = "accounts: {oa: oDemoLiuJianguo0000000000002, kf: wmDemoLiuJianguo0000000000002"


class GroupTown(KfTown):
    """Ten neighbours who are members of the corporation are in the first group too; the bot knows 刘建国 by name."""

    def __init__(
        self,
        tmp_path: Path,
        database_url: str,
        valkey_url: str,
        clock: ShiftedClock,
        *,
        with_link: bool = True,
        listed: bool = True,
    ) -> None:
        self.clock = clock
        cast = demo_data.cast(with_kf=True, with_groups=True)
        groups = {
            name: (chat, (*members, *(MEMBERS if name == GROUP else ())))
            for name, (chat, members) in cast.groups.items()
        }
        self._accounts = {name: account for name, (_, account) in cast.staff.items()} | MEMBERS
        cast = replace(cast, members={**cast.members, **MEMBERS}, groups=groups)
        wechat = WeChat(demo_data.credentials(tmp_path), cast, time_source=clock.now, poll_every=0.02)
        self._prepare(wechat, tmp_path, database_url, valkey_url, with_groups=True)
        self._change("people.yaml", LIU, f"{LIU}, group-bot: {MEMBERS['刘建国']}")
        if not listed:
            self._change("people.yaml", SUNSHINES_CHATS, "")
        self._serve()
        self.group, self.other = self.wechat.group(GROUP), self.wechat.group(OTHER_GROUP)
        if with_link:
            self._make_links()

    def _make_links(self) -> None:
        """As ``./qunda kf link`` does for each community."""
        kf = self.bot.channels["kf"]
        assert isinstance(kf, WecomKf)
        url = kf.contact_way("group")
        with self.bot.store.write() as connection:
            for community in self.bot.rooms.directory.communities:
                keep_link(connection, "kf", community, url, self.clock.now())

    def import_orders(self) -> None:
        settings, directory = self.bot.ground.settings, self.bot.rooms.directory
        file, now = self.config_dir / "orders.csv", self.clock.now()
        import_orders(self.bot.store, file, directory=directory, timezone=settings.timezone, now=now)

    def asks(self, member: str, text: str, group: Group | None = None) -> list[str]:
        """A member calls the bot in the group; what everybody reads thereupon."""
        there = group or self.group
        return self.does(there, lambda: self.settled(there.say(member, text), there))

    def writes(self, person: Person, text: str) -> list[str]:
        """Somebody writes to the bot alone; what she reads thereupon."""
        return self.does(person, lambda: self.settled(person.send(text), person))

    def work(self) -> None:
        """Answers that were given in HTTP answers are known to be out first: what waits behind them may go."""
        wait_until(lambda: all(row.status != "offered" for row in self.rows(outbox)), "every answer was written")
        super().work()

    def settled(self, said: object, chat: Group | Person) -> None:
        """Waits until every answer in a chat is finished."""
        assert self.wechat.world.wait_until(lambda: all(each.state != "sending" for each in chat.chat()))

    def beside(self, member: str) -> Person:
        """A member in her single chat with the smart bot."""
        return Person(member, "member", self._accounts[member], self.wechat.aibot)

    def in_group(self) -> list[Row[Any]]:
        """The conversations of all groups."""
        return [row for row in self.rows(conversations) if row.chat]
