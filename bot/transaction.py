"""One turn's transaction: what handlers' records write with, and the only way a message gets into the outbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal

from sqlalchemy import Connection, Table, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.channels.capabilities import Capabilities
from bot.errors import NotPublic
from bot.menu import Menu
from bot.storage.tables import conversations, inbox, jobs, outbox
from bot.wording import parcels

Voice = Literal["bot", "person", "notice"]

_TO_PEOPLE = timedelta(hours=48)
_TO_STAFF = timedelta(hours=24)


@dataclass
class Transaction:
    """Writes of one turn or job, all stored together or not at all.

    ``connection`` is inside the write transaction; rooms use it for their own tables. ``origin`` is unique for the
    turn or job and makes the outbox keys unique. ``woken``, ``to_think`` and ``new_jobs`` are what workers are told of
    afterwards.
    ``afterwards`` are run once the turn's replies are queued, for what has to leave behind them.
    """

    connection: Connection
    now: datetime
    conversation_id: int
    inbox_id: int | None
    origin: str
    capabilities: Mapping[str, Capabilities]
    replies: list[str | Menu] = field(default_factory=list)
    woken: set[int] = field(default_factory=set)
    to_think: set[int] = field(default_factory=set)
    new_jobs: list[int] = field(default_factory=list)
    afterwards: list[Callable[[Transaction], None]] = field(default_factory=list)
    _count: int = 0

    def reply(self, text: str | Menu) -> None:
        """Says something to the person whose turn this is, after the replies so far."""
        self.replies.append(text)

    def conversation_with(self, channel: str, account: str) -> int:
        """The id of the private conversation with an account, made when there is none."""
        return conversation_id(self.connection, channel, account, "", self.now)

    def tell(
        self,
        conversation_id: int,
        text: str,
        *,
        voice: Voice,
        about: str | None = None,
        key: str | None = None,
        outcome: bool = False,
        mentions: Sequence[str] = (),
    ) -> None:
        """Queues a text to another conversation, in the form that its channel can carry.

        ``about`` names the matter to be told of when it cannot arrive. With a ``key`` of its own the same thing is
        queued once, however often it is said. ``outcome``: this is how the matter ended, for which the last message of
        the person's window is kept. ``mentions``: accounts that are to look, where the channel can say so.
        """
        marks: dict[str, Any] = {"outcome": True} if outcome else {}
        marks |= {"mentions": list(mentions)} if mentions else {}
        channel, chat = self._place(conversation_id)
        for kind, payload in parcels([text], self.capabilities[channel], for_everybody=bool(chat)):
            self._queue(conversation_id, kind, {**payload, **marks}, voice=voice, about=about, key=key)
            key = f"{key}+" if key else None

    def show(self, conversation_id: int, attachment_id: int, *, about: str | None = None, key: str) -> None:
        """Queues a stored picture or voice message to a conversation, once per ``key``."""
        payload = {"attachment": attachment_id}
        self.put(conversation_id, "attachment", payload, voice="notice", about=about, key=key)

    def job(self, kind: str, key: str, payload: Mapping[str, Any]) -> None:
        """Adds work for the workers, once per ``key``."""
        known = self.connection.execute(select(jobs.c.id).where(jobs.c.key == key)).scalar()
        if known is not None:
            return
        row = insert(jobs).values(
            kind=kind,
            key=key,
            payload=dict(payload),
            status="queued",
            attempts=0,
            created_at=self.now,
            due_at=self.now,
        )
        self.new_jobs.append(self.connection.execute(row.returning(jobs.c.id)).scalar_one())

    def session(self, conversation_id: int, who: str) -> None:
        """Notes who speaks with a person on the platform itself: "" the bot, "person", "pool", or "ended"."""
        self._change(conversation_id, session=who)

    def hold(self, conversation_id: int, holder: str | None) -> None:
        """Lets a person speak in a conversation instead of the bot; None gives it back to the bot."""
        self._change(conversation_id, holder=holder)

    def think_again(self, conversation_id: int, inbox_ids: Sequence[int]) -> None:
        """Lets messages that led to nothing wait once more, to be thought about as if they had just come."""
        query = update(inbox).where(inbox.c.id.in_(inbox_ids), inbox.c.outcome == "handled")
        self.connection.execute(query.values(outcome="waiting"))
        self.to_think.add(conversation_id)

    def follow(self, conversation_id: int, followed: bool) -> None:
        """Marks that somebody has an open matter in a conversation and wants to see what is written there."""
        self._change(conversation_id, followed=followed)

    def set_state(self, conversation_id: int, changes: Mapping[str, Any]) -> None:
        """Merges changes into the state of another conversation; a value of None removes its key."""
        query = (
            select(conversations.c.state).where(conversations.c.id == conversation_id).with_for_update(key_share=True)
        )
        state = dict(self.connection.execute(query).scalar_one()) | dict(changes)
        self._change(conversation_id, state={key: value for key, value in state.items() if value is not None})

    def _change(self, conversation_id: int, **values: Any) -> None:
        # The version grows, so that a turn that is being thought there is thought again.
        query = update(conversations).where(conversations.c.id == conversation_id)
        self.connection.execute(query.values(version=conversations.c.version + 1, **values))

    def is_configured(self, conversation_id: int) -> bool:
        """Whether a conversation's channel is still there; nothing can be said on one that was taken out or renamed."""
        return self.channel_of(conversation_id) in self.capabilities

    def rules_of(self, conversation_id: int) -> Capabilities:
        """The rules of a conversation's channel, which is configured."""
        return self.capabilities[self.channel_of(conversation_id)]

    def channel_of(self, conversation_id: int) -> str:
        """The name of a conversation's channel, which may not be configured any more."""
        return self._place(conversation_id)[0]

    def is_in_group(self, conversation_id: int) -> bool:
        """Whether everybody in a group reads what is said in a conversation."""
        return bool(self._place(conversation_id)[1])

    def _place(self, conversation_id: int) -> tuple[str, str]:
        """The names of a conversation's channel and of its group."""
        query = select(conversations.c.channel, conversations.c.chat).where(conversations.c.id == conversation_id)
        row = self.connection.execute(query).one()
        return row.channel, row.chat

    def put(
        self,
        conversation_id: int,
        kind: str,
        payload: Mapping[str, Any],
        *,
        voice: Voice,
        about: str | None = None,
        key: str | None = None,
    ) -> None:
        """Queues anything that the conversation's channel can send; ``kind`` may be one of the channel's own.

        Raises NotPublic where a group would see it: what is written for everybody are words.
        """
        if self.is_in_group(conversation_id):
            raise NotPublic("only words may be said in a group")
        self._queue(conversation_id, kind, payload, voice=voice, about=about, key=key)

    def _queue(
        self,
        conversation_id: int,
        kind: str,
        payload: Mapping[str, Any],
        *,
        voice: Voice,
        about: str | None,
        key: str | None,
    ) -> None:
        if key is not None and self._is_queued(key):
            return
        self._count += 1
        self.connection.execute(
            insert(outbox),
            outbox_row(
                conversation_id=conversation_id,
                inbox_id=None,
                key=key or f"{self.origin}:tell:{self._count}",
                kind=kind,
                payload=payload,
                voice=voice,
                about=about,
                status="queued",
                now=self.now,
            ),
        )
        self.woken.add(conversation_id)

    def _is_queued(self, key: str) -> bool:
        return self.connection.execute(select(outbox.c.id).where(outbox.c.key == key)).first() is not None


