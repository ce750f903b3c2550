"""Entries that hold in one community instead of a general one, and what is added after the files were written."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from config.errors import ConfigError
from faq.knowledge import Addition, Entry, Knowledge
from faq.matching import Matcher

Load = Callable[[str], Knowledge]

GENERAL = "- {id: hours, question: 几点可以取货？, variants: [什么时候能拿, 取货时间], answer: 下午四点到八点。}\n"
SUNSHINE = "- {id: hours@sunshine, question: 阳光花园几点取, answer: 晚上九点前。, communities: [sunshine]}\n"


def test_each_community_is_told_what_holds_there(load: Load) -> None:
    knowledge = load(GENERAL + SUNSHINE)
    assert knowledge.answer_for("hours", "plain", {}, "sunshine") == "晚上九点前。"
    assert knowledge.answer_for("hours", "plain", {}, "river") == "下午四点到八点。"
    assert knowledge.answer_for("hours", "plain", {}) == "下午四点到八点。"


def test_the_same_question_with_communities_stands_in_without_any_mark_in_its_id(load: Load) -> None:
    knowledge = load(GENERAL + "- {id: late, question: 几点可以取货, answer: 九点前。, communities: [sunshine]}")
    assert knowledge.answer_for("hours", "plain", {}, "sunshine") == "九点前。"
    assert knowledge.held_in("hours", "sunshine").id == "late"


def test_a_stand_in_takes_no_certainty_from_the_general_entry_and_lends_its_phrasings(load: Load) -> None:
    other = "- {id: refund, question: 退款多久到账, variants: [钱几时退回来, 退的钱到了吗], answer: 三天。}\n"
    alone, together = load(GENERAL + other), load(GENERAL + SUNSHINE + other)
    assert [entry.id for entry in together] == ["hours", "refund"]
    assert "阳光花园几点取" in together["hours"].phrasings
    for community in ("sunshine", "river", None):
        best = Matcher(together).match("取货时间", community)[0]
        assert best.entry_id == "hours"
        assert best.confidence >= Matcher(alone).match("取货时间", community)[0].confidence - 0.05


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- {id: hours@sunshine, question: 问, answer: 答, communities: [sunshine]}", "no answer for all"),
        (GENERAL + "- {id: hours@sunshine, question: 问, answer: 答}", "in no community"),
        (GENERAL + "- {id: hours@x, question: 问, skill: help, communities: [x]}", "in no community"),
        (
            GENERAL + SUNSHINE + "- {id: hours@two, question: 问, answer: 答, communities: [sunshine]}",
            "both stand for hours in sunshine",
        ),
    ],
)
def test_a_stand_in_for_nothing_is_refused(load: Load, text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        load(text)


def test_an_approved_phrasing_joins_its_entry_and_changes_the_version(load: Load) -> None:
    knowledge = load(GENERAL)
    more = knowledge.extended([Addition("hours", "啥点儿能取"), Addition("hours", "取货时间")])
    assert more["hours"].phrasings == ("几点可以取货？", "什么时候能拿", "取货时间", "啥点儿能取")
    assert knowledge.version != more.version
    assert knowledge.version == load(GENERAL).version


def test_an_approved_entry_is_there_until_the_files_have_it_and_then_theirs_is_the_answer(load: Load) -> None:
    added = [Addition("parking", "能停车吗", "可以。", ("sunshine",)), Addition("parking", "有停车位吗")]
    parking = load(GENERAL).extended(added)["parking"]
    assert parking == Entry("parking", "能停车吗", ("有停车位吗",), answer="可以。", communities=("sunshine",))
    own = GENERAL + "- {id: parking, question: 能停车吗, answer: 停门口。}"
    assert load(own).extended(added)["parking"].answer == "停门口。"


def test_a_phrasing_of_an_entry_that_is_gone_is_left_out(load: Load) -> None:
    assert len(load(GENERAL).extended([Addition("gone", "还在吗")])) == 1
