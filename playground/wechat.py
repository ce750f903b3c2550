"""The small WeChat: both platforms, their servers, and everybody's phones."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from playground.clock import PlatformClock, system_time
from playground.customers import Customer
from playground.groups import Group, Room
from playground.inspection import Inspection
from playground.phones import Person, Screen
from playground.platform.aibot import Aibot, Chat
from playground.platform.base import Platform
from playground.platform.callbacks import new_aes_key
from playground.platform.kf import Kf
from playground.platform.official_account import OfficialAccount
from playground.platform.server import HOST
from playground.platform.staff_room import StaffRoom
from playground.platform.wecom import Wecom
from playground.world import World

BOT_NAME = "群答"
# The account's template of a notice to a resident whose window is closed.
TICKET_TEMPLATE = "qundaTicketProgress0000000000000000000000001"
TICKET_WORDS = "工单进度提醒\n工单号：{{character_string1.DATA}}\n进度：{{phrase2.DATA}}\n说明：{{thing3.DATA}}"
AT_KF = "·客服"  # after the name of a resident's second phone, with the customer service


@dataclass(frozen=True, slots=True)
class Cast:
    """Who has a phone: a resident's name → openid, a staff member's name → (role, userid).

    ``elders`` have set their phones to large letters. ``customers`` are residents who also write to the customer
    service: name → external_userid; ``communities`` tells the scene_param of the link in their group. ``groups`` are
    those with the smart bot in them: name → (chatid, names of members), who are staff, or residents who are in the
    corporation too: ``members``, name → userid.
    """

    residents: dict[str, str]
    staff: dict[str, tuple[str, str]]
    elders: frozenset[str] = frozenset()
    customers: Mapping[str, str] = field(default_factory=dict)
    communities: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    members: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the bot and the platforms share; never shown. Those with a default are made up when they are not given."""

    oa_app_id: str
    corp_id: str
    agent_id: int
    oa_secret: str = field(repr=False)
    oa_token: str = field(repr=False)
    oa_aes_key: str = field(repr=False)
    app_secret: str = field(repr=False)
    app_token: str = field(repr=False)
    app_aes_key: str = field(repr=False)
    open_kfid: str = field(default_factory=lambda: f"wk{secrets.token_hex(15)}")
    kf_secret: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    kf_token: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    kf_aes_key: str = field(default_factory=new_aes_key, repr=False)
    bot_id: str = field(default_factory=lambda: f"aib{secrets.token_hex(16)}")
    bot_token: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    bot_aes_key: str = field(default_factory=new_aes_key, repr=False)
    room_key: str = field(default_factory=lambda: str(uuid.uuid4()), repr=False)


