from __future__ import annotations

import subprocess
import sys

from config.settings import ROOT


def qunda_test(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "commands", "test", *arguments], cwd=ROOT, capture_output=True, text=True
    )


def test_arguments_go_to_pytest_which_then_runs_alone() -> None:
    result = qunda_test("--version", "--verbose")
    assert result.returncode == 0
    assert "pytest" in result.stdout + result.stderr
    assert "ruff" not in result.stdout


def test_a_failure_is_in_the_exit_code() -> None:
    result = qunda_test("--no-such-option")
    assert result.returncode == 1
    assert "Failed: pytest" in result.stdout
