"""The rows of what has come in: kept until somebody thinks about them, then with what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, select, update

from bot.message import Media, Message
from bot.storage.tables import conversations, inbox
from bot.transaction import conversation_id, ignoring_repeats, insert_or_nothing

_WAITING: Mapping[str, Any] = {"outcome": "waiting", "handler": "", "note": "", "error": None}


class Repeat(Exception):
    """The inbox knows this message already, and what became of it."""


def keep(connection: Connection, messages: Iterable[Message], now: datetime) -> set[int]:
    """Stores messages that are to be thought about, those that are known excepted; their conversations."""
    ids: dict[tuple[str, str, str], int] = {}
    rows = []
    for message in messages:
        place = (message.channel, message.account, message.chat)
        if place not in ids:
            ids[place] = conversation_id(connection, *place, now)
        rows.append({**_row(message, ids[place], now), **_WAITING})
    if rows:
        connection.execute(ignoring_repeats(connection, inbox), rows)
    return set(ids.values())


def conclude(
    connection: Connection,
    message: Message,
    conversation: int,
    now: datetime,
    ending: Mapping[str, Any],
    *,
    kept: int | None,
) -> int:
    """Stores what became of a message; the id of its row, which is ``kept`` where that is known already.

    Raises Repeat when somebody else has concluded the message.
    """
    if kept is not None:
        same = [inbox.c.id == kept]
    else:
        new = {**_row(message, conversation, now), **ending}
        inserted: int | None = connection.execute(_insert(connection.dialect.name), new).scalar()
        if inserted is not None:
            return inserted
        same = [inbox.c.channel == message.channel, inbox.c.dedupe_key == message.dedupe_key]
    query = update(inbox).where(*same, inbox.c.outcome == "waiting").values(**ending)
    found: int | None = connection.execute(query.returning(inbox.c.id)).scalar()
    if found is None:
        raise Repeat
    return found


def oldest_kept(connection: Connection, conversation: int) -> Row[Any] | None:
    """The row of a conversation's oldest message that waits, with ``account`` and ``chat``; None when none does."""
    query = (
        select(inbox, conversations.c.account, conversations.c.chat)
        .join(conversations, conversations.c.id == inbox.c.conversation_id)
        .where(inbox.c.conversation_id == conversation, inbox.c.outcome == "waiting")
        .order_by(inbox.c.id)
        .limit(1)
    )
    return connection.execute(query).first()


def stored_message(row: Row[Any], conversation: Row[Any]) -> Message:
    """The message of a row; ``conversation`` is a row with the ``account`` and ``chat`` of its conversation."""
    details = dict(row.payload)
    media = details.pop("media", None)
    return Message(
        channel=row.channel,
        account=conversation.account,
        chat=conversation.chat,
        dedupe_key=row.dedupe_key,
        kind=row.kind,
        sent_at=row.sent_at,
        text=row.text,
        media=Media(**media) if media else None,
        reply_address=row.reply_address or "",
        **details,
    )


@cache
def _insert(dialect: str) -> Any:
    return insert_or_nothing(dialect, inbox).returning(inbox.c.id)


def _row(message: Message, conversation: int, received_at: datetime) -> dict[str, Any]:
    return {
        "channel": message.channel,
        "dedupe_key": message.dedupe_key,
        "conversation_id": conversation,
        "kind": message.kind,
        "text": message.text,
        "payload": message.details(),
        "reply_address": message.reply_address or None,
        "sent_at": message.sent_at,
        "received_at": received_at,
    }
