"""What of a conversation is kept as a gap of the knowledge."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import pytest

from bot.clock import ShiftedClock
from bot.storage.store import Store
from faq.tables import gaps
from tests.handlers.claim_talk import Stage, Talk

STRANGE = "你们收不收比特币"


@pytest.fixture
def stage(store: Store, clock: ShiftedClock, tmp_path: Path) -> Stage:
    return Stage(store, clock, tmp_path)


def unsure(stage: Stage, *, clarifies: bool) -> None:
    """Lets the bot be sure of nothing, and ask back or hand over."""
    reader = copy.copy(stage.reader)
    clarify = 0.0 if clarifies else 1.0
    reader.thresholds = replace(reader.thresholds, answer=1.0, answer_in_group=1.0, clarify=clarify)
    stage.reader = reader


def kept(stage: Stage) -> list[tuple[str, str]]:
    return [(row.kind, row.words) for row in stage.rows(gaps)]


def test_a_question_that_is_answered_is_no_gap(stage: Stage) -> None:
    stage.resident()
    Talk(stage).say("退款多久到账？")
    assert kept(stage) == []


def test_an_unanswered_question_is_kept_masked_with_its_community_and_ticket(stage: Stage) -> None:
    stage.resident()
    unsure(stage, clarifies=False)
    Talk(stage).say(f"{STRANGE}，我电话13912345678")
    (gap,) = stage.rows(gaps)
    assert (gap.kind, gap.words) == ("unanswered", f"{STRANGE}，我电话〔电话〕")
    (ticket,) = stage.tickets()
    assert (gap.community_id, gap.ticket_id, gap.status) == ("sunshine", ticket.id, "open")


def test_the_choice_among_questions_tells_what_was_meant(stage: Stage) -> None:
    stage.resident()
    unsure(stage, clarifies=True)
    talk = Talk(stage)
    asked_back = talk.say("退款多久到账？")
    talk.say("1")
    (gap,) = stage.rows(gaps)
    assert "1. " in asked_back
    assert (gap.kind, gap.chosen_id) == ("clarified", "refund-arrival")


def test_where_asking_back_did_not_help_the_first_question_waits_for_the_person(stage: Stage) -> None:
    stage.resident()
    unsure(stage, clarifies=True)
    talk = Talk(stage)
    talk.say("退款多久到账？")
    talk.say("都不是")
    (gap,) = stage.rows(gaps)
    assert (gap.kind, gap.ticket_id, gap.words) == ("unanswered", stage.tickets()[0].id, "退款多久到账？")


def test_an_answer_that_was_not_meant_is_kept_with_its_question(stage: Stage) -> None:
    stage.resident()
    talk = Talk(stage)
    talk.say("退款多久到账？")
    talk.say("答非所问")
    rows = [row for row in stage.rows(gaps) if row.kind == "corrected"]
    assert [(row.words, row.entry_id) for row in rows] == [("退款多久到账？", "refund-arrival")]
