"""The small WeChat: both platforms, their servers, and everybody's phones."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from playground.clock import PlatformClock, system_time
from playground.inspection import Inspection
from playground.phones import Person
from playground.platform.official_account import OfficialAccount
from playground.platform.server import HOST
from playground.platform.wecom import Wecom
from playground.world import World


@dataclass(frozen=True, slots=True)
class Cast:
    """Who has a phone: a resident's name → openid, a staff member's name → (role, userid).

    ``elders`` have set their phones to large letters.
    """

    residents: dict[str, str]
    staff: dict[str, tuple[str, str]]
    elders: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the bot and the platforms share; never shown."""

    oa_app_id: str
    corp_id: str
    agent_id: int
    oa_secret: str = field(repr=False)
    oa_token: str = field(repr=False)
    oa_aes_key: str = field(repr=False)
    app_secret: str = field(repr=False)
    app_token: str = field(repr=False)
    app_aes_key: str = field(repr=False)


class WeChat:
    """Residents write to the Official Account ``oa``, staff to the WeCom application ``app``.

    ``time_source`` gives the current instant; ``callback_timeout`` is in seconds, 5 on the real platforms.
    """

    def __init__(
        self,
        credentials: Credentials,
        cast: Cast,
        *,
        time_source: Callable[[], datetime] = system_time,
        callback_timeout: float = 5.0,
    ) -> None:
        self.clock = PlatformClock(time_source)
        self.world = World(self.clock)
        self.oa = OfficialAccount(
            "oa",
            self.world,
            app_id=credentials.oa_app_id,
            secret=credentials.oa_secret,
            token=credentials.oa_token,
            aes_key=credentials.oa_aes_key,
            callback_timeout=callback_timeout,
        )
        self.wecom = Wecom(
            "app",
            self.world,
            corp_id=credentials.corp_id,
            agent_id=credentials.agent_id,
            secret=credentials.app_secret,
            token=credentials.app_token,
            aes_key=credentials.app_aes_key,
            members={userid for _, userid in cast.staff.values()},
            callback_timeout=callback_timeout,
        )
        self.people = {
            **{
                name: Person(name, "resident", openid, self.oa, elder=name in cast.elders)
                for name, openid in cast.residents.items()
            },
            **{name: Person(name, role, userid, self.wecom) for name, (role, userid) in cast.staff.items()},
        }
        self.inspection = Inspection()

    def open(self, oa_port: int = 0, wecom_port: int = 0, host: str = HOST) -> None:
        """Starts both servers, on loopback when not told otherwise; port 0 takes a free one."""
        self.oa.open(oa_port, host)
        self.wecom.open(wecom_port, host)

    def connect(self, bot_url: str, inspection_token: str = "") -> None:
        """Tells the platforms where the bot takes callbacks: ``<bot_url>/callback/<channel>``.

        ``inspection_token`` opens the bot's inspection, which the page shows beside the phones.
        """
        for platform in (self.oa, self.wecom):
            platform.wire.url = f"{bot_url.rstrip('/')}/callback/{platform.name}"
        self.inspection = Inspection(bot_url.rstrip("/"), inspection_token)

    def person(self, name: str) -> Person:
        """Somebody by name. A name nobody knows is a stranger with a new openid, who writes for the first time."""
        with self.world.changed:
            if name not in self.people:
                openid = "o" + hashlib.sha1(name.encode()).hexdigest()[:27]
                self.people[name] = Person(name, "resident", openid, self.oa)
            return self.people[name]

    def reset(self) -> None:
        """Empty screens, no faults, no open windows, counters at zero, and the present time."""
        self.clock.back()
        self.oa.reset()
        self.wecom.reset()
        self.world.clear()

    def close(self) -> None:
        self.world.close()
        self.oa.close()
        self.wecom.close()
