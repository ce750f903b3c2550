"""Stored claims, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from bot.channels.capabilities import OFFICIAL_ACCOUNT
from bot.clock import Clock
from bot.storage.store import Store
from bot.storage.tables import attachments, inbox
from bot.transaction import Transaction, conversation_id
from claims.claims import NewClaim, add_photos, claim_of_ticket, decide, drop_photo, evidence_of, open_claim, submit
from escalation.tables import tickets
from shop.tables import order_lines, residents


class Desk:
    """A conversation with one order line; each claim gets a ticket of its own."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.now = store, clock.now()
        with self.write() as tx:
            self.conversation = conversation_id(tx.connection, "oa", "alice", "", self.now)
            self.line = self._line(tx)
        self.new = NewClaim(self.conversation, None, self.line, ("rotten",), "一半", 0.5, "refund", ())

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        with self.store.write() as connection:
            yield Transaction(connection, self.now, 1, None, "test", {"oa": OFFICIAL_ACCOUNT})

    def submit(self, new: NewClaim) -> int:
        """Submits a claim; returns its ticket's number."""
        values = {
            "kind": "claim", "conversation_id": self.conversation, "name": "王**", "status": "waiting",
            "priority": "P1", "reason": "", "facts": [], "opened_at": self.now, "reopened": 0,
        }  # fmt: skip
        with self.write() as tx:
            ticket: int = tx.connection.execute(insert(tickets).values(values).returning(tickets.c.id)).scalar_one()
            submit(tx, new, ticket)
        return ticket

    def photo(self, key: str, status: str = "pending") -> int:
        message = {
            "channel": "oa", "dedupe_key": key, "conversation_id": self.conversation, "kind": "image", "text": "",
            "payload": {}, "sent_at": self.now, "received_at": self.now, "outcome": "handled", "handler": "",
            "note": "",
        }  # fmt: skip
        with self.write() as tx:
            row: int = tx.connection.execute(insert(inbox).values(message).returning(inbox.c.id)).scalar_one()
            values = {
                "inbox_id": row, "conversation_id": self.conversation, "kind": "image", "platform_id": key,
                "status": status,
            }  # fmt: skip
            query = insert(attachments).values(values).returning(attachments.c.id)
            attachment: int = tx.connection.execute(query).scalar_one()
        return attachment

    def _line(self, tx: Transaction) -> int:
        person = {"name": "王桂兰", "elder": False, "created_at": self.now, "updated_at": self.now}
        resident: int = tx.connection.execute(insert(residents).values(person).returning(residents.c.id)).scalar_one()
        values = {
            "order_no": "1", "product": "苹果", "spec": "", "resident_id": resident, "batch": "", "quantity": 1,
            "amount_fen": 2280, "status": "picked_up", "pickup_code": "", "ordered_at": self.now, "notes": {},
            "updated_at": self.now,
        }  # fmt: skip
        line: int = tx.connection.execute(insert(order_lines).values(values).returning(order_lines.c.id)).scalar_one()
        return line


@pytest.fixture
def desk(store: Store, clock: Clock) -> Desk:
    return Desk(store, clock)


def test_an_order_line_has_one_open_claim(desk: Desk) -> None:
    desk.submit(desk.new)
    with pytest.raises(IntegrityError):
        desk.submit(desk.new)


def test_a_line_whose_claim_was_rejected_may_be_claimed_again(desk: Desk) -> None:
    ticket = desk.submit(desk.new)
    with desk.write() as tx:
        decide(tx, ticket, "rejected", "zhang", "照片里看不出")
        assert open_claim(tx.connection, desk.line) is None
    desk.submit(desk.new)


def test_an_approved_claim_still_stands_in_the_way(desk: Desk) -> None:
    ticket = desk.submit(desk.new)
    with desk.write() as tx:
        decide(tx, ticket, "approved", "zhang")
    with pytest.raises(IntegrityError):
        desk.submit(desk.new)


def test_claims_without_an_order_line_do_not_stand_in_each_others_way(desk: Desk) -> None:
    unknown = replace(desk.new, order_line_id=None)
    assert desk.submit(unknown) != desk.submit(unknown)


def test_the_first_decision_stands_and_the_second_learns_of_it(desk: Desk) -> None:
    ticket = desk.submit(desk.new)
    with desk.write() as tx:
        first = decide(tx, ticket, "approved", "zhang")
    with desk.write() as tx:
        second = decide(tx, ticket, "rejected", "chen", "不像坏的")
    assert first is not None
    assert second is not None
    assert (first.new, second.new) == (True, False)
    assert (second.claim.status, second.claim.decided_by, second.claim.decision_reason) == ("approved", "zhang", None)


def test_a_ticket_without_a_claim_cannot_be_decided(desk: Desk) -> None:
    with desk.write() as tx:
        assert decide(tx, 4711, "approved", "zhang") is None


def test_photos_are_kept_in_the_order_of_the_draft_and_once(desk: Desk) -> None:
    second, first, refused = desk.photo("b"), desk.photo("a"), desk.photo("c", status="refused")
    ticket = desk.submit(replace(desk.new, photos=("a", "b", "a", "c", "unknown")))
    third = desk.photo("d")
    with desk.write() as tx:
        claim = claim_of_ticket(tx.connection, ticket)
        assert claim is not None
        assert add_photos(tx, claim.id, desk.conversation, ("a", "d")) == (third,)
        assert evidence_of(tx.connection, claim.id) == (first, second, third)
        drop_photo(tx, second)
        assert evidence_of(tx.connection, claim.id) == (first, third)
    assert refused not in (first, second, third)
