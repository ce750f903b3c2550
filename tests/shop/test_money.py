from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.money import MOST_FEN, format_yuan, parse_yuan


def test_an_amount_is_read_with_two_decimals_and_its_unit() -> None:
    assert format_yuan(2280) == "22.80 元"
    assert format_yuan(5) == "0.05 元"
    assert format_yuan(-150) == "-1.50 元"


@pytest.mark.parametrize(
    ("text", "fen"),
    [("12.5", 1250), ("12", 1200), ("¥1,280.00", 128000), ("￥9.9", 990), ("２２．８０元", 2280), (" 22.80 元 ", 2280)],
)
def test_amounts_are_understood_as_people_write_them(text: str, fen: int) -> None:
    assert parse_yuan(text) == fen


@pytest.mark.parametrize(
    "text", ["", "-1", "1.234", "1e3", "十元", "12.5.1", "1,2", "12 34", "10000000.01", "9" * 1000, "٣", "+5", "NaN"]
)
def test_anything_else_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="yuan"):
        parse_yuan(text)


@given(st.integers(0, MOST_FEN))
def test_what_is_shown_is_read_back_as_the_same_amount(fen: int) -> None:
    assert parse_yuan(format_yuan(fen)) == fen


@given(st.text())
def test_no_text_does_worse_than_being_refused(text: str) -> None:
    try:
        assert 0 <= parse_yuan(text) <= MOST_FEN
    except ValueError as error:
        assert "yuan" in str(error)  # noqa: PT017
