"""Somebody takes a message back: nobody who has not read it yet shall read it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select, update

from bot.conversation import Turn
from bot.effects import Effects
from bot.events import RECALLED
from bot.storage.store import Store
from bot.storage.tables import attachments, inbox, jobs, outbox
from bot.transaction import Transaction
from claims.claims import drop_photo
from claims.draft import open_draft, with_draft
from escalation import tickets
from escalation.notices import Notices
from handlers.state import current

_NOTE = "recalled"
_READ = ("sending", "sent", "uncertain")


def handle(turn: Turn, *, store: Store, notices: Notices) -> Effects | None:
    """Withdraws the words from the inbox, from what is remembered, from open tickets and from what waits for staff."""
    if turn.message.event != RECALLED:
        return None
    with store.read() as connection:
        query = select(inbox).where(
            inbox.c.channel == turn.message.channel,
            inbox.c.dedupe_key == turn.message.extra.get("message"),
            inbox.c.conversation_id == turn.conversation.id,
        )
        row = connection.execute(query).first()
    if row is None:
        return Effects(note="recalled:unknown")

    def withdraw(tx: Transaction) -> None:
        _empty(tx, row)
        _withdraw_words(tx, row)
        notices.recalled(tx, _take_from_staff(tx, row))

    return Effects(state=_without(turn, row), records=(withdraw,), note="recalled")


def _without(turn: Turn, row: Row[Any]) -> dict[str, Any]:
    """The state without the words and the photo of a message."""
    state = dict(current(turn))
    draft = open_draft(state, turn.now)
    if draft is not None and row.dedupe_key in draft.photos:
        state = with_draft(state, draft.without_photo(row.dedupe_key))
    history = [words for words in state.get("history", ()) if not (row.text and row.text.startswith(words))]
    return {**state, "history": history} if "history" in state else state


def _empty(tx: Transaction, row: Row[Any]) -> None:
    extra = {name: value for name, value in row.payload.get("extra", {}).items() if name != "text"}
    kept = {name: value for name, value in row.payload.items() if name not in ("media", "choice", "extra")}
    payload = {**kept, "extra": extra} if extra else kept
    tx.connection.execute(update(inbox).where(inbox.c.id == row.id).values(text="", note=_NOTE, payload=payload))


def _withdraw_words(tx: Transaction, row: Row[Any]) -> None:
    words = row.text or row.payload.get("extra", {}).get("text", "")
    tickets.withdraw_words(tx, row.conversation_id, words)


def _take_from_staff(tx: Transaction, row: Row[Any]) -> list[int]:
    """What still waits is not sent; the conversations of those who have read it already."""
    shown = [f"turn:{row.id}:forward:%"]
    for attachment_id in _attachments(tx, row):
        drop_photo(tx, attachment_id)
        shown.append(f"show:%:{attachment_id}:%")
    readers: set[int] = set()
    for pattern in shown:
        waits = update(outbox).where(outbox.c.key.like(pattern), outbox.c.status == "queued")
        tx.connection.execute(waits.values(status="withdrawn", error=_NOTE))
        query = select(outbox.c.conversation_id).where(outbox.c.key.like(pattern), outbox.c.status.in_(_READ))
        readers.update(tx.connection.execute(query).scalars())
    return sorted(readers)


def _attachments(tx: Transaction, row: Row[Any]) -> list[int]:
    """The message's picture or sound, which is not fetched any more."""
    changed = update(attachments).where(attachments.c.inbox_id == row.id).values(status="refused", reason=_NOTE)
    found: list[int] = list(tx.connection.execute(changed.returning(attachments.c.id)).scalars())
    for attachment_id in found:
        job = update(jobs).where(jobs.c.key == f"fetch_media:{attachment_id}", jobs.c.status == "queued")
        tx.connection.execute(job.values(status="done"))
    return found