def outbox_row(
    *,
    conversation_id: int,
    inbox_id: int | None,
    key: str,
    kind: str,
    payload: Mapping[str, Any],
    voice: Voice,
    about: str | None,
    status: str,
    now: datetime,
) -> dict[str, Any]:
    """The values of a new outbox row."""
    return {
        "conversation_id": conversation_id,
        "inbox_id": inbox_id,
        "key": key,
        "kind": kind,
        "payload": dict(payload),
        "voice": voice,
        "about": about,
        "status": status,
        "attempts": 0,
        "created_at": now,
        "due_at": now,
        "expires_at": now + (_TO_STAFF if voice == "notice" else _TO_PEOPLE),
    }


def conversation_id(connection: Connection, channel: str, account: str, chat: str, now: datetime) -> int:
    """The id of a conversation, made when there is none. Call inside a write transaction."""
    query = select(conversations.c.id).where(
        conversations.c.channel == channel, conversations.c.account == account, conversations.c.chat == chat
    )
    known = connection.execute(query).scalar()
    if known is not None:
        return int(known)
    connection.execute(
        ignoring_repeats(connection, conversations),
        {
            "channel": channel,
            "account": account,
            "chat": chat,
            "version": 0,
            "state": {},
            "followed": False,
            "window_left": 0,
            "session": "",
            "burst_count": 0,
            "created_at": now,
        },
    )
    return int(connection.execute(query).scalar_one())


def ignoring_repeats(connection: Connection, table: Table) -> Any:
    """An INSERT that does nothing when a unique key is taken already."""
    return insert_or_nothing(connection.dialect.name, table)


@cache
def insert_or_nothing(dialect: str, table: Table) -> Any:
    """The same INSERT for a dialect by name, made once: on the hot path its making costs more than its running."""
    dialect_insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return dialect_insert(table).on_conflict_do_nothing()
