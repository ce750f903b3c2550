"""Makes or mends ``.venv``; run by ``./qunda`` with the machine's own Python, so it uses the standard library only.

What it leaves in ``.venv``: ``.qunda-stamp`` and ``.qunda-stamp-dev`` are copies of the requirement files that are
installed, written last; ``.qunda-unfinished`` stands there while a set-up is at work and, after an interrupted one,
says that nothing in the folder can be trusted.
"""

from __future__ import annotations

import fcntl
import filecmp
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

STAMPS = {"runtime": (".qunda-stamp",), "dev": (".qunda-stamp", ".qunda-stamp-dev")}
SOURCES = {".qunda-stamp": "requirements.txt", ".qunda-stamp-dev": "requirements-dev.txt"}
UNFINISHED = ".qunda-unfinished"

NETWORK_TROUBLE = (
    "NewConnectionError",
    "Max retries exceeded",
    "Temporary failure in name resolution",
    "Could not fetch URL",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "ProxyError",
    "error sending request",
    "dns error",
    "(from versions: none)",
)


class SetupFailed(Exception):
    """The machine lacks something; the text says what, and what to do."""


def set_up(root: Path, wanted: str) -> None:
    """Brings ``root/.venv`` to what the requirement files say, once, however many ask for it at the same time.

    ``wanted``: "runtime", or "dev" for what the tests need as well. Raises SetupFailed.
    """
    venv = root / ".venv"
    with _one_at_a_time(root):
        if _is_done(root, venv, wanted):
            return
        started = time.monotonic()
        _say("Setting up Qunda in .venv (only the first time, and when its packages change)")
        if not _is_sound(venv):
            with _step(f"making .venv with Python {sys.version.split()[0]}"):
                _make_venv(venv)
        (venv / UNFINISHED).touch()
        file = SOURCES[STAMPS[wanted][-1]]
        with _step(f"installing the packages of {file}"):
            _install(venv, root / file)
        for stamp in STAMPS[wanted]:
            shutil.copyfile(root / SOURCES[stamp], venv / stamp)
        (venv / UNFINISHED).unlink()
        _say(f"Ready after {time.monotonic() - started:.0f} s.")


def _is_done(root: Path, venv: Path, wanted: str) -> bool:
    return _is_sound(venv) and all(
        (venv / stamp).exists() and filecmp.cmp(root / SOURCES[stamp], venv / stamp, shallow=False)
        for stamp in STAMPS[wanted]
    )


def _is_sound(venv: Path) -> bool:
    return os.access(venv / "bin" / "python", os.X_OK) and not (venv / UNFINISHED).exists()


@contextmanager
def _one_at_a_time(root: Path) -> Iterator[None]:
    """A lock on a file that is always there; .venv itself may be thrown away under the lock."""
    with (root / "requirements.txt").open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("Another start is setting up .venv; waiting for it …")
            fcntl.flock(file, fcntl.LOCK_EX)
        os.set_inheritable(file.fileno(), True)  # an installer that outlives us keeps the lock until it ends
        yield


def _make_venv(venv: Path) -> None:
    if venv.exists():
        shutil.rmtree(venv)
    venv.mkdir()
    (venv / UNFINISHED).touch()
    if shutil.which("uv") and _try(
        ["uv", "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(venv)]
    ):
        return
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        name = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        raise SetupFailed(
            f"This Python ({sys.executable}) cannot make virtual environments: its venv and ensurepip are missing.\n"
            f"  To mend it: sudo apt install python3-venv (or {name}), and start again."
        )
    _demand([sys.executable, "-m", "venv", str(venv)], "making .venv failed")


def _install(venv: Path, file: Path) -> None:
    python = str(venv / "bin" / "python")
    # uv does not read pip.conf, where a mirror may be named: when uv finds nothing, pip may.
    if shutil.which("uv") and _try(["uv", "pip", "install", "--quiet", "--python", python, "-r", str(file)]):
        return
    if not _try([python, "-m", "pip", "--version"]):
        _demand([python, "-m", "ensurepip"], "pip could not be put into .venv")
    options = ("--quiet", "--no-input", "--disable-pip-version-check")
    _demand([python, "-m", "pip", "install", *options, "-r", str(file)], "installing the packages failed")


def _try(command: Sequence[str]) -> bool:
    return _run(command).returncode == 0


def _demand(command: Sequence[str], failure: str) -> None:
    result = _run(command)
    if result.returncode == 0:
        return
    if any(sign in result.stdout for sign in NETWORK_TROUBLE):
        remedy = "check the network, the proxy (HTTPS_PROXY) or the mirror in pip.conf, and start again"
        raise SetupFailed(f"{failure}: the package index cannot be reached.\n  To mend it: {remedy}.")
    last_lines = "\n".join(f"    {line}" for line in result.stdout.strip().splitlines()[-8:])
    raise SetupFailed(f"{failure}; the last words were:\n{last_lines}\n  To mend it: see to that, and start again.")


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        close_fds=False,
    )


@contextmanager
def _step(what: str) -> Iterator[None]:
    """One line for one step: what it is at once, how long it took at its end."""
    started = time.monotonic()
    print(f"  {what} … ", end="", file=sys.stderr, flush=True)
    try:
        yield
    except BaseException:
        _say("no")
        raise
    _say(f"{time.monotonic() - started:.1f} s")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    try:
        set_up(Path(__file__).resolve().parent.parent, sys.argv[1])
    except SetupFailed as failure:
        _say(str(failure))
        return 1
    except KeyboardInterrupt:
        _say("Interrupted. The next start begins the set-up anew.")
        return 130
    except OSError as error:
        _say(f"Setting up failed: {error}\n  To mend it: see that this user may write to the project's folder.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
