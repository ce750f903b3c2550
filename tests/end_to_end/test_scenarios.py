"""Every scripted conversation, played on the real processes with both kinds of database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from playground.scenario import Script, all_scripts, play
from playground.stage import Stage

PATIENCE = 30.0  # seconds for one thing to be read; it ends as soon as it is


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One bot for all conversations, as in the demo; then the same on the other database."""
    environment = {}
    if request.param == "postgresql":
        environment["QUNDA_DATABASE_URL"] = request.getfixturevalue("empty_postgres")()
    with Stage(tmp_path_factory.mktemp(request.param), environment) as running:
        yield running


@pytest.mark.parametrize("script", all_scripts(), ids=lambda script: script.name)
def test_the_conversation_goes_as_written(stage: Stage, script: Script) -> None:
    play(script, stage.wechat, patience=PATIENCE)
