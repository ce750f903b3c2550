"""Every scripted conversation, played on the real processes with both kinds of database."""

from __future__ import annotations

import pytest

from playground.scenario import Script, all_scripts, play
from playground.stage import Stage

PATIENCE = 30.0  # seconds for one thing to be read; it ends as soon as it is


@pytest.mark.parametrize("script", all_scripts(), ids=lambda script: script.name)
def test_the_conversation_goes_as_written(stage: Stage, script: Script) -> None:
    play(script, stage.wechat, patience=PATIENCE)
