"""The people and places that ``people.yaml`` writes down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from shop.hours import Hours

Role = Literal["leader", "agent", "supervisor"]


@dataclass(frozen=True, slots=True)
class Chat:
    """A group chat on a channel, by the id that the channel gives it."""

    channel: str
    id: str


@dataclass(frozen=True, slots=True)
class Community:
    """One neighbourhood with its pick-up point.

    ``pickup_hours`` are words for residents, checked to be hours. ``kf_scene`` is the scene_param of the link posted
    in its group, empty when there is none.
    """

    id: str
    name: str
    leader_id: str | None = None
    pickup_point: str = ""
    pickup_hours: str = ""
    chats: tuple[Chat, ...] = ()
    kf_scene: str = ""


@dataclass(frozen=True, slots=True)
class Staff:
    """A person who works with tickets. ``accounts``: channel name → the id that the channel gives this person."""

    id: str
    name: str
    role: Role
    accounts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    skills: tuple[str, ...] = ()
    hours: Hours = ()


@dataclass(frozen=True, slots=True)
class ListedResident:
    """A resident whom the operator has written down. ``elder`` is None when the file does not say."""

    name: str = field(repr=False)
    phone: str | None = field(default=None, repr=False)
    community_id: str | None = None
    accounts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    elder: bool | None = None
