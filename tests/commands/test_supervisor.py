from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.commands.processes import PATIENCE, Lines, assert_ends, end, is_alive

SUPERVISOR = """
import json, os, sys
from bot.clock import SystemClock
from commands import supervisor
children, constants, ready = json.loads(sys.argv[1])
vars(supervisor).update(constants)
def say(line):
    os.write(1, f"{line}\\n".encode())
with supervisor.Supervisor(SystemClock(), say) as running:
    for name, script, outlives in children:
        running.start(supervisor.ChildSpec(name, ["sh", "-c", script], os.environ, outlives))
    code = running.run(lambda: ready, lambda: say("all ready"))
sys.exit(code)
"""

Start = Callable[..., tuple[subprocess.Popen[bytes], Lines]]


def staying(name: str) -> str:
    return f"echo {name} $$; exec sleep 1000"


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a supervisor over shell scripts; one whose name ends in _last outlives the others."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(ready: bool = True, /, constants: dict[str, float] | None = None, **scripts: str):
        children = [(name.removesuffix("_last"), script, name.endswith("_last")) for name, script in scripts.items()]
        argument = json.dumps([children, constants or {}, ready])
        process = subprocess.Popen([sys.executable, "-c", SUPERVISOR, argument], stdout=subprocess.PIPE)
        started.append(process)
        return process, Lines(process.stdout)

    yield begin
    for process in started:
        end(process)


def test_a_killed_child_is_started_again_and_the_others_stay(start: Start) -> None:
    _, lines = start(web=staying("web"), worker=staying("worker"))
    web, worker = lines.numbers("web", "worker")
    os.kill(web, signal.SIGKILL)
    assert lines.until("web ended") == "(-9); starting it again in 0.2 s"
    assert int(lines.until("web")) != web
    assert is_alive(worker)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_children_and_their_children(start: Start, number: signal.Signals) -> None:
    process, lines = start(web="sleep 1000 & echo inner $!; echo web $$; wait", worker=staying("worker"))
    pids = lines.numbers("inner", "web", "worker")
    process.send_signal(number)
    assert process.wait(PATIENCE) == 0
    for pid in pids:
        assert_ends(pid)


def test_a_child_that_does_not_listen_is_killed_after_the_grace(start: Start) -> None:
    process, lines = start(constants={"GRACE": 0.3}, web="trap '' TERM; echo web $$; while :; do sleep 0.1; done")
    web = int(lines.until("web"))
    process.terminate()
    assert process.wait(PATIENCE) == 0
    assert_ends(web)


def test_a_second_signal_ends_the_grace(start: Start) -> None:
    process, lines = start(
        constants={"GRACE": 1000}, web="trap 'echo no' TERM; echo web $$; while :; do sleep 0.1; done"
    )
    web = int(lines.until("web"))
    process.terminate()
    lines.until("no")
    process.terminate()
    assert process.wait(PATIENCE) == 0
    assert_ends(web)


def test_no_child_survives_a_supervisor_that_was_killed(start: Start) -> None:
    process, lines = start(web=staying("web"), worker=staying("worker"))
    pids = lines.numbers("web", "worker")
    process.kill()
    for pid in pids:
        assert_ends(pid)


def test_what_a_dead_child_leaves_behind_is_ended_before_it_starts_again(start: Start) -> None:
    _, lines = start(web="sleep 1000 & echo inner $!; echo web $$; wait")
    inner, web = lines.numbers("inner", "web")
    os.kill(web, signal.SIGKILL)
    assert_ends(inner)
    lines.until("web")


def test_the_pause_before_a_new_start_doubles(start: Start) -> None:
    _, lines = start(constants={"FIRST_DELAY": 0.01, "LONGEST_DELAY": 0.04}, web="exit 3")
    pauses = [lines.until("web ended (3); starting it again in") for _ in range(4)]
    assert pauses == ["0.01 s", "0.02 s", "0.04 s", "0.04 s"]


def test_the_pause_is_short_again_after_a_healthy_while(start: Start) -> None:
    _, lines = start(constants={"FIRST_DELAY": 0.01, "HEALTHY_AFTER": 0}, web="exit 3")
    assert {lines.until("web ended (3); starting it again in") for _ in range(3)} == {"0.01 s"}


def test_a_program_that_cannot_be_started_is_tried_again(start: Start) -> None:
    _, lines = start(constants={"FIRST_DELAY": 0.01}, web="exec /no/such/program")
    assert lines.until("web ended (127)")
    assert lines.until("web ended (127)")


def test_a_child_that_refuses_its_configuration_ends_the_start(start: Start) -> None:
    process, lines = start(False, worker=staying("worker"), web="exit 2")
    worker = int(lines.until("worker"))
    assert process.wait(PATIENCE) == 2
    assert_ends(worker)


def test_the_one_that_the_others_need_is_stopped_last(start: Start) -> None:
    process, lines = start(
        valkey_last="trap 'echo valkey gone; exit' TERM; echo valkey up; while :; do sleep 0.05; done",
        web="trap 'sleep 0.2; echo web gone; exit' TERM; echo web up; while :; do sleep 0.05; done",
    )
    for _ in ("valkey", "web", "ready"):
        lines.next()
    process.terminate()
    assert [lines.next(), lines.next()] == ["web gone", "valkey gone"]
    assert process.wait(PATIENCE) == 0
