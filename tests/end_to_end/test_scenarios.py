"""Every scripted conversation, played on the real processes: at each door, and with both kinds of database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from playground.scenario import Script, play, scripts_at
from playground.stage import Stage

PATIENCE = 30.0  # seconds for one thing to be read; it ends as soon as it is


# The doors differ in the platform, the databases in storage: three of the four ways show whatever differs.
STAGES = {"sqlite": ("oa", "kf"), "postgresql": ("oa",)}
PLAYS = [
    (database, door, script) for database, doors in STAGES.items() for door in doors for script in scripts_at(door)
]


@pytest.fixture(scope="module")
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One bot for all conversations, as in the demo; then the same on the other database."""
    environment = {}
    if request.param == "postgresql":
        environment["QUNDA_DATABASE_URL"] = request.getfixturevalue("empty_postgres")()
    with Stage(tmp_path_factory.mktemp(request.param), environment) as running:
        yield running


@pytest.fixture(scope="module")
def door(request: pytest.FixtureRequest, stage: Stage) -> str:
    """Where the residents write; whatever was played at another door is forgotten."""
    stage.begin_anew()
    return str(request.param)


@pytest.mark.parametrize(
    ("stage", "door", "script"),
    [pytest.param(*each, id=f"{each[0]}-{each[1]}-{each[2].name}") for each in PLAYS],
    indirect=["stage", "door"],
)
def test_the_conversation_goes_as_written(stage: Stage, door: str, script: Script) -> None:
    play(script, stage.wechat, patience=PATIENCE, door=door)
