"""Residents as the database knows them, and the accounts they write from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from shop.directory import Directory, ListedResident
from shop.masking import mask_name, mask_phone
from shop.rows import chunks, insert_or_ignore
from shop.tables import resident_accounts, residents

Binding = Literal["file", "orders", "proof"]

_STRENGTH = {"orders": 0, "proof": 1, "file": 2}


@dataclass(frozen=True, slots=True)
class Resident:
    """One person who orders. ``name`` may be empty, ``phone`` and ``community_id`` unknown."""

    id: int
    name: str = field(repr=False)
    phone: str | None = field(repr=False)
    community_id: str | None
    elder: bool

    @property
    def masked_name(self) -> str:
        return mask_name(self.name)

    @property
    def masked_phone(self) -> str:
        return mask_phone(self.phone)


@dataclass(frozen=True, slots=True)
class Particulars:
    """What somebody says about the resident with this phone number; empty or None: nothing is said, nothing changes."""

    phone: str = field(repr=False)
    name: str = field(default="", repr=False)
    community_id: str | None = None
    elder: bool | None = None


@dataclass(frozen=True, slots=True)
class ResidentPlan:
    """What writing particulars would do: ``ids`` of the known by phone, whose row changes, and who is new."""

    ids: dict[str, int]
    changed: tuple[Resident, ...]
    new: tuple[Particulars, ...]


_COLUMNS = (residents.c.id, residents.c.name, residents.c.phone, residents.c.community_id, residents.c.elder)


# Asked once for every message, so the statement is made once.
_BY_ACCOUNT = (
    select(*_COLUMNS)
    .join(resident_accounts, resident_accounts.c.resident_id == residents.c.id)
    .where(resident_accounts.c.channel == bindparam("channel"), resident_accounts.c.account == bindparam("account"))
)


def find_by_id(connection: Connection, resident_id: int) -> Resident | None:
    row = connection.execute(select(*_COLUMNS).where(residents.c.id == resident_id)).one_or_none()
    return _resident(row) if row else None


def find_by_account(connection: Connection, channel: str, account: str) -> Resident | None:
    """The resident who writes from this account, None while nobody is known to."""
    row = connection.execute(_BY_ACCOUNT, {"channel": channel, "account": account}).one_or_none()
    return _resident(row) if row else None


def bind(connection: Connection, resident_id: int, channel: str, account: str, how: Binding, now: datetime) -> bool:
    """Makes the account this resident's; False when it is another's and ``how`` may not overrule that.

    An account belongs to one resident, a resident may have many accounts. The operator's file overrules every
    earlier binding; the resident's own proof all but the file's; imported orders none. Needs a write transaction.
    """
    insert_or_ignore(connection, resident_accounts, [_account_row(resident_id, channel, account, how, now)])
    bound = connection.execute(
        select(resident_accounts.c.id, resident_accounts.c.resident_id, resident_accounts.c.how)
        .where(resident_accounts.c.channel == channel, resident_accounts.c.account == account)
        .with_for_update()
    ).one()
    same: bool = bound.resident_id == resident_id
    stronger = _STRENGTH[how] > _STRENGTH[bound.how]
    if stronger or (how == bound.how != "orders" and not same):
        moved = {"resident_id": resident_id, "how": how, "bound_at": now}
        connection.execute(update(resident_accounts).where(resident_accounts.c.id == bound.id).values(moved))
        return True
    return same


def bind_new_accounts(
    connection: Connection, owners: Mapping[tuple[str, str], int], how: Binding, now: datetime
) -> None:
    """Binds many accounts that are free or already bound to the same resident; others stay as they are."""
    rows = [_account_row(resident, channel, account, how, now) for (channel, account), resident in owners.items()]
    insert_or_ignore(connection, resident_accounts, rows)


def phones_of_accounts(
    connection: Connection, accounts: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], str | None]:
    """The phone number of the resident to whom each of the accounts is bound; unbound accounts are left out."""
    by_channel: dict[str, list[str]] = {}
    for channel, account in accounts:
        by_channel.setdefault(channel, []).append(account)
    found: dict[tuple[str, str], str | None] = {}
    for channel, names in by_channel.items():
        for part in chunks(names):
            query = (
                select(resident_accounts.c.account, residents.c.phone)
                .join(residents, resident_accounts.c.resident_id == residents.c.id)
                .where(resident_accounts.c.channel == channel, resident_accounts.c.account.in_(part))
            )
            found.update({(channel, row.account): row.phone for row in connection.execute(query)})
    return found


def mark_elder(connection: Connection, resident_id: int, elder: bool, now: datetime) -> None:
    connection.execute(update(residents).where(residents.c.id == resident_id).values(elder=elder, updated_at=now))


def plan_residents(connection: Connection, people: Sequence[Particulars]) -> ResidentPlan:
    """Compares particulars (one per phone number) with what is stored; writes nothing."""
    stored: dict[str | None, Resident] = {}
    for part in chunks(person.phone for person in people):
        rows = connection.execute(select(*_COLUMNS).where(residents.c.phone.in_(part)))
        stored.update({row.phone: _resident(row) for row in rows})
    known = [person for person in people if person.phone in stored]
    merged = [(stored[person.phone], _merged(stored[person.phone], person)) for person in known]
    return ResidentPlan(
        ids={str(phone): resident.id for phone, resident in stored.items()},
        changed=tuple(after for before, after in merged if after != before),
        new=tuple(person for person in people if person.phone not in stored),
    )


def write_residents(connection: Connection, plan: ResidentPlan, now: datetime) -> dict[str, int]:
    """Carries the plan out inside a write transaction; the ids of all by phone."""
    _update(connection, plan.changed, now)
    insert_or_ignore(connection, residents, [_resident_row(person, now) for person in plan.new])
    ids = dict(plan.ids)
    for part in chunks(person.phone for person in plan.new):
        query = select(residents.c.phone, residents.c.id).where(residents.c.phone.in_(part))
        ids.update({row.phone: row.id for row in connection.execute(query)})
    return ids


def sync_directory(connection: Connection, directory: Directory, now: datetime) -> None:
    """Writes the residents of ``people.yaml`` into the database; doing it again changes nothing.

    What the file says wins over what was stored; what it leaves out is kept; nobody is removed. An account that the
    file no longer names keeps its resident, but from now on a proof may move it.
    """
    with_phone = [resident for resident in directory.residents if resident.phone]
    ids = write_residents(connection, plan_residents(connection, [particulars_of(one) for one in with_phone]), now)
    for resident in directory.residents:
        resident_id = ids[resident.phone] if resident.phone else _without_phone(connection, resident, now)
        for channel, account in resident.accounts.items():
            bind(connection, resident_id, channel, account, "file", now)
    _release_unlisted_accounts(connection, directory)


def _release_unlisted_accounts(connection: Connection, directory: Directory) -> None:
    listed = {account for resident in directory.residents for account in resident.accounts.items()}
    by_file = connection.execute(
        select(resident_accounts.c.id, resident_accounts.c.channel, resident_accounts.c.account).where(
            resident_accounts.c.how == "file"
        )
    ).all()
    for row in by_file:
        if (row.channel, row.account) not in listed:
            connection.execute(update(resident_accounts).where(resident_accounts.c.id == row.id).values(how="proof"))


def _without_phone(connection: Connection, listed: ListedResident, now: datetime) -> int:
    """A resident known by accounts only: the one already bound to one of them, else a new one."""
    person = Particulars("", listed.name, listed.community_id, listed.elder)
    for channel, account in listed.accounts.items():
        known = find_by_account(connection, channel, account)
        if known:
            after = _merged(known, person)
            _update(connection, [after] if after != known else [], now)
            return known.id
    row = {**_resident_row(person, now), "phone": None}
    return int(connection.execute(insert(residents).values(row).returning(residents.c.id)).scalar_one())


def particulars_of(listed: ListedResident) -> Particulars:
    return Particulars(listed.phone or "", listed.name, listed.community_id, listed.elder)


def _resident(row: Row[Any]) -> Resident:
    return Resident(row.id, row.name, row.phone, row.community_id, row.elder)


def _merged(stored: Resident, person: Particulars) -> Resident:
    return replace(
        stored,
        name=person.name or stored.name,
        community_id=person.community_id or stored.community_id,
        elder=stored.elder if person.elder is None else person.elder,
    )


def _update(connection: Connection, changed: Sequence[Resident], now: datetime) -> None:
    if not changed:
        return
    columns = ("name", "community_id", "elder")
    statement = (
        update(residents)
        .where(residents.c.id == bindparam("row_id"))
        .values(updated_at=now, **{column: bindparam(f"to_{column}") for column in columns})
    )
    rows = [{"row_id": one.id, **{f"to_{column}": getattr(one, column) for column in columns}} for one in changed]
    connection.execute(statement, rows)


def _resident_row(person: Particulars, now: datetime) -> dict[str, Any]:
    return {
        "name": person.name,
        "phone": person.phone,
        "community_id": person.community_id,
        "elder": bool(person.elder),
        "created_at": now,
        "updated_at": now,
    }


def _account_row(resident_id: int, channel: str, account: str, how: Binding, now: datetime) -> dict[str, Any]:
    return {"channel": channel, "account": account, "resident_id": resident_id, "how": how, "bound_at": now}
