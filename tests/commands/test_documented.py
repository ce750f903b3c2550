"""What operators can say to Qunda stands in the docs, and what the docs say exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest
from typer.main import get_command

from commands.__main__ import cli
from commands.bench import NAMES
from config.channels import KINDS
from config.settings import ROOT, VARIABLES
from config.yaml_file import read_yaml

DOCS = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").glob("*.md"))]
OPERATING = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
SET_BY_UP = {"QUNDA_PLAYGROUND_URL", "QUNDA_INSPECTION_TOKEN"}
on_every_page = pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)


def commands_of(group: Any, *before: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands_of(command, *before, name)
        else:
            yield " ".join((*before, name))


COMMANDS = list(commands_of(get_command(cli)))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_table_of_commands(command: str) -> None:
    table = OPERATING.split("## Processes")[0]
    assert re.search(rf"`(\./qunda )?{command}[` ]", table), command


@on_every_page
def test_every_command_that_the_docs_name_exists(page: Any) -> None:
    named = re.findall(r"`(?:\S+ )*?\./qunda ([a-z]+)|^\s*(?:sudo -u qunda )?\./qunda ([a-z]+)", page.read_text(), re.M)
    assert {word for pair in named for word in pair if word} <= {command.split()[0] for command in COMMANDS}


@on_every_page
def test_every_link_leads_somewhere(page: Any) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", page.read_text(encoding="utf-8"))
    for path, anchor in links:
        target = (page.parent / path) if path else page
        assert target.exists(), path
        if anchor:
            titles = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
            assert anchor in anchors, f"{path}#{anchor}"


@pytest.mark.parametrize("variable", sorted(set(VARIABLES) - SET_BY_UP))
def test_every_variable_is_told_to_operators(variable: str) -> None:
    assert f"| `{variable}` |" in OPERATING


@pytest.mark.parametrize("file", ["policy.yaml", "understanding.yaml"])
def test_every_shipped_figure_is_told_to_operators(file: str) -> None:
    table = OPERATING.split(f"| in `{file}` |")[1].split("\n\n")[0]
    shipped = read_yaml(ROOT / "config" / file, {}).value
    assert [key for key in shipped if f"`{key}`" not in table] == []


def test_every_setting_of_a_channel_is_in_the_example() -> None:
    example = (ROOT / "config/channels.example.yaml").read_text(encoding="utf-8")
    settings = {part.name for config in KINDS.values() for part in fields(config)} - {"name"}
    assert {name for name in settings if f"{name}:" not in example} == set()
    assert {kind for kind in KINDS if f"kind: {kind}\n" not in example} == set()


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_is_told_to_contributors(name: str) -> None:
    assert f"| `{name}` |" in (ROOT / "docs/contributing.md").read_text(encoding="utf-8")
