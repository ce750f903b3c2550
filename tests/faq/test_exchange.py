from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

import pytest

from faq import exchange
from faq.exchange import Exchange, UnusableTable
from faq.knowledge import Entry, Knowledge

SKILLS, FIGURES = frozenset({"order_status"}), frozenset({"leader"})
KNOWLEDGE = Knowledge(
    [
        Entry("refund", "退款多久到账？", ("钱几时退",), answer="三天。", elder="三天。", group="三天。"),
        Entry("status", "我的订单到哪了？", ("东西到了没",), skill="order_status"),
    ]
)
HEADER = ("question", "answer", "variants")


def read(*rows: Sequence[Any], knowledge: Knowledge = KNOWLEDGE) -> Exchange:
    return exchange.read(enumerate(rows, 1), knowledge, SKILLS, FIGURES)


def test_what_is_written_out_is_read_again_without_loss() -> None:
    entries = (
        Entry(
            "all@x", "=1+1 怎么算", ("-减", "#号,逗号", '引"号'), answer="第一行\n第二行 {leader}", elder="'短",
            group="@大家", communities=("x", "y"),
        ),
        Entry("hi", "你好", ("+1",), skill="order_status", courtesy=True),
        Entry("all", "就一句", answer="好。"),
    )  # fmt: skip
    assert exchange.read(enumerate(exchange.rows_of(entries), 1), Knowledge(()), SKILLS, FIGURES).new == entries


def test_three_columns_are_enough_and_the_id_is_made_from_the_question() -> None:
    found = read(HEADER, ("能送货上门吗？", "可以，加 3 元。", "上门送吗\n\n 送到家不 "))
    assert found.new == (Entry("能送货上门吗", "能送货上门吗？", ("上门送吗", "送到家不"), answer="可以，加 3 元。"),)
    assert [entry.id for entry in found.absent] == ["refund", "status"]


def test_chinese_headings_are_understood_and_others_are_named() -> None:
    found = read(("分类", "标准问题", "相似问法", "答案"), ("x", "能开发票吗", "开票", "能。"))
    assert found.new[0].variants == ("开票",)
    assert found.ignored == ("分类",)


def test_a_foreign_table_adds_phrasings_and_its_answer_is_not_contradicted_by_old_forms() -> None:
    ((_, entry),) = read(HEADER, ("退款多久到账", "七天。", "退钱几天")).changed
    assert entry == Entry("refund", "退款多久到账", ("退款多久到账？", "钱几时退", "退钱几天"), answer="七天。")


def test_a_row_with_an_id_says_all_the_phrasings() -> None:
    ((_, entry),) = read((*HEADER, "id"), ("退款多久到账？", "三天。", "退钱几天", "refund")).changed
    assert (entry.variants, entry.elder) == (("退钱几天",), "三天。")


def test_an_unchanged_table_changes_nothing() -> None:
    found = exchange.read(enumerate(exchange.rows_of(KNOWLEDGE.written), 1), KNOWLEDGE, SKILLS, FIGURES)
    assert (found.new, found.changed, found.unchanged, found.absent) == ((), (), 2, ())


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("", "答", ""), "no question"),
        (("问", "", ""), "neither an answer nor a skill"),
        (("=HYPERLINK(1)", "答", ""), "question holds a formula"),
        (("问", "在{nowhere}取", ""), "no variable {nowhere}"),
        (("问", "{refund_days}到", ""), "names {refund_days}, which policy.yaml does not hold"),
        (("问", "密码 ${HOME}", ""), "from the environment"),
        (("问" * 501, "答", ""), "501 characters"),
        (("问", "答" * 5001, ""), "5001 characters"),
        (("我的订单到哪了", "看小程序。", ""), "both an answer and a skill"),
        (("问", "#REF!", ""), "answer holds the spreadsheet's error #REF!"),
        (("问", "答", "好\n#N/A"), "variants holds the spreadsheet's error #N/A"),
    ],
)
def test_a_bad_row_is_named_and_the_others_go_in(row: Sequence[str], reason: str) -> None:
    found = read(HEADER, row, ("好问题", "好答案", ""))
    assert [number for number, _ in found.refused] == [2]
    assert reason in found.refused[0][1]
    assert [entry.question for entry in found.new] == ["好问题"]


