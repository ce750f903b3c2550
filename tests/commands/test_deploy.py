"""What ships for operators beside the code: units that call commands that exist, and documents whose links lead on."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import typer

from commands.__main__ import cli
from config.settings import ROOT

COMMANDS = set(typer.main.get_command(cli).commands)  # type: ignore[attr-defined]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def called(text: str) -> list[str]:
    return re.findall(r"(?:/opt/qunda|\.)/qunda ([a-z]+)", text)


@pytest.mark.parametrize("unit", sorted((ROOT / "deploy").glob("*.service")), ids=lambda path: path.name)
def test_a_unit_calls_a_command_that_exists_without_root_and_with_little_in_reach(unit: Path) -> None:
    text = unit.read_text()
    commands = called("\n".join(line for line in text.splitlines() if line.startswith("ExecStart=")))
    assert len(commands) == 1
    assert set(commands) <= COMMANDS
    for line in ("User=qunda", "NoNewPrivileges=yes", "ProtectSystem=strict", "ReadWritePaths=/var/lib/qunda"):
        assert line in text.splitlines()
    assert "Type=oneshot" in text or "Restart=always\n" in text


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_leads_to_files_and_headings_that_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (document.parent / target).exists(), target
    for target, anchor in re.findall(r"\]\(([^)#:]*\.md)#([^)]+)\)", text):
        headings = re.findall(r"^#+ (.+)$", (document.parent / target).read_text(encoding="utf-8"), re.MULTILINE)
        assert anchor in [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


@pytest.mark.parametrize("name", ["own-account.md", "own-account.zh-CN.md", "deploying.md", "operating.md"])
def test_what_operators_are_told_to_type_exists(name: str) -> None:
    commands = called((ROOT / "docs" / name).read_text(encoding="utf-8"))
    assert commands
    assert set(commands) <= COMMANDS


@pytest.mark.parametrize("picture", sorted((ROOT / "docs/images").glob("*.svg")), ids=lambda path: path.name)
def test_a_picture_is_sound_and_says_what_it_shows(picture: Path) -> None:
    root = ElementTree.parse(picture).getroot()
    space = {"svg": "http://www.w3.org/2000/svg"}
    assert root.findtext("svg:title", namespaces=space)
    assert root.findtext("svg:desc", namespaces=space)


def test_both_readmes_lead_to_the_same_documents() -> None:
    def targets(name: str) -> set[str]:
        text = (ROOT / name).read_text(encoding="utf-8")
        return {target.replace(".zh-CN", "") for target in re.findall(r"\]\(([^)#:]+)", text)}

    assert targets("README.md") == targets("README.zh-CN.md")
