"""Looks after the knowledge files: checks them, and exchanges them with spreadsheets."""

from __future__ import annotations

import csv
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import IllegalCharacterError

from commands.errors import CommandRefused
from commands.knowledge import TAKEN_IN, approved_so_far, knowledge_in_use, opened_store
from commands.links import dead_links
from config.errors import ConfigError
from config.settings import Settings
from config.yaml_file import YamlFile, read_yaml
from faq import exchange, filing
from faq.checking import Finding, Known, Theft, findings_in, place_of, thefts_in
from faq.exchange import Exchange, UnusableTable
from faq.knowledge import Entry, Knowledge
from faq.matching import Matcher
from shop.directory import Directory
from shop.policy import Policy
from shop.sheets import UnreadableFile, read_as, read_rows
from understanding import skills
from understanding.loading import load_chatter, load_speech

ALL_WELL, SOME_REFUSED, UNREADABLE = 0, 1, 2

_SHOWN_PHRASINGS = 4
_LONGEST_CELL = 32_767
"""Characters; the limit of xlsx."""


def check(quick: bool = False) -> int:
    """Prints what is wrong with the knowledge, approved gaps included, each with its place; 1 for anything, else 0.

    ``quick`` leaves out what takes long: links, and which entries steal each other's questions. Raises ConfigError
    for knowledge that can't be used at all.
    """
    settings = Settings.load(os.environ, make_secret=True)
    knowledge = Knowledge.load(settings.files("faq"), settings.environ).extended(approved_so_far(settings))
    speech = load_speech(*(_words(settings, name) for name in ("speech", "produce", "concepts")))
    findings = list(findings_in(knowledge, speech, _known(settings)))
    if not quick:
        chatter = load_chatter(_words(settings, "chatter"))
        findings += dead_links(knowledge)
        findings += map(_finding, thefts_in(knowledge, lambda part: Matcher(part, speech, chatter, ranks_only=True)))
    for entry, finding in findings:
        print(f"{place_of(entry)}: {entry.id}: {finding}")
    print(f"{len(knowledge)} entries, {len(findings)} findings")
    if not len(knowledge):
        print(f"{settings.config_dir / 'faq'}: there is no entry; write one, or take the folder away")
    return 1 if findings or not len(knowledge) else 0


def take_in(file: Path, *, dry_run: bool, replace: bool) -> int:
    """Writes what a table says into the operator's knowledge folder; ``replace``: and takes everything else out.

    Exit code: 0 all went in, 1 some rows were refused, 2 the file is unreadable. Raises CommandRefused.
    """
    settings = Settings.load(os.environ, make_secret=True)
    knowledge = Knowledge.load(settings.files("faq"), settings.environ)
    try:
        rows = read_rows(file)
        found = exchange.read(rows, knowledge, skills.KNOWN, _policy(settings).figures)
    except (UnreadableFile, UnusableTable) as error:
        print(f"{file}: {error}", file=sys.stderr)
        return UNREADABLE
    if rows.encoding:
        print(read_as(rows.encoding))
    removed = found.absent if replace and not found.refused else ()
    _print_exchange(found, removed, replace)
    try:
        if not (found.new or found.changed or removed):
            print("Nothing to write.")
        elif dry_run:
            filing.rehearse(settings.files("faq"), **_parts(found, removed), environ=settings.environ)
            print(f"Dry run: nothing written. {_where(settings)}")
        else:
            _write(settings, found, removed)
    except ConfigError as error:  # of a draft, so its file is none that the operator knows
        raise CommandRefused(f"nothing is written: {error.problem}", error.remedy) from None
    return SOME_REFUSED if found.refused else ALL_WELL


def _parts(found: Exchange, removed: Sequence[Entry]) -> dict[str, Any]:
    changed = {entry.id: entry for _, entry in found.changed}
    return {"changed": changed, "new": found.new, "removed": {entry.id for entry in removed}}


def put_out(file: Path) -> int:
    """Writes the knowledge in use, approved gaps included, as csv or xlsx. Raises CommandRefused."""
    kinds = {".csv": _write_csv, ".xlsx": _write_xlsx}
    write = kinds.get(file.suffix.lower())
    if write is None:
        raise CommandRefused(f"{file.name} is neither csv nor xlsx", "name a file that ends in .csv or .xlsx")
    settings = Settings.load(os.environ, make_secret=True)
    with opened_store(settings) as store, store.read() as connection:
        knowledge = knowledge_in_use(settings, connection)
    try:
        with tempfile.TemporaryDirectory(prefix=".faq-", dir=file.parent) as folder:
            draft = Path(folder) / file.name
            write(draft, knowledge.written)
            os.replace(draft, file)
    except OSError as error:
        remedy = "name a file in a folder that exists and that this user may write to"
        raise CommandRefused(f"{file} cannot be written ({error.strerror})", remedy) from None
    print(f"{len(knowledge.written)} entries written to {file}")
    return ALL_WELL


