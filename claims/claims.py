"""Stored claims: submitting them with their photos, finding them, deciding them once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from bot.storage.tables import attachments, inbox
from bot.transaction import Transaction, ignoring_repeats
from claims.tables import claims, evidence
from shop.tables import order_lines

Verdict = Literal["approved", "rejected"]

_OPEN = ("submitted", "approved")
_NOT_REFUSED = ("pending", "stored")


@dataclass(frozen=True, slots=True)
class NewClaim:
    """What a resident has told about one bad thing.

    ``share_ratio`` is 0–1. ``photos`` are the dedupe keys of the messages that brought them, in order; their
    attachments belong to the conversation.
    """

    conversation_id: int
    resident_id: int | None
    order_line_id: int | None
    kinds: tuple[str, ...]
    share: str
    share_ratio: float | None
    wish: str
    photos: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim as stored. ``status``: submitted, approved or rejected."""

    id: int
    ticket_id: int
    conversation_id: int
    resident_id: int | None
    order_line_id: int | None
    kinds: tuple[str, ...]
    share: str
    share_ratio: float | None
    wish: str
    status: str
    submitted_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision_reason: str | None


@dataclass(frozen=True, slots=True)
class Decision:
    """How a claim stands decided. ``new`` says that this very call decided it; else somebody was faster."""

    claim: Claim
    new: bool


def lock_order_line(tx: Transaction, order_line_id: int) -> None:
    """Makes every other transaction that wants to claim this line wait until this one has ended."""
    # Not the key: other rows may refer to the line meanwhile.
    query = select(order_lines.c.id).where(order_lines.c.id == order_line_id).with_for_update(key_share=True)
    tx.connection.execute(query).one()


def submit(tx: Transaction, new: NewClaim, ticket_id: int) -> Claim:
    """Stores a claim with its photos.

    Call ``lock_order_line`` and look for an ``open_claim`` first; a second open claim for one order line is refused by
    the database with an ``IntegrityError``.
    """
    values = {
        "ticket_id": ticket_id,
        "conversation_id": new.conversation_id,
        "resident_id": new.resident_id,
        "order_line_id": new.order_line_id,
        "kinds": list(new.kinds),
        "share": new.share,
        "share_ratio": new.share_ratio,
        "wish": new.wish,
        "status": "submitted",
        "submitted_at": tx.now,
    }
    claim_id: int = tx.connection.execute(insert(claims).values(values).returning(claims.c.id)).scalar_one()
    add_photos(tx, claim_id, new.conversation_id, new.photos)
    return _get(tx.connection, claims.c.id == claim_id)


def add_photos(tx: Transaction, claim_id: int, conversation_id: int, photos: Sequence[str]) -> tuple[int, ...]:
    """Adds photos, by the dedupe keys of their messages, behind those that are there; returns their attachments' ids.

    Photos that were refused, or are there already, are passed over.
    """
    return add_evidence(tx, claim_id, attachments_of(tx.connection, conversation_id, photos))


def add_evidence(tx: Transaction, claim_id: int, wanted: Sequence[int]) -> tuple[int, ...]:
    """Adds attachments behind those that are there; returns the ids of the new ones."""
    known = set(evidence_of(tx.connection, claim_id))
    last = select(func.coalesce(func.max(evidence.c.position), 0)).where(evidence.c.claim_id == claim_id)
    position: int = tx.connection.execute(last).scalar_one()
    added = [attachment_id for attachment_id in wanted if attachment_id not in known]
    for number, attachment_id in enumerate(added, position + 1):
        row = {"claim_id": claim_id, "attachment_id": attachment_id, "position": number}
        tx.connection.execute(ignoring_repeats(tx.connection, evidence), row)
    return tuple(added)


