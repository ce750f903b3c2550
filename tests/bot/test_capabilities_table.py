"""The table of ``docs/channels.md`` says of every channel what its constants say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta

import pytest

from bot.channels.capabilities import (
    GROUP_WEBHOOK,
    OFFICIAL_ACCOUNT,
    WECOM_AIBOT,
    WECOM_APP,
    WECOM_KF,
    Capabilities,
    Rate,
    Window,
)
from config.channels import KINDS
from config.settings import ROOT

CONSTANTS = {
    "official_account": OFFICIAL_ACCOUNT,
    "wecom_kf": WECOM_KF,
    "wecom_app": WECOM_APP,
    "wecom_aibot": WECOM_AIBOT,
    "group_webhook": GROUP_WEBHOOK,
}
SECONDS = {"reply_deadline", "reply_margin"}
UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def told() -> dict[str, dict[str, str]]:
    """field → kind → cell, as the page has it."""
    lines = (ROOT / "docs/channels.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    start = next(number for number, row in enumerate(rows) if "`official_account`" in row[1])
    kinds = [cell.split("`")[1] for cell in rows[start][1:]]
    table: dict[str, dict[str, str]] = {}
    for row in rows[start + 2 :]:
        if len(row) != len(kinds) + 1:
            break
        table[row[0].rpartition("`")[0].rpartition("`")[2]] = dict(zip(kinds, row[1:], strict=True))
    return table


def shown(field: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not value:
        return "–"
    if isinstance(value, timedelta):
        return length(value.total_seconds())
    if isinstance(value, Window):
        return f"{value.messages} in {length(value.length.total_seconds())}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {shown(field, value[name])}" for name in sorted(value))
    if isinstance(value, frozenset):
        return ", ".join(sorted(value))
    if isinstance(value, tuple):
        return ", ".join(rate(each) for each in value)
    if field in SECONDS and isinstance(value, float):
        return length(value)
    return str(value).replace("_", " ")


def rate(limit: Rate) -> str:
    return f"{limit.messages} in {length(limit.seconds)} {'to each' if limit.per == 'person' else 'in all'}"


def length(seconds: float) -> str:
    size, unit = next((size, unit) for size, unit in UNITS if seconds >= size and (unit != "d" or seconds > 5 * size))
    return f"{seconds / size:g} {unit}"


def test_every_capability_of_every_kind_stands_in_the_table() -> None:
    assert set(CONSTANTS) == set(KINDS)
    assert set(told()) == {field.name for field in fields(Capabilities)}


@pytest.mark.parametrize("kind", CONSTANTS)
def test_the_table_says_what_the_constants_say(kind: str) -> None:
    values = {field.name: getattr(CONSTANTS[kind], field.name) for field in fields(Capabilities)}

    assert {field: cells[kind] for field, cells in told().items()} == {
        field: shown(field, value) for field, value in values.items()
    }
