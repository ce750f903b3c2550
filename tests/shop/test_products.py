from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.orders import OrderLine, matching_lines
from tests.shop.conftest import NOW

PRODUCTS = (
    ("红富士苹果", "5斤装"), ("西红柿", "2斤"), ("千禧圣女果", "1斤"), ("鲜鸡蛋", "30枚"), ("海南香蕉", "3斤"),
    ("甜玉米", "4根"), ("东北大米", "5kg"), ("鲜活基围虾", "500g"),
)  # fmt: skip


def line(number: int, product: str, spec: str) -> OrderLine:
    return OrderLine(number, f"A{number}", product, spec, 1, None, "", 1, 100, "arrived", "", NOW, None, None, {})


LINES = tuple(line(number, *product) for number, product in enumerate(PRODUCTS))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("苹果", ["红富士苹果"]), ("红富士", ["红富士苹果"]), ("红富士苹果 5斤装", ["红富士苹果"]),
        ("番茄", ["西红柿"]), ("小番茄", ["千禧圣女果"]), ("土鸡蛋", ["鲜鸡蛋"]), ("进口香蕉", ["海南香蕉"]),
        ("洪富士苹果", ["红富士苹果"]), ("虾", ["鲜活基围虾"]), ("大米", ["东北大米"]), ("玉米", ["甜玉米"]),
        ("30 枚", ["鲜鸡蛋"]), ("ＫＧ", ["东北大米"]),
    ],
)  # fmt: skip
def test_said_products_find_their_line(said: str, meant: list[str]) -> None:
    assert [found.product for found in matching_lines(LINES, said)] == meant


@pytest.mark.parametrize("said", ["", "  ", "榴莲", "牛肉", "洗衣液", "梨"])
def test_what_was_not_ordered_finds_nothing(said: str) -> None:
    assert matching_lines(LINES, said) == ()


def test_an_open_word_finds_every_line_it_can_mean() -> None:
    lines = (line(1, "红富士苹果", "5斤装"), line(2, "青苹果", "3斤"), line(3, "香蕉", ""))
    assert matching_lines(lines, "苹果") == lines[:2]
    assert matching_lines(lines, "青苹果") == lines[1:2]


@given(st.text())
def test_any_words_find_some_of_the_lines_or_none(said: str) -> None:
    assert set(matching_lines(LINES, said)) <= set(LINES)
