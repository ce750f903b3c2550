from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop import cells
from shop.cells import CellProblem

SHANGHAI = ZoneInfo("Asia/Shanghai")
HALF_PAST_FIVE = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "cell",
    [
        "13800000001", 13800000001, 13800000001.0, "+86 138 0000 0001", "138-0000-0001", "１３８０００００００１",
        '="13800000001"', "'13800000001", "13800000001\t",
    ],
)  # fmt: skip
def test_a_phone_number_is_read_however_the_spreadsheet_kept_it(cell: object) -> None:
    assert cells.phone(cell) == "13800000001"


@pytest.mark.parametrize("cell", ["1380000000", "23800000001", "138000000012", "12800000001", "abc", None, True, 1.5])
def test_what_is_no_mobile_number_is_refused_without_being_repeated(cell: object) -> None:
    with pytest.raises(CellProblem, match="not a mobile number") as caught:
        cells.phone(cell)
    assert cell is None or str(cell) not in str(caught.value)


def test_a_phone_number_shortened_by_the_spreadsheet_is_named_as_such() -> None:
    with pytest.raises(CellProblem, match="format the column as text"):
        cells.phone("1.38E+10")


def test_an_order_number_that_the_spreadsheet_rounded_is_refused() -> None:
    assert cells.code(202611180010001, 64) == "202611180010001"
    for rounded in (20261118001000123, 2.0261118001e16, "2.02611E+16"):
        with pytest.raises(CellProblem, match="as text"):
            cells.code(rounded, 64)


@pytest.mark.parametrize(
    "cell",
    [
        "2026-11-20 17:30", "2026/11/20 17:30:00", "2026.11.20 17:30", "2026年11月20日 17:30",
        "2026-11-20T17:30:00+08:00", "2026-11-20T09:30:00Z", "2026-11-20 09:30:00.123 +0000",
        datetime(2026, 11, 20, 17, 30), "２０２６-11-20 17：30",
    ],
)  # fmt: skip
def test_times_are_read_in_the_shop_s_zone_unless_they_name_their_own(cell: object) -> None:
    assert cells.moment(cell, SHANGHAI) == HALF_PAST_FIVE


def test_a_date_alone_is_its_first_minute() -> None:
    midnight = datetime(2026, 11, 19, 16, 0, tzinfo=UTC)
    assert cells.moment("2026/11/20", SHANGHAI) == midnight
    assert cells.moment(date(2026, 11, 20), SHANGHAI) == midnight
    assert cells.moment("", SHANGHAI) is None


@pytest.mark.parametrize(
    "cell",
    ["2026-13-01", "2026-02-30", "20.11.2026", "tomorrow", "2026-11-20 25:00", "1926-11-20", "2026-11-2017:30", 46346.7,
     "2026-11-20 10:00 +99:00"],
)  # fmt: skip
def test_a_bad_date_is_refused(cell: object) -> None:
    with pytest.raises(CellProblem):
        cells.moment(cell, SHANGHAI)


@pytest.mark.parametrize(("cell", "fen"), [(22.8, 2280), (22.799999999999997, 2280), (3, 300), ("22.80", 2280), (0, 0)])
def test_amounts_are_whole_fen(cell: object, fen: int) -> None:
    assert cells.amount(cell) == fen


@pytest.mark.parametrize("cell", [-1, "-3.00", 22.805, "22.8.0", "abc", float("nan"), float("inf"), 1e300, True])
def test_a_negative_or_garbled_amount_is_refused(cell: object) -> None:
    with pytest.raises(CellProblem, match=r"amount|negative"):
        cells.amount(cell)


@pytest.mark.parametrize("cell", [0, -2, "0.000", "two", "1.2345", 1e9])
def test_a_quantity_is_more_than_nothing(cell: object) -> None:
    with pytest.raises(CellProblem):
        cells.quantity(cell)


@pytest.mark.parametrize("cell", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3+cmd|x", "-SUM(A1)", '="=1"', "＝1+1"])
def test_a_formula_is_refused_as_a_code_and_never_run(cell: str) -> None:
    with pytest.raises(CellProblem, match="formula"):
        cells.code(cell, 64)


def test_a_product_that_only_begins_with_a_sign_is_no_formula() -> None:
    assert cells.text("-18℃冷冻虾仁", 120) == "-18℃冷冻虾仁"


def test_a_remark_that_a_spreadsheet_would_run_is_kept_behind_a_quote() -> None:
    assert cells.note("@团长 放门口") == "'@团长 放门口"
    assert cells.note("放门口") == "放门口"


def test_text_loses_what_cannot_be_seen() -> None:
    assert cells.text("\ufeff红富士\u200b苹果\x00\n 5斤\u3000装\x1b[31m", 120) == "红富士苹果 5斤 装 [31m"


def test_a_spreadsheet_s_error_value_is_no_text() -> None:
    with pytest.raises(CellProblem, match="spreadsheet error"):
        cells.text("#N/A", 120)


def test_an_account_needs_channel_and_id() -> None:
    assert cells.channel_account("oa:oABC") == ("oa", "oABC")
    assert cells.channel_account("oa：oABC") == ("oa", "oABC")
    assert cells.channel_account("") is None
    for wrong in ("oABC", "oa:", ":x", "x" * 65 + ":y"):
        with pytest.raises(CellProblem):
            cells.channel_account(wrong)


@given(st.one_of(st.text(), st.floats(), st.integers(), st.booleans(), st.datetimes(), st.dates(), st.none()))
def test_no_cell_does_worse_than_being_refused(cell: object) -> None:
    readers = (
        cells.phone, cells.amount, cells.quantity, cells.yes_or_no, cells.channel_account, cells.note,
        lambda one: cells.moment(one, SHANGHAI), lambda one: cells.code(one, 64), lambda one: cells.text(one, 64),
    )  # fmt: skip
    for read in readers:
        try:
            value = read(cell)
        except CellProblem:
            continue
        assert not isinstance(value, str) or ("\0" not in value and value == value.strip())