def test_the_same_question_twice_is_refused_unless_it_is_asked_elsewhere() -> None:
    found = read(
        (*HEADER, "communities"),
        ("几点取", "四点", "", "a"),
        ("几点取？", "五点", "", "b"),
        ("几点取", "六点", "", "a"),
    )
    assert [entry.id for entry in found.new] == ["几点取", "几点取-2"]
    assert [number for number, _ in found.refused] == [4]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([], "no header"),
        ([HEADER], "no rows"),
        ([("question", "notes"), ("问", "答")], "the header"),
        ([("常见问题 2026", None), ("问题", "答案")], "it holds 常见问题 2026"),
        ([("question", "问题", "answer"), ("问", "问", "答")], "two columns mean question"),
        ([HEADER, *[("问", "答", "")] * (exchange.MOST_ENTRIES + 1)], "more than 20,000"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(rows: list[Sequence[str]], problem: str) -> None:
    with pytest.raises(UnusableTable, match=problem):
        read(*rows)


def test_numbers_days_and_hours_in_cells_are_read_as_they_are_seen() -> None:
    assert read(HEADER, (12315.0, 12315, 3)).new == (Entry("12315", "12315", ("3",), answer="12315"),)
    (entry,) = read(HEADER, ("几点开门", time(8, 30), datetime(2026, 11, 20))).new
    assert (entry.answer, entry.variants) == ("8:30", ("2026-11-20",))


def test_headings_with_remarks_and_several_columns_of_phrasings_are_understood() -> None:
    header = ("标准问题*", "答案（必填）", "相似问1", "相似问 2", "Variants")
    found = read(header, ("能开发票吗", "能。", "开票", "", "要发票\n发票呢"))
    assert (found.new[0].variants, found.ignored) == (("开票", "要发票", "发票呢"), ())


def test_rows_below_a_merged_question_add_to_its_phrasings() -> None:
    found = read(
        HEADER,
        ("能停车吗", "能。", "车停哪"),
        (None, None, "有车位没"),
        (" ", "", "停车场在哪"),
        ("几点开门", "八点。", "开门"),
    )
    assert [entry.variants for entry in found.new] == [("车停哪", "有车位没", "停车场在哪"), ("开门",)]
    assert (found.total, found.refused) == (2, ())


def test_phrasings_below_a_refused_row_and_above_any_are_refused_with_their_own_numbers() -> None:
    found = read(HEADER, (None, None, "谁的"), ("坏行", "", ""), (None, None, "坏行的"))
    assert [(number, "no question" in reason) for number, reason in found.refused] == [(2, True), (3, False), (4, True)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("hours@sun", "几点取", "九点", "sun"), "stands for no entry"),
        (("refund@sun", "几天到账", "九天", ""), "stands for no entry"),
        (("refund@two", "几天到账", "九天", "river\nsun"), "another entry stands for the same one in sun"),
    ],
)
def test_an_entry_of_one_community_that_stands_for_none_or_for_one_that_is_taken_is_refused(
    row: Sequence[str], reason: str
) -> None:
    taken = Entry("refund@one", "阳光几天到账", answer="八天", communities=("sun",))
    header = ("id", "question", "answer", "communities")
    knowledge = Knowledge([*KNOWLEDGE.written, taken])
    found = read(header, row, ("refund@lake", "湖里几天到账", "七天", "lake"), knowledge=knowledge)
    assert [number for number, _ in found.refused] == [2]
    assert reason in found.refused[0][1]
    assert [entry.id for entry in found.new] == ["refund@lake"]
