from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from bot.storage.store import Store
from shop.directory import Community, Directory, ListedResident
from shop.masking import mask_name, mask_phone
from shop.residents import (
    Particulars,
    Resident,
    bind,
    find_by_account,
    find_by_id,
    mark_elder,
    plan_residents,
    sync_directory,
    write_residents,
)
from shop.tables import resident_accounts, residents

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
SUNSHINE = Community("sunshine", "阳光花园")
ALICE = ListedResident("王桂兰", "13800000001", "sunshine", {"oa": "alice", "kf": "alice-kf"}, True)


@pytest.fixture
def alice(store: Store) -> int:
    return make(store, "13800000001", "王桂兰")


@pytest.fixture
def bob(store: Store) -> int:
    return make(store, "13900000002", "刘建国")


def make(store: Store, phone: str, name: str) -> int:
    with store.write() as connection:
        plan = plan_residents(connection, [Particulars(phone, name, "sunshine")])
        return write_residents(connection, plan, NOW)[phone]


def owner(store: Store, channel: str, account: str) -> Resident | None:
    with store.read() as connection:
        return find_by_account(connection, channel, account)


def sync(store: Store, *listed: ListedResident) -> None:
    with store.write() as connection:
        sync_directory(connection, Directory([SUNSHINE], residents=listed), NOW)


def test_names_and_phone_numbers_are_masked_for_others() -> None:
    assert mask_name("王桂兰") == "王**"
    assert mask_name("王") == "王**"
    assert mask_name("欧阳娜娜") == "欧阳**"
    assert mask_name("") == "居民"
    assert mask_phone("13800000001") == "138****0001"
    assert mask_phone(None) == ""
    resident = Resident(1, "王桂兰", "13800000001", None, False)
    assert (resident.masked_name, resident.masked_phone) == ("王**", "138****0001")
    assert "王桂兰" not in repr(resident)
    assert "13800000001" not in repr(resident)


def test_an_account_nobody_bound_belongs_to_nobody(store: Store, alice: int) -> None:
    assert owner(store, "oa", "stranger") is None


def test_a_resident_is_found_by_each_of_her_accounts(store: Store, alice: int) -> None:
    with store.write() as connection:
        assert bind(connection, alice, "oa", "alice", "proof", NOW)
        assert bind(connection, alice, "kf", "alice", "orders", NOW)
        assert bind(connection, alice, "oa", "alice", "proof", NOW)
    for channel in ("oa", "kf"):
        found = owner(store, channel, "alice")
        assert found is not None
        assert found.id == alice
        assert found.phone == "13800000001"
    assert owner(store, "app", "alice") is None


@pytest.mark.parametrize(
    ("first", "second", "moves"),
    [
        ("orders", "orders", False), ("orders", "proof", True), ("orders", "file", True),
        ("proof", "orders", False), ("proof", "proof", True), ("proof", "file", True),
        ("file", "orders", False), ("file", "proof", False), ("file", "file", True),
    ],
)  # fmt: skip
def test_an_account_moves_only_to_who_has_the_better_word(
    store: Store, alice: int, bob: int, first: str, second: str, moves: bool
) -> None:
    with store.write() as connection:
        bind(connection, alice, "oa", "account", first, NOW)  # type: ignore[arg-type]
        assert bind(connection, bob, "oa", "account", second, NOW) is moves  # type: ignore[arg-type]
    found = owner(store, "oa", "account")
    assert found is not None
    assert found.id == (bob if moves else alice)


def test_what_the_file_confirms_no_proof_can_take_away(store: Store, alice: int, bob: int) -> None:
    with store.write() as connection:
        bind(connection, alice, "oa", "account", "orders", NOW)
        bind(connection, alice, "oa", "account", "file", NOW)
        assert not bind(connection, bob, "oa", "account", "proof", NOW)


def test_a_resident_can_be_marked_as_elderly_and_unmarked(store: Store, alice: int) -> None:
    for elder in (True, False):
        with store.write() as connection:
            mark_elder(connection, alice, elder, NOW)
        with store.read() as connection:
            found = find_by_id(connection, alice)
        assert found is not None
        assert found.elder is elder


def test_listed_residents_are_there_after_the_start_and_a_second_start_changes_nothing(store: Store) -> None:
    def everything() -> list[object]:
        with store.read() as connection:
            tables = (residents, resident_accounts)
            return [tuple(row) for table in tables for row in connection.execute(select(table).order_by(table.c.id))]

    listed = (ALICE, ListedResident("刘建国", accounts={"oa": "bob"}))
    sync(store, *listed)
    first = everything()
    sync(store, *listed)
    assert everything() == first
    found = owner(store, "kf", "alice-kf")
    assert found is not None
    assert (found.name, found.phone, found.community_id, found.elder) == ("王桂兰", "13800000001", "sunshine", True)
    without_phone = owner(store, "oa", "bob")
    assert without_phone is not None
    assert without_phone.phone is None


def test_the_file_wins_and_what_it_leaves_out_stays(store: Store, alice: int) -> None:
    with store.write() as connection:
        mark_elder(connection, alice, True, NOW)
    sync(store, ListedResident("王阿姨", "13800000001"))
    with store.read() as connection:
        found = find_by_id(connection, alice)
        assert connection.scalar(select(func.count()).select_from(residents)) == 1
    assert found is not None
    assert (found.name, found.community_id, found.elder) == ("王阿姨", "sunshine", True)


def test_a_changed_entry_without_phone_number_changes_its_resident(store: Store) -> None:
    sync(store, ListedResident("刘建国", accounts={"oa": "bob"}))
    before = owner(store, "oa", "bob")
    sync(store, ListedResident("刘大爷", accounts={"oa": "bob", "kf": "bob-kf"}, elder=True))
    after = owner(store, "kf", "bob-kf")
    assert before is not None
    assert after is not None
    assert after.id == before.id
    assert (after.name, after.elder) == ("刘大爷", True)


def test_an_account_that_the_file_no_longer_names_can_be_proven_away(store: Store, bob: int) -> None:
    sync(store, ALICE)
    sync(store, ListedResident("王桂兰", "13800000001", accounts={"kf": "alice-kf"}))
    with store.write() as connection:
        assert not bind(connection, bob, "kf", "alice-kf", "proof", NOW)
        assert bind(connection, bob, "oa", "alice", "proof", NOW)
