"""Writes entries into knowledge files, so that what is not touched stays as somebody wrote it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import yaml

from config.errors import ConfigError
from faq.knowledge import Entry, Knowledge

_MOST_IN_A_FILE = 2000
_WIDTH = 120

_Base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_Base):
    """Lists of phrasings in one flow, as the shipped files have them."""


_Dumper.add_representer(
    tuple, lambda dumper, values: dumper.represent_sequence("tag:yaml.org,2002:seq", values, flow_style=True)
)


def write(
    folder: Path,
    files: Sequence[Path],
    *,
    changed: Mapping[str, Entry],
    new: Sequence[Entry],
    removed: Collection[str] = (),
    environ: Mapping[str, str],
) -> list[Path]:
    """Brings the knowledge in ``files`` to what it shall be, in ``folder``; returns the files that were written.

    ``folder`` is made when it is not there, with a copy of every file. Nothing is put in place before all of it has
    been read back and found to be what was meant: any reader meets whole files only. Raises OSError, ConfigError when
    the knowledge could not be used, such as an entry of one community whose general one is removed, and RuntimeError
    when the files would not say what was meant.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".faq-", dir=folder.parent) as name:
        draft = Path(name) / "faq"
        written = _drafted(draft, files, changed, new, removed, environ)
        return _put_in_place(draft, folder, written)


def rehearse(
    files: Sequence[Path],
    *,
    changed: Mapping[str, Entry],
    new: Sequence[Entry],
    removed: Collection[str] = (),
    environ: Mapping[str, str],
) -> None:
    """Does all that ``write`` does but for putting the result in place; raises what it would."""
    with tempfile.TemporaryDirectory(prefix="faq-") as name:
        _drafted(Path(name) / "faq", files, changed, new, removed, environ)


def _drafted(
    draft: Path,
    files: Sequence[Path],
    changed: Mapping[str, Entry],
    new: Sequence[Entry],
    removed: Collection[str],
    environ: Mapping[str, str],
) -> list[Path]:
    """Writes the whole knowledge into ``draft`` and reads it back; returns the files that differ from ``files``."""
    before = Knowledge.load(files, environ)
    meant = {entry.id: changed.get(entry.id, entry) for entry in before.written if entry.id not in removed}
    meant |= {entry.id: entry for entry in new}
    draft.mkdir(mode=0o755)
    touched = {Path(entry.file) for entry in before.written if entry.id in changed or entry.id in removed}
    for file in files:
        _copy(file, draft / file.name, file in touched, changed, removed, environ)
    added = [draft / name for name in _new_names(files, len(new))]
    for number, file in enumerate(added):
        part = new[number * _MOST_IN_A_FILE : (number + 1) * _MOST_IN_A_FILE]
        file.write_text(_as_yaml(part), encoding="utf-8")
    _check(draft, meant, environ)
    return [*(draft / file.name for file in sorted(touched)), *added]


def _put_in_place(draft: Path, folder: Path, written: Sequence[Path]) -> list[Path]:
    if not folder.exists():
        written = sorted(draft.iterdir())
        os.rename(draft, folder)
    else:
        for file in written:
            os.replace(file, folder / file.name)
    return [folder / file.name for file in written]


def _copy(
    file: Path,
    to: Path,
    touched: bool,
    changed: Mapping[str, Entry],
    removed: Collection[str],
    environ: Mapping[str, str],
) -> None:
    to.write_bytes(file.read_bytes())
    if not touched:
        return
    entries = Knowledge.load([file], environ).written
    meant = tuple(changed.get(entry.id, entry) for entry in entries if entry.id not in removed)
    to.write_text(_patched(to.read_text(encoding="utf-8-sig"), entries, changed, removed), encoding="utf-8")
    if not _says(to, meant, environ):  # a layout that cannot be patched line by line
        to.write_text(_as_yaml(meant), encoding="utf-8")


def _patched(text: str, entries: Sequence[Entry], changed: Mapping[str, Entry], removed: Collection[str]) -> str:
    """The text with the lines of these entries replaced; comments and everything else stay as they are."""
    lines = text.splitlines(keepends=True)
    starts = [node.start_mark.line for node in _items(text)]
    ends = [*starts[1:], len(lines)]
    for entry, start, end in reversed(list(zip(entries, starts, ends, strict=True))):
        if entry.id in changed or entry.id in removed:
            own = _without_what_follows(lines[start:end])
            lines[start : start + own] = [] if entry.id in removed else [_as_yaml([changed[entry.id]])]
    return "".join(lines)


def _items(text: str) -> list[yaml.Node]:
    root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return list(root.value) if isinstance(root, yaml.SequenceNode) else []


def _without_what_follows(lines: Sequence[str]) -> int:
    """How many of the lines are the entry's own: blank lines and comments at the end belong to the next one."""
    own = len(lines)
    while own > 1 and (not lines[own - 1].strip() or lines[own - 1].startswith("#")):
        own -= 1
    return own


def _new_names(files: Sequence[Path], entries: int) -> list[str]:
    taken = {file.name for file in files}
    free = (name for number in count(1) if (name := f"imported-{number}.yaml") not in taken)
    return [next(free) for _ in range(0, entries, _MOST_IN_A_FILE)]


def _as_yaml(entries: Iterable[Entry]) -> str:
    return "".join(
        yaml.dump([_shown(entry)], Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=_WIDTH)
        for entry in entries
    )


def _shown(entry: Entry) -> dict[str, Any]:
    names = ("id", "question", "variants", "answer", "elder", "group", "communities", "skill", "courtesy")
    return {name: value for name in names if (value := getattr(entry, name))}


def _says(file: Path, meant: Sequence[Entry], environ: Mapping[str, str]) -> bool:
    try:
        return Knowledge.load([file], environ).written == tuple(meant)
    except ConfigError:
        return False


def _check(draft: Path, meant: Mapping[str, Entry], environ: Mapping[str, str]) -> None:
    read = {entry.id: entry for entry in Knowledge.load(draft.iterdir(), environ).written}
    if read != dict(meant):
        different = sorted(name for name in {*read, *meant} if read.get(name) != meant.get(name))
        raise RuntimeError(f"the files would not say what was meant of {', '.join(different[:3])}")