def attachments_of(connection: Connection, conversation_id: int, photos: Sequence[str]) -> tuple[int, ...]:
    """The attachments of a conversation's photos, by their messages' dedupe keys, in that order; refused ones not."""
    query = (
        select(inbox.c.dedupe_key, attachments.c.id)
        .join(attachments, attachments.c.inbox_id == inbox.c.id)
        .where(inbox.c.conversation_id == conversation_id, inbox.c.dedupe_key.in_(photos))
        .where(attachments.c.status.in_(_NOT_REFUSED))
    )
    found: dict[str, int] = {row.dedupe_key: row.id for row in connection.execute(query)}
    return tuple(found[photo] for photo in dict.fromkeys(photos) if photo in found)


def films_of(connection: Connection, conversation_id: int, since: datetime) -> tuple[int, ...]:
    """The attachments' ids of a conversation's films since then that belong to no claim yet; refused ones not."""
    query = (
        select(attachments.c.id)
        .join(inbox, inbox.c.id == attachments.c.inbox_id)
        .where(attachments.c.conversation_id == conversation_id, inbox.c.received_at >= since)
        .where(attachments.c.kind == "video", attachments.c.status.in_(_NOT_REFUSED))
        .where(attachments.c.id.not_in(select(evidence.c.attachment_id)))
        .order_by(attachments.c.id)
    )
    return tuple(connection.execute(query).scalars())


def drop_photo(tx: Transaction, attachment_id: int) -> None:
    """Takes a photo that turned out to be none out of the evidence."""
    tx.connection.execute(delete(evidence).where(evidence.c.attachment_id == attachment_id))


def evidence_of(connection: Connection, claim_id: int) -> tuple[int, ...]:
    """The attachments' ids of a claim's photos, in order."""
    query = select(evidence.c.attachment_id).where(evidence.c.claim_id == claim_id).order_by(evidence.c.position)
    return tuple(connection.execute(query).scalars())


def open_claim(connection: Connection, order_line_id: int) -> Claim | None:
    """The claim for an order line that waits for a decision or was approved; there is one at most."""
    return _find(connection, claims.c.order_line_id == order_line_id, claims.c.status.in_(_OPEN))


def find_claim(connection: Connection, claim_id: int) -> Claim | None:
    return _find(connection, claims.c.id == claim_id)


def claim_of_ticket(connection: Connection, ticket_id: int) -> Claim | None:
    return _find(connection, claims.c.ticket_id == ticket_id)


def verdict_on(connection: Connection, ticket_id: int) -> str:
    """How the claim of a ticket was decided: approved or rejected; empty when it was not, or there is none."""
    claim = claim_of_ticket(connection, ticket_id)
    return claim.status if claim and claim.decided_at else ""


def claim_of_photo(connection: Connection, attachment_id: int) -> Claim | None:
    """The claim that an attachment is evidence of."""
    return _find(
        connection, claims.c.id.in_(select(evidence.c.claim_id).where(evidence.c.attachment_id == attachment_id))
    )


def decide(tx: Transaction, ticket_id: int, verdict: Verdict, staff_id: str, reason: str = "") -> Decision | None:
    """Decides the claim of a ticket, once: whoever comes second is told who was first. None: it has no claim."""
    query = (
        update(claims)
        .where(claims.c.ticket_id == ticket_id, claims.c.status == "submitted")
        .values(status=verdict, decided_by=staff_id, decided_at=tx.now, decision_reason=reason or None)
    )
    new = tx.connection.execute(query).rowcount == 1
    claim = claim_of_ticket(tx.connection, ticket_id)
    return Decision(claim, new) if claim else None


def _find(connection: Connection, *conditions: ColumnElement[bool]) -> Claim | None:
    row = connection.execute(select(claims).where(*conditions).order_by(claims.c.id.desc()).limit(1)).first()
    return _as_claim(row) if row else None


def _get(connection: Connection, condition: ColumnElement[bool]) -> Claim:
    return _as_claim(connection.execute(select(claims).where(condition)).one())


def _as_claim(row: Any) -> Claim:
    return Claim(**{**row._mapping, "kinds": tuple(row.kinds)})
