"""Routine questions, asked of the whole list of handlers with the shipped knowledge."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import pytest

from bot.clock import ShiftedClock
from bot.storage.store import Store
from bot.storage.tables import inbox
from tests.handlers.claim_talk import Stage, Talk


@pytest.fixture
def stage(store: Store, clock: ShiftedClock, tmp_path: Path) -> Stage:
    stage = Stage(store, clock, tmp_path)
    stage.resident()
    return stage


def test_of_several_questions_in_one_message_each_is_answered_once(stage: Stage) -> None:
    talk = Talk(stage)
    refund, pickup = talk.say("退款多久到账？"), talk.say("几点可以取货？")
    both = talk.say("退款多久到账？几点可以取货？退款多久到账？")
    assert sorted(both.split("\n\n")) == sorted([refund, pickup])


def test_a_finger_that_taps_twice_is_no_impatience(stage: Stage) -> None:
    talk = Talk(stage)
    first = talk.say("退款多久到账")
    assert [talk.say("退款多久到账", after=1) for _ in range(3)] == [first] * 3
    assert talk.state()["history"] == ["退款多久到账"]


def test_asking_the_same_again_after_a_while_is_impatience(stage: Stage) -> None:
    talk = Talk(stage)
    answers = [talk.say("退款多久到账", after=60) for _ in range(4)]
    assert len(set(answers)) > 1
    assert "工单" in "".join(answers)


def test_the_note_of_several_answers_names_each_of_them(stage: Stage) -> None:
    text = "退款多久到账？几点可以取货？"
    reading = stage.reader.read(text, community="sunshine")
    Talk(stage).say(text)
    note = f"faq:{reading.entry} {stage.reader.knowledge.version} also {' '.join(reading.also)}"
    assert reading.also
    assert [row.note for row in stage.rows(inbox)] == [note]


def test_the_note_of_one_answer_names_it_and_the_knowledge(stage: Stage) -> None:
    Talk(stage).say("退款多久到账？")
    assert [row.note for row in stage.rows(inbox)] == [f"faq:refund-arrival {stage.reader.knowledge.version}"]


def test_a_message_that_surely_means_one_of_two_things_gets_both_answers(stage: Stage) -> None:
    best, second = stage.reader.matcher.match("下错单了想改")[:2]
    reader = copy.copy(stage.reader)
    together = best.confidence + second.confidence
    reader.thresholds = replace(reader.thresholds, answer=together - 0.001, clarify=second.confidence - 0.001)
    stage.reader = reader
    reading = reader.read("下错单了想改")
    assert (reading.decision, reading.entry, reading.also) == ("answer", best.entry_id, (second.entry_id,))
    assert "\n\n" in Talk(stage).say("下错单了想改")


def test_who_may_mean_one_thing_less_surely_than_an_answer_needs_is_asked(stage: Stage) -> None:
    best, second = stage.reader.matcher.match("下错单了想改")[:2]
    reader = copy.copy(stage.reader)
    together = best.confidence + second.confidence
    reader.thresholds = replace(reader.thresholds, answer=together + 0.001, clarify=second.confidence - 0.001)
    assert reader.read("下错单了想改").decision == "clarify"
