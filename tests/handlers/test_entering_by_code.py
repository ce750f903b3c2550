"""A code that hangs at the pick-up point tells which community somebody belongs to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.message import Message
from tests.handlers.claim_talk import Stage


@pytest.fixture
def stage(store, clock, tmp_path) -> Stage:
    return Stage(store, clock, tmp_path / "media")


def scanned(stage: Stage, scene: str, event: str = "subscribe") -> Message:
    return Message(
        channel="oa",
        account="stranger",
        dedupe_key=f"scan:{scene}:{event}",
        kind="event",
        sent_at=stage.clock.now(),
        event=event,
        extra={"scene": scene} if scene else {},
    )


def answer(stage: Stage, message: Message) -> str:
    return stage.turns.take(message, answer_until=stage.clock.monotonic() + 3.5).text or ""


@pytest.mark.parametrize("event", ["subscribe", "scan"])
def test_whoever_scans_the_communitys_code_is_asked_for_it_no_more(stage: Stage, event: str) -> None:
    assert "阳光花园" in answer(stage, scanned(stage, "sunshine", event))
    asked = replace(scanned(stage, ""), kind="text", event="", extra={}, text="团长是谁", dedupe_key="ask")
    assert "张团长" in answer(stage, asked)


def test_an_unknown_code_is_welcomed_like_no_code_at_all(stage: Stage) -> None:
    assert answer(stage, scanned(stage, "nowhere")) == answer(stage, scanned(stage, ""))
