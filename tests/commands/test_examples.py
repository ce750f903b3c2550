"""Mistakes in the example files, as operators make them: told in words, with the place."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.storage.store import Store
from config.channels import load_channels
from config.errors import ConfigError
from config.settings import ROOT
from shop.directory import Directory
from shop.importing import import_orders

KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"

Spoil = Callable[[str], str]
SLIPS: dict[str, Spoil] = {
    "a tab instead of blanks": lambda line: "\t" + line.lstrip(),
    "a missing colon": lambda line: line.replace(":", "", 1),
    "a full-width colon": lambda line: line.replace(": ", "：", 1),
    "one blank too many": lambda line: " " + line,
    "an open quote": lambda line: line.replace(": ", ': "', 1),
    "an open bracket": lambda line: line + " [",
    "a misspelt key": lambda line: re.sub(r"([a-z_]+):", r"\1x:", line, count=1),
    "a list instead of a word": lambda line: re.sub(r": .*", ": [1, 2]", line, count=1),
    "a number instead of a word": lambda line: re.sub(r": .*", ": 12.5", line, count=1),
    "nothing": lambda line: re.sub(r": .*", ":", line, count=1),
    "the line twice": lambda line: f"{line}\n{line}",
}

LOADERS = {"channels": load_channels, "people": Directory.load}


def told(load: Callable[[], object]) -> ConfigError | None:
    try:
        load()
    except ConfigError as error:
        return error
    return None


@pytest.mark.parametrize("slip", SLIPS)
@pytest.mark.parametrize("name", LOADERS)
def test_a_slip_anywhere_in_an_example_file_is_told_with_its_file_and_line(
    tmp_path: Path, name: str, slip: str
) -> None:
    lines = (ROOT / f"config/{name}.example.yaml").read_text(encoding="utf-8").splitlines()
    file = tmp_path / f"{name}.yaml"
    credentials = dict.fromkeys(re.findall(r"\$\{(\w+)\}", "\n".join(lines)), KEY)
    written = [number for number, line in enumerate(lines) if line.strip() and not line.startswith("#")]
    refused = 0
    for number in written:
        spoilt = [*lines[:number], SLIPS[slip](lines[number]), *lines[number + 1 :]]
        file.write_text("\n".join(spoilt), encoding="utf-8")
        error = told(lambda: LOADERS[name](file, credentials))
        if error is not None:
            refused += 1
            assert (error.file, bool(error.line)) == (str(file), True)
            assert error.remedy
            assert KEY not in str(error)
    assert refused >= len(written) / 4


@pytest.mark.parametrize("nonsense", ["???", "-3", "9" * 300, "2026-13-45 99:99", "=1+1", "红\u202e富士"])
def test_nonsense_in_any_cell_of_the_orders_example_is_told_with_its_row(
    tmp_path: Path, sqlite_template: Path, clock, nonsense: str
) -> None:
    store = Store(f"sqlite:///{sqlite_template}")
    lines = (ROOT / "config/orders.example.csv").read_text(encoding="utf-8-sig").splitlines()
    lines = [line for line in lines if not line.startswith("#")]
    people = Directory.load(ROOT / "config/people.example.yaml", {})
    file = tmp_path / "orders.csv"
    refused = 0
    for column in range(lines[0].count(",") + 1):
        cells = lines[2].split(",")
        cells[column] = nonsense
        file.write_text("\n".join([*lines[:2], ",".join(cells), *lines[3:]]), encoding="utf-8")
        zone = ZoneInfo("Asia/Shanghai")
        report = import_orders(store, file, directory=people, timezone=zone, now=clock.now(), dry_run=True)
        refused += len(report.refused)
        assert all(row == 3 and reason for row, reason in report.refused)
        assert report.total == 6
    store.close()
    assert refused
