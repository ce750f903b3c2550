"""Who is writing: the resident behind the account, her community, and how to speak to her."""

from __future__ import annotations

from dataclasses import dataclass

from bot.conversation import Turn
from bot.storage.store import Store
from config.texts import Form, Texts
from shop.directory import Community, Directory
from shop.residents import Resident, find_by_account

COMMUNITY = "community"
"""The key in the state under which stands the community by whose link somebody came."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """The person who wrote. ``resident`` is None for an account that nobody has been bound to yet.

    ``community``: whose answers and links she gets; in a group that of the place, as everybody reads them.
    ``served_by``: whose staff her matters go to; outside of groups the same.
    """

    resident: Resident | None
    community: Community | None
    form: Form
    served_by: Community | None

    @property
    def masked_name(self) -> str:
        """The name as others than the owner may read it."""
        return self.resident.masked_name if self.resident else "一位居民"


class Speakers:
    """Finds the speaker of a turn, with one read however many handlers ask."""

    def __init__(self, store: Store, directory: Directory, texts: Texts) -> None:
        self._store = store
        self._directory = directory
        self._texts = texts

    def of(self, turn: Turn) -> Speaker:
        """The speaker of this turn's message."""
        speaker = turn.facts.get("speaker")
        if speaker is None:
            speaker = turn.facts["speaker"] = self._find(turn)
        assert isinstance(speaker, Speaker)
        return speaker

    def say(self, turn: Turn, key: str, **values: object) -> str:
        """A sentence in the form that fits the speaker."""
        return self._texts.say(key, self.of(turn).form, **values)

    def _find(self, turn: Turn) -> Speaker:
        with self._store.read() as connection:
            resident = find_by_account(connection, turn.message.channel, turn.message.account)
        if turn.message.chat:
            place = self._directory.community_of_chat(turn.message.channel, turn.message.chat)
            own = self._directory.community(resident.community_id if resident else None)
            return Speaker(resident, place, "group", place or own)
        known = (resident.community_id if resident else None) or turn.conversation.state.get(COMMUNITY)
        community = self._directory.community(known)
        return Speaker(resident, community, "elder" if resident and resident.elder else "plain", community)