def _words(settings: Settings, name: str) -> YamlFile:
    return read_yaml(settings.file(f"words/{name}.yaml"), settings.environ)


def _policy(settings: Settings) -> Policy:
    return Policy.load(settings.file("policy.yaml"), settings.environ)


def _known(settings: Settings) -> Known:
    people = settings.file("people.yaml")
    communities = None
    if people.exists():
        communities = [community.id for community in Directory.load(people, settings.environ).communities]
    return Known(_policy(settings).figures, skills.KNOWN, communities)


def _finding(theft: Theft) -> Finding:
    lost = "; ".join(theft.phrasings[:_SHOWN_PHRASINGS])
    share = f"{len(theft.phrasings)} of {len(theft.entry.phrasings)}"
    return theft.entry, (
        f"{share} phrasings find {theft.thief.id} when they are not stored ({lost}); give both entries more phrasings "
        f"that say what sets them apart, or make one of the two"
    )


def _print_exchange(found: Exchange, removed: Sequence[Entry], replace: bool) -> None:
    for heading in found.ignored:
        print(f"the column {heading} is not known and left out")
    for number, reason in found.refused:
        print(f"row {number}: {reason}")
    for entry in found.new:
        print(f"new: {entry.id}: {entry.question}")
    for old, entry in found.changed:
        print(f"changed: {entry.id}: {', '.join(_differences(old, entry))}")
    for entry in removed:
        print(f"removed: {entry.id}: {entry.question}")
    print(
        f"{found.total} entries read: {len(found.new)} new, {len(found.changed)} changed, {found.unchanged} unchanged, "
        f"{len(found.refused)} refused; {len(removed)} removed, {len(found.absent) - len(removed)} others stay as they "
        f"are."
    )
    if replace and found.refused:
        print("Nothing is removed while rows are refused: they may be the ones that are missing.")


def _differences(old: Entry, entry: Entry) -> Iterator[str]:
    for name in exchange.COLUMNS:
        before, after = getattr(old, name), getattr(entry, name)
        if before == after:
            continue
        if name == "variants":
            yield f"variants +{len({*after} - {*before})} −{len({*before} - {*after})}"
        else:
            yield f"{name} (taken away)" if before and not after else name


def _where(settings: Settings) -> str:
    folder = settings.config_dir / "faq"
    if settings.config_dir == settings.shipped_dir:
        return "Before the import itself, set QUNDA_CONFIG_DIR: see ./qunda faq import without --dry-run."
    if folder.is_dir():
        return f"The import will write into {folder}."
    return (
        f"The import will first copy the shipped files to {folder}, which from then on is the whole knowledge: "
        f"updates of Qunda no longer change it."
    )


def _write(settings: Settings, found: Exchange, removed: Sequence[Entry]) -> None:
    if settings.config_dir == settings.shipped_dir:
        raise CommandRefused(
            f"the import would change the shipped {settings.shipped_dir / 'faq'}, which updates of Qunda replace",
            "make a folder of your own, put QUNDA_CONFIG_DIR=/path/to/it into .env, move your channels.yaml and "
            "people.yaml there, and import again",
        )
    folder = settings.config_dir / "faq"
    if not folder.is_dir():
        print(f"Copying the shipped files to {folder}, which from now on is the whole knowledge.")
    try:
        written = filing.write(folder, settings.files("faq"), **_parts(found, removed), environ=settings.environ)
    except OSError as error:
        remedy = f"give this user the right to write in {settings.config_dir}"
        raise CommandRefused(f"{folder} cannot be written ({error.strerror})", remedy) from None
    print(f"Written: {', '.join(file.name for file in written)} in {folder}.")
    print(f"{TAKEN_IN} ./qunda faq check looks closer.")


def _write_csv(file: Path, entries: Iterable[Entry]) -> None:
    with file.open("w", encoding="utf-8-sig", newline="") as stream:  # the mark tells Excel that it is UTF-8
        csv.writer(stream).writerows(exchange.rows_of(entries))


def _write_xlsx(file: Path, entries: Iterable[Entry]) -> None:
    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet("faq")
    for row in exchange.rows_of(entries):
        if any(len(cell) > _LONGEST_CELL for cell in row):
            problem = f"the phrasings of {row[3]} have more characters than a cell of xlsx can hold"
            raise CommandRefused(problem, "export to a csv file")
        try:
            sheet.append(row)
        except IllegalCharacterError:
            problem = f"{row[3]} holds a control character, which xlsx cannot hold"
            raise CommandRefused(problem, "take it out of the entry, or export to a csv file") from None
    workbook.save(file)
