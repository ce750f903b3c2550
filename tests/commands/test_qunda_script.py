"""The entry script and its set-up, in a small project of their own: real environments, no package to fetch."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from commands import setup
from config.settings import ROOT

ECHO = """
import os, sys
print(sys.argv[1:], os.getcwd(), os.environ["QUNDA_CALLED_FROM"], sys.prefix)
"""
NEEDED = ("sh", "readlink", "dirname", "cmp", "cat")


def make_project(root: Path) -> Path:
    (root / "commands").mkdir(parents=True)
    shutil.copy(ROOT / "qunda", root)
    shutil.copy(ROOT / "commands/setup.py", root / "commands")
    (root / "commands/__main__.py").write_text(ECHO)
    (root / "requirements.txt").write_text("# nothing\n")
    (root / "requirements-dev.txt").write_text("-r requirements.txt\n# nothing more\n")
    return root


@dataclass(frozen=True)
class FirstStarts:
    project: Path
    told: list[str]
    answers: list[str]


@pytest.fixture(scope="module")
def first_starts(tmp_path_factory: pytest.TempPathFactory) -> FirstStarts:
    """Three first starts at the same time."""
    project = make_project(tmp_path_factory.mktemp("script") / "a folder 群答")
    command, pipe = [str(project / "qunda"), "hello"], subprocess.PIPE
    starts = [subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) for _ in range(3)]
    outputs = [start.communicate() for start in starts]
    return FirstStarts(project, [told for _, told in outputs], [answer for answer, _ in outputs])


@pytest.fixture(scope="module")
def ready_project(first_starts: FirstStarts) -> Path:
    return first_starts.project


@pytest.fixture
def project(ready_project: Path, tmp_path: Path) -> Path:
    """A project that is set up, of which a test may spoil something."""
    return shutil.copytree(ready_project, tmp_path / "群 答", symlinks=True)


@pytest.fixture
def bare_path(tmp_path: Path) -> str:
    """A PATH with the shell's tools and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in NEEDED:
        (folder / name).symlink_to(shutil.which(name) or name)
    return str(folder)


def call(project: Path, *arguments: str, script: Path | None = None, cwd: Path | None = None, **environ: str):
    return subprocess.run(
        [script or project / "qunda", *arguments],
        cwd=cwd or project,
        env={**os.environ, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def test_first_starts_at_the_same_time_make_one_environment_and_all_go_on(first_starts: FirstStarts) -> None:
    assert all(answer.startswith("['hello']") for answer in first_starts.answers)
    assert sum("making .venv" in told for told in first_starts.told) == 1


def test_a_later_start_goes_straight_to_the_command(ready_project: Path, bare_path: str) -> None:
    result = call(ready_project, "up", "--port", "1", PATH=bare_path)
    assert result.stderr == ""
    assert result.stdout.startswith("['up', '--port', '1']")


def test_it_runs_in_the_project_when_called_through_a_link_from_elsewhere(ready_project: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "some where"
    elsewhere.mkdir()
    (tmp_path / "first").symlink_to(ready_project / "qunda")
    (elsewhere / "second").symlink_to("../first")
    result = call(ready_project, script=elsewhere / "second", cwd=elsewhere)
    assert result.stdout.split("] ", 1)[1].strip() == f"{ready_project} {elsewhere} {ready_project}/.venv"


def test_the_exit_code_is_that_of_the_command(ready_project: Path, project: Path) -> None:
    (project / "commands/__main__.py").write_text("raise SystemExit(7)")
    assert call(project).returncode == 7


def test_test_installs_what_tests_need_as_well(project: Path) -> None:
    assert not (project / ".venv/.qunda-stamp-dev").exists()
    result = call(project, "test")
    assert "requirements-dev.txt" in result.stderr
    assert (project / ".venv/.qunda-stamp-dev").read_text() == (project / "requirements-dev.txt").read_text()
    assert call(project, "test").stderr == ""


def test_changed_requirements_are_installed_and_a_failure_is_told_in_words(project: Path) -> None:
    (project / "requirements.txt").write_text("broken @ file:///no/such/folder\n")
    result = call(project)
    assert result.returncode == 1
    assert "installing the packages failed" in result.stderr
    assert "To mend it" in result.stderr


def test_an_unreachable_index_is_told_as_such(project: Path) -> None:
    (project / "requirements.txt").write_text("surely-not-here==1.0\n")
    assert "the package index cannot be reached" in call(project, PIP_NO_INDEX="1", UV_OFFLINE="1").stderr


def test_an_interrupted_set_up_is_begun_anew(project: Path) -> None:
    (project / ".venv/.qunda-unfinished").touch()
    (project / ".venv/half-written").touch()
    result = call(project)
    assert result.returncode == 0
    assert "making .venv" in result.stderr
    assert not (project / ".venv/half-written").exists()
    assert call(project).stderr == ""


def test_a_machine_without_python_is_told_what_to_install(tmp_path: Path, bare_path: str) -> None:
    project = make_project(tmp_path / "new")
    result = call(project, PATH=bare_path)
    assert result.returncode == 1
    assert "Python 3.11" in result.stderr
    assert "apt install" in result.stderr


def test_a_python_without_venv_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_project(tmp_path / "new")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(setup.importlib.util, "find_spec", lambda name: None)  # as Debian ships it
    with pytest.raises(setup.SetupFailed, match="apt install python3-venv"):
        setup.set_up(project, "runtime")


def test_help_names_every_command() -> None:
    result = subprocess.run([sys.executable, "-m", "commands", "--help"], cwd=ROOT, capture_output=True, text=True)
    for name in ("up", "test", "demo", "web", "worker", "clock", "import", "understand", "faq", "bench", "migrate"):
        assert f" {name} " in result.stdout
