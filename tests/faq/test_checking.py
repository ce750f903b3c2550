from __future__ import annotations

from dataclasses import replace

import pytest

from faq.checking import Known, findings_in, thefts_in
from faq.knowledge import Entry, Knowledge
from faq.matching import Matcher
from faq.text import Speech

KNOWN = Known(figures=frozenset(), skills=frozenset({"help"}), communities=frozenset({"sunshine"}))


def findings(*entries: Entry) -> list[str]:
    return [f"{entry.id}: {finding}" for entry, finding in findings_in(Knowledge(entries), Speech(), KNOWN)]


def entry(entry_id: str, *phrasings: str, answer: str = "答", **more: tuple[str, ...]) -> Entry:
    return Entry(entry_id, phrasings[0], phrasings[1:], answer=answer, group=answer, **more)  # type: ignore[arg-type]


def test_phrasings_that_differ_in_small_words_and_are_answered_differently_are_named() -> None:
    found = findings(
        entry("a", "怎么申请退货", "我要退货", "退货流程", answer="一"),
        entry("b", "请问怎么申请退货呢", "想退掉", "换货流程", answer="二"),
    )
    assert len(found) == 1
    assert found[0].startswith("b: '请问怎么申请退货呢' is nearly what a ")


def test_a_word_that_turns_the_question_round_is_no_small_word() -> None:
    assert not findings(
        entry("a", "早上几点开始取货", "开门", "开始", answer="一"),
        entry("b", "早上几点停止取货", "关门", "停止", answer="二"),
    )


def test_nearly_the_same_question_with_the_same_answer_is_no_finding() -> None:
    assert not findings(entry("a", "怎么申请退货", "一", "二"), entry("b", "请问怎么申请退货", "三", "四"))


def test_a_phrasing_that_stands_twice_in_its_entry_is_named_and_counts_once() -> None:
    assert findings(entry("a", "甲", "乙", "甲", "乙")) == [
        "a: only 2 phrasings; write at least 3, the more the better",
        "a: the phrasing '甲' stands twice; keep it once",
        "a: the phrasing '乙' stands twice; keep it once",
    ]


@pytest.mark.parametrize("glued", ["狗能进吗|带宠物", "狗能进吗##带宠物", "狗能进吗；带宠物；遛狗", "一句话" * 21])
def test_phrasings_that_are_glued_together_are_named(glued: str) -> None:
    (found,) = findings(entry("a", "甲", "乙", glued))
    assert "looks like several" in found


def test_a_group_form_that_nobody_reads_to_the_end_is_named() -> None:
    long = replace(entry("a", "甲", "乙", "丙"), group="长" * 151)
    assert findings(long) == ["a: the group form has 151 characters; 150 are enough"]


def test_an_entry_of_one_community_that_asks_what_a_general_one_asks_is_named() -> None:
    here = entry("b", "阳光门", "几点取", "开门", communities=("sunshine",))
    found = findings(entry("a", "几点取", "取货", "拿货"), here)
    assert len(found) == 1
    assert found[0].startswith("b: '几点取' is also a ")


def test_a_community_that_is_not_in_the_people_file_is_named() -> None:
    assert findings(entry("a", "甲", "乙", "丙", communities=("sunshine", "sunshin"))) == [
        "a: there is no community sunshin in people.yaml; nobody will read this entry there"
    ]


def test_entries_that_steal_each_other_s_questions_are_named_with_what_they_lose() -> None:
    places = ("东门", "西门", "南门", "北门", "中门", "侧门", "前门", "后门")
    close = ("打烊", "收摊", "东门几时营业啊", "西门几时营业啊", "闭店", "歇业")
    entries = [
        entry("open", *(f"{place}几时营业{end}" for place in places for end in ("", "呀")), answer="一"),
        entry("close", *close, answer="二"),
        entry("fruit", "苹果甜不甜", "梨子酸不酸", "橘子新不新鲜", "桃子软不软", "葡萄好不好吃", answer="三"),
    ]
    thefts = thefts_in(Knowledge(entries), Matcher)
    assert (thefts[0].entry.id, thefts[0].thief.id) == ("close", "open")
    assert set(thefts[0].phrasings) <= set(close)
    assert "fruit" not in {each.entry.id for each in thefts}
