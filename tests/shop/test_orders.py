from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from bot.storage.store import Store
from shop.orders import claimable_lines, find_line, find_owner, lines_of_order, recent_lines
from shop.tables import residents
from tests.shop.conftest import ALICE_PHONE, BOB_PHONE, NOW, Order


def id_of(store: Store, phone: str) -> int:
    with store.read() as connection:
        return connection.execute(select(residents.c.id).where(residents.c.phone == phone)).scalar_one()


def owner_of(store: Store, last4: str, proof: str) -> int | None:
    with store.read() as connection:
        return find_owner(connection, last4, proof)


def test_recent_lines_are_the_resident_s_own_newest_first(store: Store, order: Order) -> None:
    for days in (1, 40, 5):
        order(order_no=f"order-{days}", ordered_at=NOW - timedelta(days=days))
    order(BOB_PHONE, order_no="bobs")
    with store.read() as connection:
        lines = recent_lines(connection, id_of(store, ALICE_PHONE), now=NOW)
        one = recent_lines(connection, id_of(store, ALICE_PHONE), now=NOW, days=100, limit=1)
    assert [line.order_no for line in lines] == ["order-1", "order-5"]
    assert [line.order_no for line in one] == ["order-1"]
    assert (lines[0].status_words, lines[0].amount_words, lines[0].quantity) == ("已到自提点", "22.80 元", 1)


def test_an_order_is_shown_to_its_owner_only(store: Store, order: Order) -> None:
    order(order_no="AB-1")
    order(BOB_PHONE, order_no="AB-2")
    alice, bob = id_of(store, ALICE_PHONE), id_of(store, BOB_PHONE)
    with store.read() as connection:
        found = lines_of_order(connection, alice, " ａb-1")
        assert len(found) == 1
        assert find_line(connection, found[0].id) == found[0]
        assert lines_of_order(connection, bob, "AB-1") == ()
        assert lines_of_order(connection, alice, "none") == ()
        assert find_line(connection, 12345) is None


def test_phone_digits_with_an_order_number_or_a_pickup_code_prove_who_it_is(store: Store, order: Order) -> None:
    order(order_no="A1001", pickup_code="A012")
    order(BOB_PHONE, order_no="A1002", pickup_code="A013")
    alice = id_of(store, ALICE_PHONE)
    for proof in ("A1001", "a1001", " A 1001 ", "Ａ012", "a012"):
        assert owner_of(store, "0001", proof) == alice
    assert owner_of(store, "０００１", "A1001") == alice


@pytest.mark.parametrize(
    ("last4", "proof"),
    [("0002", "A1001"), ("0001", "A1002"), ("0001", "nothing"), ("", "A1001"), ("0001", ""), ("001", "A1001"),
     ("%", "A1001"), ("0001", "%"), ("0001", "A100_"), ("00\x0001", "A\x001"), ("13800000001", "A1001")],
)  # fmt: skip
def test_whatever_does_not_fit_looks_the_same(store: Store, order: Order, last4: str, proof: str) -> None:
    order(order_no="A1001")
    order(BOB_PHONE, order_no="A1002")
    asked: list[str] = []

    def note(*call: Any) -> None:
        asked.append(call[2])

    event.listen(Engine, "after_cursor_execute", note)
    try:
        assert owner_of(store, last4, proof) is None
    finally:
        event.remove(Engine, "after_cursor_execute", note)
    assert len([statement for statement in asked if "order_lines" in statement]) == 1


def test_two_residents_who_both_fit_are_nobody(store: Store, order: Order) -> None:
    order("13800000001", order_no="A1", pickup_code="B7")
    order("13900000001", order_no="A2", pickup_code="B7")
    assert owner_of(store, "0001", "B7") is None
    assert owner_of(store, "0001", "A2") == id_of(store, "13900000001")


def test_only_what_arrived_lately_and_was_not_undone_can_be_claimed(store: Store, order: Order) -> None:
    yesterday = NOW - timedelta(days=1)
    for status in ("paid", "shipping", "arrived", "picked_up", "cancelled", "refunded"):
        order(order_no=status, status=status, arrived_at=yesterday)
    order(order_no="old", arrived_at=NOW - timedelta(days=8))
    order(BOB_PHONE, order_no="bobs", arrived_at=yesterday)
    with store.read() as connection:
        lines = claimable_lines(connection, id_of(store, ALICE_PHONE), NOW, days=7)
    assert {line.order_no for line in lines} == {"arrived", "picked_up"}


def test_a_line_whose_arrival_nobody_wrote_down_counts_from_when_we_heard_of_it(store: Store, order: Order) -> None:
    order(order_no="unknown", ordered_at=NOW - timedelta(days=30), now=NOW - timedelta(days=2))
    with store.read() as connection:
        alice = id_of(store, ALICE_PHONE)
        assert claimable_lines(connection, alice, NOW, days=7)
        assert not claimable_lines(connection, alice, NOW, days=1)
