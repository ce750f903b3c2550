from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from config.errors import ConfigError
from faq.knowledge import Knowledge

Load = Callable[[str], Knowledge]

REFUND = """\
- id: refund-arrival
  question: 退款多久到账？
  variants: [退款什么时候到, 钱怎么还没退回来]
  answer: 退款一般在 {refund_days}原路退回。
  elder: "{refund_days}就到。"
"""


def test_an_entry_is_read_with_all_its_phrasings(load: Load) -> None:
    entry = load(REFUND)["refund-arrival"]
    assert entry.phrasings == ("退款多久到账？", "退款什么时候到", "钱怎么还没退回来")
    assert (entry.line, Path(entry.file).name) == (1, "questions.yaml")


def test_an_answer_is_filled_from_the_values_given(load: Load) -> None:
    knowledge = load(REFUND)
    assert knowledge.answer_for("refund-arrival", "plain", {"refund_days": "3 天"}) == "退款一般在 3 天原路退回。"


def test_a_form_that_is_not_written_falls_back_to_the_plain_answer(load: Load) -> None:
    knowledge = load(REFUND)
    assert knowledge.answer_for("refund-arrival", "elder", {"refund_days": "3 天"}) == "3 天就到。"
    assert knowledge.answer_for("refund-arrival", "group", {"refund_days": "3 天"}).startswith("退款一般")


def test_an_entry_with_a_skill_has_no_answer_to_give(load: Load) -> None:
    knowledge = load("- {id: where, question: 到哪了, skill: order_status}")
    assert knowledge.skill_of("where") == "order_status"
    with pytest.raises(ValueError, match="order_status takes over"):
        knowledge.answer_for("where", "plain", {})


def test_an_entry_bound_to_a_community_serves_only_that_community(load: Load) -> None:
    entry = load("- {id: gate, question: 在哪取, answer: 东门。, communities: [sunshine]}")["gate"]
    assert entry.serves("sunshine")
    assert not entry.serves("river")
    assert not entry.serves(None)


def test_an_unknown_id_has_no_skill_and_is_not_known(load: Load) -> None:
    knowledge = load(REFUND)
    assert not knowledge.knows("nothing")
    assert knowledge.skill_of("nothing") is None
    assert knowledge.skill_of(None) is None


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("id: refund", 1, "not a list of entries"),
        ("- id: a\n  question: 问\n  answer: 答\n- 只有字", 4, "not an entry"),
        ("- id: a\n  question: 问\n  anwser: 答", 3, "no 'anwser'"),
        ("- id: a\n  answer: 答", 1, "no question"),
        ("- question: 问\n  answer: 答", 1, "no id"),
        ("- question: 问\n  id: a b\n  answer: 答", 2, "the id a b holds a blank"),
        ("- id: 取\u3000货\n  question: 问\n  answer: 答", 1, "holds a blank"),
        (f"- id: {'a' * 65}\n  question: 问\n  answer: 答", 1, "has 65 characters, 64 at most"),
        ("- id: a\n  question: 问", 1, "neither an answer nor a skill"),
        ("- id: a\n  question: 问\n  answer: 答\n  skill: help", 1, "both an answer and a skill"),
        ("- id: a\n  question: 问\n  skill: help\n  elder: 短", 4, "has the form elder"),
        ("- id: a\n  question: 问\n  variants: [是, 88]\n  answer: 答", 3, "variants is not a list of texts"),
        ("- id: a\n  question: 12\n  answer: 答", 2, "question is not a text"),
        ("- id: a\n  question: 问\n  answer: 答\n  courtesy: often", 4, "courtesy is neither true nor false"),
        ("- id: a\n  question: 问\n  answer: 到{auto_limit}元", 3, "no variable {auto_limit}"),
        ("- id: a\n  question: 问\n  answer: 在{pickup_plaec}取", 3, "no variable {pickup_plaec}"),
        ("- id: a\n  question: 问\n  answer: 答\n  group: 在{}取", 4, "braces can't be read"),
        ("- id: a\n  question: 问\n  answer: 在{leader", 3, "braces can't be read"),
        ("- id: a\n  question: 问\n  answer: 答\n- id: a\n  question: 另\n  answer: 答", 4, "stands a second time"),
        ("- id: a\n  id: b\n  question: 问\n  answer: 答", 2, "stands twice"),
        ("- id: a\n  question: [问\n", 3, "not valid YAML"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_a_remedy(load: Load, text: str, line: int, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert caught.value.line == line
    assert problem in caught.value.problem
    assert caught.value.remedy


def test_the_same_id_in_two_files_names_both(tmp_path: Path) -> None:
    for name in ("one.yaml", "two.yaml"):
        (tmp_path / name).write_text("- {id: a, question: 问, answer: 答}", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        Knowledge.load(tmp_path.glob("*.yaml"), {})
    assert "one.yaml:1" in caught.value.problem
    assert "two.yaml" in str(caught.value.file)


def test_an_empty_file_holds_no_entry(load: Load) -> None:
    assert len(load("# nothing yet\n")) == 0
