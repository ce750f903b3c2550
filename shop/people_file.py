"""Reads ``people.yaml`` and refuses what cannot be meant, with the line and what to write instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from config.yaml_file import YamlFile, read_yaml
from shop import cells
from shop.cells import CellProblem
from shop.hours import parse_hours
from shop.people import Chat, Community, ListedResident, Staff

T = TypeVar("T")
Keys = tuple[str | int, ...]

_SECTIONS = ("communities", "staff", "residents")
_ROLES = ("leader", "agent", "supervisor")
_HOURS_REMEDY = 'write for example "09:00-12:00,13:30-21:00"'


def read_people(
    path: Path, environ: Mapping[str, str]
) -> tuple[tuple[Community, ...], tuple[Staff, ...], tuple[ListedResident, ...]]:
    """Raises ``ConfigError`` for the first mistake."""
    file = read_yaml(path, environ)
    if not isinstance(file.value, dict):
        raise file.error("nobody is written down here", "write communities, staff and residents, as in the example")
    _check_keys(file, file.value, (), _SECTIONS)
    staff = _entries(file, "staff", _staff)
    communities = _entries(file, "communities", _community)
    residents = _entries(file, "residents", _resident)
    _check_staff(file, staff)
    _check_communities(file, communities, staff)
    _check_residents(file, residents, communities, staff)
    return communities, staff, residents


class _Entry:
    """One entry of a list in the file; every reading names the line when something is wrong."""

    def __init__(self, file: YamlFile, keys: Keys, value: Any, known: tuple[str, ...]) -> None:
        if not isinstance(value, dict):
            raise file.error("this entry has no fields", f"write {', '.join(known)} with values", *keys)
        _check_keys(file, value, keys, known)
        self.file, self.keys, self.value = file, keys, value

    def words(self, key: str, *, longest: int = 64, required: bool = False) -> str:
        value = self.value.get(key)
        if value is None or value == "":
            if required:
                raise self.file.error(f"{key} is missing", f"write {key}: …", *self.keys, key)
            return ""
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            raise self.file.error(f"{key} is not text", f'write {key}: "…", in quotes', *self.keys, key)
        try:
            return cells.text(value, longest)
        except CellProblem as problem:
            raise self.file.error(f"{key} {problem}", "write it as plain text", *self.keys, key) from None

    def accounts(self) -> Mapping[str, str]:
        value = self.value.get("accounts")
        if value is None:
            return MappingProxyType({})
        if not isinstance(value, dict):
            raise self.file.error("accounts is not a map", "write accounts: {channel: id}", *self.keys, "accounts")
        inner = _Entry(self.file, (*self.keys, "accounts"), value, tuple(value))
        return MappingProxyType({str(channel): inner.words(channel, longest=128, required=True) for channel in value})

    def word_list(self, key: str) -> tuple[str, ...]:
        value = self.value.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(word, str) and word for word in value):
            raise self.file.error(f"{key} is not a list of words", f"write {key}: [fresh, refund]", *self.keys, key)
        return tuple(value)

    def flag(self, key: str) -> bool | None:
        value = self.value.get(key)
        if value is not None and not isinstance(value, bool):
            raise self.file.error(f"{key} is neither true nor false", f"write {key}: true", *self.keys, key)
        return value

    def hours(self, key: str) -> str:
        words = self.words(key)
        try:
            return words if not words or parse_hours(words) else ""
        except ValueError as error:
            raise self.file.error(f"{key}: {error}", _HOURS_REMEDY, *self.keys, key) from None

    def phone(self) -> str | None:
        if not self.words("phone"):
            return None
        try:
            return cells.phone(self.value["phone"])
        except CellProblem as problem:
            raise self.file.error(
                f"phone {problem}", 'write for example phone: "13800000001"', *self.keys, "phone"
            ) from None


def _staff(file: YamlFile, keys: Keys, value: Any) -> Staff:
    entry = _Entry(file, keys, value, ("id", "name", "role", "accounts", "skills", "hours"))
    role = entry.words("role", required=True)
    if role not in _ROLES:
        raise file.error(f"there is no role {role!r}", _meant(role, _ROLES), *keys, "role")
    hours = entry.hours("hours")
    return Staff(
        id=entry.words("id", required=True),
        name=entry.words("name", required=True),
        role=role,  # type: ignore[arg-type]
        accounts=entry.accounts(),
        skills=entry.word_list("skills"),
        hours=parse_hours(hours) if hours else (),
    )


def _community(file: YamlFile, keys: Keys, value: Any) -> Community:
    known = ("id", "name", "leader", "chats", "kf_scene", "pickup_point", "pickup_hours")
    entry = _Entry(file, keys, value, known)
    return Community(
        id=entry.words("id", required=True),
        name=entry.words("name", required=True),
        leader_id=entry.words("leader") or None,
        pickup_point=entry.words("pickup_point", longest=120),
        pickup_hours=entry.hours("pickup_hours"),
        chats=_chats(entry),
        kf_scene=entry.words("kf_scene", longest=128),
    )


def _chats(entry: _Entry) -> tuple[Chat, ...]:
    value = entry.value.get("chats")
    if value is None:
        return ()
    if not isinstance(value, list):
        raise entry.file.error("chats is not a list", "write chats: [{channel: …, id: …}]", *entry.keys, "chats")
    chats = []
    for position, chat in enumerate(value):
        inner = _Entry(entry.file, (*entry.keys, "chats", position), chat, ("channel", "id"))
        chats.append(Chat(inner.words("channel", required=True), inner.words("id", longest=128, required=True)))
    return tuple(chats)


def _resident(file: YamlFile, keys: Keys, value: Any) -> ListedResident:
    entry = _Entry(file, keys, value, ("name", "phone", "community", "accounts", "elder"))
    resident = ListedResident(
        name=entry.words("name", required=True),
        phone=entry.phone(),
        community_id=entry.words("community") or None,
        accounts=entry.accounts(),
        elder=entry.flag("elder"),
    )
    if resident.phone is None and not resident.accounts:
        raise file.error("this resident can never be recognised", "write her phone or accounts", *keys)
    return resident


def _entries(file: YamlFile, section: str, read: Callable[[YamlFile, Keys, Any], T]) -> tuple[T, ...]:
    value = file.value.get(section)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise file.error(f"{section} is not a list", 'begin each entry with "- "', section)
    return tuple(read(file, (section, position), entry) for position, entry in enumerate(value))


def _check_keys(file: YamlFile, value: Mapping[Any, Any], keys: Keys, known: tuple[str, ...]) -> None:
    for key in value:
        if key not in known:
            raise file.error(f"{key!r} is not known here", _meant(str(key), known), *keys, str(key))


def _check_staff(file: YamlFile, staff: tuple[Staff, ...]) -> None:
    _refuse_repeated(file, "staff", "id", [person.id for person in staff])
    # Colleagues are named in commands ("转给 0123 小陈"), so a name must mean one person.
    _refuse_repeated(file, "staff", "name", [person.name for person in staff])
    owners: dict[tuple[str, str], str] = {}
    for position, person in enumerate(staff):
        for channel, account in person.accounts.items():
            other = owners.setdefault((channel, account), person.id)
            if other != person.id:
                raise file.error(
                    f"the account on {channel} belongs to {other} already",
                    "give each person an account of her own",
                    "staff",
                    position,
                    "accounts",
                    channel,
                )


def _check_communities(file: YamlFile, communities: tuple[Community, ...], staff: tuple[Staff, ...]) -> None:
    _refuse_repeated(file, "communities", "id", [community.id for community in communities])
    _refuse_repeated(file, "communities", "name", [community.name for community in communities])
    _refuse_repeated(file, "communities", "kf_scene", [community.kf_scene for community in communities])
    leaders = [person.id for person in staff if person.role == "leader"]
    owners: dict[Chat, str] = {}
    for position, community in enumerate(communities):
        if community.leader_id and community.leader_id not in leaders:
            raise file.error(
                f"there is no leader {community.leader_id!r}",
                _meant(community.leader_id, leaders, "the leader in staff"),
                "communities",
                position,
                "leader",
            )
        for number, chat in enumerate(community.chats):
            if owners.setdefault(chat, community.id) != community.id:
                raise file.error(
                    f"the chat belongs to {owners[chat]} already",
                    "name each chat once",
                    "communities",
                    position,
                    "chats",
                    number,
                )


def _check_residents(
    file: YamlFile, residents: tuple[ListedResident, ...], communities: tuple[Community, ...], staff: tuple[Staff, ...]
) -> None:
    _refuse_repeated(file, "residents", "phone", [resident.phone for resident in residents])
    known = [community.id for community in communities]
    taken = {account for person in staff for account in person.accounts.items()}
    for position, resident in enumerate(residents):
        if resident.community_id and resident.community_id not in known:
            raise file.error(
                f"there is no community {resident.community_id!r}",
                _meant(resident.community_id, known),
                "residents",
                position,
                "community",
            )
        for account in resident.accounts.items():
            if account in taken:
                raise file.error(
                    f"the account on {account[0]} belongs to somebody else already",
                    "write each account once",
                    "residents",
                    position,
                    "accounts",
                    account[0],
                )
            taken.add(account)


def _refuse_repeated(file: YamlFile, section: str, key: str, values: list[Any]) -> None:
    seen: set[Any] = set()
    for position, value in enumerate(values):
        if value and value in seen:
            # A phone number is personal: the line says where it stands.
            what = "this phone number" if key == "phone" else f"the {key} {value!r}"
            raise file.error(f"{what} stands twice", f"give each entry a {key} of its own", section, position, key)
        seen.add(value)


def _meant(word: str, known: tuple[str, ...] | list[str], otherwise: str = "") -> str:
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]}?"
    return f"write one of: {', '.join(known)}" if known else f"write down {otherwise or 'it'} first"