class WeChat:
    """Residents write to the Official Account ``oa`` or to the customer service ``kf``, staff to the WeCom application
    ``app``; in ``groups`` members call the smart bot ``aibot``, and ``staff_room`` takes what a webhook sends.

    ``time_source`` gives the current instant; ``callback_timeout`` is in seconds, 5 on the real platforms, and so is
    ``poll_every``, after which the smart bot is asked again how an answer goes on. An Official Account that is not
    ``verified`` can only answer in the callback.
    """

    def __init__(
        self,
        credentials: Credentials,
        cast: Cast,
        *,
        time_source: Callable[[], datetime] = system_time,
        callback_timeout: float = 5.0,
        poll_every: float = 1.0,
        verified: bool = True,
    ) -> None:
        self.clock = PlatformClock(time_source)
        self.world = World(self.clock)
        names = {userid: name for name, (_, userid) in cast.staff.items()}
        self._userids = {**{name: userid for userid, name in names.items()}, **cast.members}
        self.oa = _official_account(self.world, credentials, callback_timeout, verified)
        self.wecom = _wecom(self.world, credentials, cast, callback_timeout)
        self.kf = _kf(self.world, credentials, cast, callback_timeout)
        self.staff_room = StaffRoom(self.wecom, key=credentials.room_key, members=names)
        rooms = {
            chatid: Chat(name, {self._userids[member]: member for member in members})
            for name, (chatid, members) in cast.groups.items()
        }
        self.aibot = _aibot(self.world, credentials, rooms, callback_timeout, poll_every)
        self.groups = {name: Group(chatid, self.aibot) for name, (chatid, _) in cast.groups.items()}
        self.room = Room(self.staff_room, self.wecom)
        self.people = self._people(cast)
        self.customers = {
            name: Customer(name, account, self.kf, elder=name in cast.elders, community=cast.communities.get(name, ""))
            for name, account in cast.customers.items()
        }
        self.inspection = Inspection()

    def _people(self, cast: Cast) -> dict[str, Person]:
        residents = {
            name: Person(name, "resident", openid, self.oa, elder=name in cast.elders)
            for name, openid in cast.residents.items()
        }
        return residents | {name: Person(name, role, userid, self.wecom) for name, (role, userid) in cast.staff.items()}

    @property
    def platforms(self) -> tuple[Platform, ...]:
        return (self.oa, self.wecom, self.kf, self.aibot)

    def platform(self, name: str) -> Platform:
        """The one that the bot's channel of this name speaks to. Raises ``KeyError``."""
        return {platform.name: platform for platform in self.platforms}[name]

    def open(
        self, oa_port: int = 0, wecom_port: int = 0, host: str = HOST, *, kf_port: int = 0, bot_port: int = 0
    ) -> None:
        """Starts the servers, on loopback when not told otherwise; port 0 takes a free one."""
        self.oa.open(oa_port, host)
        self.wecom.open(wecom_port, host)
        self.kf.open(kf_port, host)
        self.aibot.open(bot_port, host)

    def connect(self, bot_url: str, inspection_token: str = "") -> None:
        """Tells the platforms where the bot takes callbacks: ``<bot_url>/callback/<channel>``.

        ``inspection_token`` opens the bot's inspection, which the page shows beside the phones.
        """
        for platform in self.platforms:
            platform.wire.url = f"{bot_url.rstrip('/')}/callback/{platform.name}"
        self.inspection = Inspection(bot_url.rstrip("/"), inspection_token)

    @property
    def phones(self) -> dict[str, Person]:
        """Everybody's chats, each under a name of its own."""
        with self.world.changed:
            return {**self.people, **{f"{name}{AT_KF}": customer for name, customer in self.customers.items()}}

    @property
    def screens(self) -> dict[str, Screen]:
        """Everybody's phones, and the groups: with them the staff's room, where alerts come in."""
        groups: dict[str, Screen] = {**self.groups, self.room.name: self.room} if self.groups else {}
        return {**self.phones, **groups}

    def person(self, name: str) -> Person:
        """Somebody by name. A name nobody knows is a stranger with a new openid, who writes for the first time."""
        with self.world.changed:
            if name not in self.people:
                openid = "o" + hashlib.sha1(name.encode()).hexdigest()[:27]
                self.people[name] = Person(name, "resident", openid, self.oa)
            return self.people[name]

    def customer(self, name: str) -> Customer:
        """Somebody on the customer service. A name nobody knows is a stranger with a new external_userid."""
        with self.world.changed:
            if name not in self.customers:
                account = "wm" + hashlib.sha1(name.encode()).hexdigest()[:30]
                self.customers[name] = Customer(name, account, self.kf)
            return self.customers[name]

    def group(self, name: str) -> Group:
        """A group with the smart bot in it. Raises ``KeyError``."""
        return self.groups[name]

    def beside_bot(self, name: str) -> Person:
        """A member of the corporation in her single chat with the smart bot. Raises ``KeyError``."""
        return Person(name, self.people[name].role, self._userids[name], self.aibot)

    def at(self, door: str, name: str) -> Screen:
        """Somebody by name at a platform ("oa" or "kf") where residents write; staff are always in WeCom. Or a chat."""
        if name in self.groups or name == self.room.name:
            return self.screens[name]
        known = self.people.get(name)
        if door == self.kf.name and (known is None or known.role == "resident"):
            return self.customer(name)
        return self.person(name)

    def phone_name(self, door: str, name: str) -> str:
        """Under what name the phone that ``at`` gives stands in ``phones``."""
        return f"{name}{AT_KF}" if isinstance(self.at(door, name), Customer) else name

    def reset(self) -> None:
        """Empty screens, no faults, no open windows, counters at zero, and the present time."""
        self.clock.back()
        for platform in self.platforms:
            platform.reset()
        self.staff_room.reset()
        self.world.clear()

    def close(self) -> None:
        self.world.close()
        for platform in self.platforms:
            platform.close()


def _official_account(world: World, credentials: Credentials, timeout: float, verified: bool) -> OfficialAccount:
    return OfficialAccount(
        "oa",
        world,
        app_id=credentials.oa_app_id,
        secret=credentials.oa_secret,
        token=credentials.oa_token,
        aes_key=credentials.oa_aes_key,
        callback_timeout=timeout,
        verified=verified,
        templates={TICKET_TEMPLATE: TICKET_WORDS},
    )


def _wecom(world: World, credentials: Credentials, cast: Cast, timeout: float) -> Wecom:
    return Wecom(
        "app",
        world,
        corp_id=credentials.corp_id,
        agent_id=credentials.agent_id,
        secret=credentials.app_secret,
        token=credentials.app_token,
        aes_key=credentials.app_aes_key,
        members={userid for _, userid in cast.staff.values()},
        callback_timeout=timeout,
    )


def _kf(world: World, credentials: Credentials, cast: Cast, timeout: float) -> Kf:
    return Kf(
        "kf",
        world,
        corp_id=credentials.corp_id,
        open_kfid=credentials.open_kfid,
        secret=credentials.kf_secret,
        token=credentials.kf_token,
        aes_key=credentials.kf_aes_key,
        servicers={userid for _, userid in cast.staff.values()},
        customers={account: name for name, account in cast.customers.items()},
        callback_timeout=timeout,
    )


def _aibot(
    world: World, credentials: Credentials, rooms: Mapping[str, Chat], timeout: float, poll_every: float
) -> Aibot:
    return Aibot(
        "group-bot",
        world,
        bot_id=credentials.bot_id,
        bot_name=BOT_NAME,
        token=credentials.bot_token,
        aes_key=credentials.bot_aes_key,
        rooms=rooms,
        callback_timeout=timeout,
        poll_every=poll_every,
    )
