"""The same answer is not said twice in a group within ten minutes."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import update

from bot.transaction import Transaction, ignoring_repeats
from faq.tables import group_answers

QUIET = timedelta(minutes=10)


def say_now(tx: Transaction, channel: str, chat: str, entry_id: str) -> bool:
    """Whether to answer with an entry in a group; False when it was just said. Of two who ask at once, one is told."""
    row: dict[str, str | datetime] = {"channel": channel, "chat": chat, "entry_id": entry_id, "said_at": tx.now}
    insert = ignoring_repeats(tx.connection, group_answers).returning(group_answers.c.entry_id)
    if tx.connection.execute(insert, row).first() is not None:
        return True
    same = (group_answers.c.channel == channel, group_answers.c.chat == chat, group_answers.c.entry_id == entry_id)
    again = update(group_answers).where(*same, group_answers.c.said_at <= tx.now - QUIET).values(said_at=tx.now)
    return tx.connection.execute(again).rowcount == 1
