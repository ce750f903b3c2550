"""Everything that must hold before a change is merged."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence

from config.settings import ROOT

CHECKS: Mapping[str, Sequence[str]] = {
    "ruff check": ("-m", "ruff", "check", "."),
    "ruff format": ("-m", "ruff", "format", "--check", "."),
    "mypy": ("-m", "mypy"),
    "import contracts": ("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"),
    "pytest": ("-m", "pytest"),
}
ALL_AT_ONCE = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")
"""Three processes keep two cores busy, as many tests wait for processes. The tests of one file stay together, as they
share what is slow to start, and files keep their order: sorted by their number of tests, the few that take longest
would come last and run alone."""


def run(pytest_arguments: Sequence[str]) -> int:
    """Runs every check to its end, also after one has failed; with arguments pytest alone. Returns 0 or 1."""
    pytest: Sequence[str] = (*CHECKS["pytest"], *(pytest_arguments or ALL_AT_ONCE))
    chosen: Mapping[str, Sequence[str]] = {**({} if pytest_arguments else CHECKS), "pytest": pytest}
    failed = [name for name, arguments in chosen.items() if not _passes(name, arguments)]
    print(f"\nFailed: {', '.join(failed)}" if failed else "\nAll checks passed.", flush=True)
    return 1 if failed else 0


def _passes(name: str, arguments: Sequence[str]) -> bool:
    print(f"\n== {name}", flush=True)
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, stdin=subprocess.DEVNULL).returncode == 0
