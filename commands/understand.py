"""What the bot makes of a message, for operators and for measuring."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from commands.errors import CommandRefused
from commands.knowledge import approved_so_far
from config.settings import Settings
from understanding.loading import load_reader
from understanding.reader import Reader

_LONGEST_LINE = 1_000_000


def run(text: str | None, file: Path | None, out: Path | None) -> int:
    """Understands one message, or each line of a JSONL file, and prints one JSON object a line.

    A line holds ``text`` and, if wished, ``group`` and ``history``. Raises CommandRefused for a line that doesn't.
    """
    if (text is None) == (file is None):
        remedy = './qunda understand "…", or --file in.jsonl --out out.jsonl'
        raise CommandRefused("give one message or one file", remedy)
    settings = Settings.load(os.environ, make_secret=True)
    reader = load_reader(settings, approved_so_far(settings))
    asked = _lines(file) if file is not None else iter([{"text": text}])
    with _writing_to(out) as stream:
        for line in asked:
            stream.write(_as_json({**line, **_understood(reader, line)}) + "\n")
    return 0


def _understood(reader: Reader, line: Mapping[str, Any]) -> dict[str, Any]:
    return reader.read(line["text"], group=line.get("group", False), history=line.get("history", ())).as_dict()


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    try:
        with file.open(encoding="utf-8-sig") as stream:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield _checked(line, f"{file}:{number}")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandRefused(f"{file} cannot be read: {error}", "name a readable file in UTF-8") from None


def _checked(line: str, where: str) -> dict[str, Any]:
    remedy = 'write {"text": "…"}, with "group": true and "history": ["…"] if wished'
    if len(line) > _LONGEST_LINE:
        raise CommandRefused(f"{where}: the line is longer than {_LONGEST_LINE} characters", remedy)
    try:
        asked = json.loads(line)
    except ValueError as error:
        raise CommandRefused(f"{where}: this is not JSON: {error}", remedy) from None
    if not isinstance(asked, dict) or not isinstance(asked.get("text"), str):
        raise CommandRefused(f"{where}: there is no text", remedy)
    history = asked.get("history", [])
    if not isinstance(history, list) or not all(isinstance(earlier, str) for earlier in history):
        raise CommandRefused(f"{where}: history is not a list of texts", remedy)
    if not isinstance(asked.get("group", False), bool):
        raise CommandRefused(f"{where}: group is neither true nor false", remedy)
    return asked


def _writing_to(out: Path | None) -> contextlib.AbstractContextManager[TextIO]:
    if out is None:
        return contextlib.nullcontext(sys.stdout)
    try:
        return out.open("w", encoding="utf-8")
    except OSError as error:
        remedy = "name a file in a folder that exists"
        raise CommandRefused(f"{out} cannot be written: {error.strerror}", remedy) from None


def _as_json(answer: Mapping[str, Any]) -> str:
    """Readable Chinese; escapes where the text holds half a character, which no file could hold."""
    written = json.dumps(answer, ensure_ascii=False)
    try:
        written.encode()
    except UnicodeEncodeError:
        return json.dumps(answer)
    return written
