"""Measures with the peers in the same run, and prints a table."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

from commands.errors import CommandRefused

NAMES = ("webhook", "start", "understanding", "faults")


def run(name: str | None, json_file: Path | None) -> int:
    """Runs one benchmark, or all; writes the figures as JSON when asked to. Returns 1 when a promise is broken."""
    if name is not None and name not in NAMES:
        raise CommandRefused(f"there is no benchmark {name}", f"name one of these: {', '.join(NAMES)}")
    results = {}
    for chosen in [name] if name else NAMES:
        print(f"== {chosen}", flush=True)
        results[chosen] = importlib.import_module(f"bench.{chosen}").run()
    if json_file is not None:
        json_file.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 1 if any(result.get("broken") for result in results.values()) else 0
