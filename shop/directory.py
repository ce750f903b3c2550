"""Who is who: communities, their leaders, the platform's staff, and the residents that ``people.yaml`` lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from shop.people import Chat, Community, ListedResident, Role, Staff
from shop.people_file import read_people

__all__ = ["Chat", "Community", "Directory", "ListedResident", "Role", "Staff"]


class Directory:
    """Everybody whom the operator has written down, kept in memory and never changed."""

    def __init__(
        self,
        communities: Iterable[Community] = (),
        staff: Iterable[Staff] = (),
        residents: Iterable[ListedResident] = (),
    ) -> None:
        self.communities = tuple(communities)
        self.staff = tuple(staff)
        self.residents = tuple(residents)
        self._communities = {community.id: community for community in self.communities}
        self._named = {community.name: community for community in self.communities}
        self._chats = {chat: community for community in self.communities for chat in community.chats}
        self._scenes = {community.kf_scene: community for community in self.communities if community.kf_scene}
        self._staff = {person.id: person for person in self.staff}
        self._accounts = {account: person for person in self.staff for account in person.accounts.items()}

    @classmethod
    def load(cls, path: Path, environ: Mapping[str, str]) -> Directory:
        """Reads ``people.yaml``. Raises ``ConfigError`` with file, line and remedy for the first mistake in it."""
        return cls(*read_people(path, environ))

    def community(self, community_id: str | None) -> Community | None:
        return self._communities.get(community_id) if community_id else None

    def community_named(self, name: str) -> Community | None:
        return self._named.get(name)

    def community_of_chat(self, channel: str, chat_id: str) -> Community | None:
        return self._chats.get(Chat(channel, chat_id))

    def community_of_scene(self, kf_scene: str) -> Community | None:
        return self._scenes.get(kf_scene)

    def staff_member(self, staff_id: str | None) -> Staff | None:
        return self._staff.get(staff_id) if staff_id else None

    def staff_by_account(self, channel: str, account: str) -> Staff | None:
        return self._accounts.get((channel, account))

    def leader_of(self, community_id: str | None) -> Staff | None:
        community = self.community(community_id)
        return self.staff_member(community.leader_id) if community else None

    def agents(self) -> tuple[Staff, ...]:
        return tuple(person for person in self.staff if person.role == "agent")

    def supervisors(self) -> tuple[Staff, ...]:
        return tuple(person for person in self.staff if person.role == "supervisor")

    def may_see(self, staff: Staff, community_id: str | None) -> bool:
        """A leader sees the communities that she leads, nobody else's, and nothing that belongs to none."""
        if staff.role != "leader":
            return staff.role in ("agent", "supervisor")
        community = self.community(community_id)
        return community is not None and community.leader_id == staff.id
