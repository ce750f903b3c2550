from __future__ import annotations

from typing import Any

import pytest

from understanding.amounts import number_of
from understanding.reader import Reader


@pytest.mark.parametrize(
    ("text", "slot", "value"),
    [
        ("我的苹果烂了", "product", "苹果"),
        ("红富士不甜", "product", "红富士"),
        ("买了三斤虾", "quantity", {"said": "三斤", "number": 3, "unit": "斤"}),
        ("坏了两个", "quantity", {"said": "两个", "number": 2, "unit": "个"}),
        ("要12盒", "quantity", {"said": "12盒", "number": 12, "unit": "盒"}),
        ("一斤半排骨", "quantity", {"said": "一斤半", "number": 1.5, "unit": "斤"}),
        ("烂了一半", "share", {"said": "一半", "number": 0.5}),
        ("全都坏了", "share", {"said": "全部", "number": 1.0}),
        ("坏了三分之一", "share", {"said": "三分之一", "number": 0.33}),
        ("两成是坏的", "share", {"said": "两成", "number": 0.2}),
        ("有30%是烂的", "share", {"said": "30%", "number": 0.3}),
        ("6个苹果坏了3个", "share", {"said": "6个里的3个", "number": 0.5}),
        ("昨天取的", "date", {"said": "昨天", "days_ago": 1}),
        ("三天前买的", "date", {"said": "三天前", "days_ago": 3}),
        ("3月5日下的单", "date", {"said": "3月5日"}),
        ("上周三取的货", "date", {"said": "上周三"}),
        ("订单号是20261105001", "order_no", "20261105001"),
        ("A20261105001 到哪了", "order_no", "A20261105001"),
    ],
)
def test_a_slot_keeps_what_was_said_and_its_number(reader: Reader, text: str, slot: str, value: Any) -> None:
    assert reader.read(text).slots.get(slot) == value


@pytest.mark.parametrize(
    ("text", "slot"),
    [
        ("我的手机是13800000001", "order_no"),
        ("等了两个小时", "quantity"),
        ("我们三个人", "quantity"),
        ("周围都没有", "date"),
        ("3号楼", "date"),
        ("你好", "product"),
    ],
)
def test_what_is_no_slot_is_left_alone(reader: Reader, text: str, slot: str) -> None:
    assert slot not in reader.read(text).slots


def test_a_known_product_name_goes_before_the_lexicon(reader: Reader) -> None:
    assert reader.read("阿克苏苹果坏了", products=["阿克苏苹果", "梨"]).slots["product"] == "阿克苏苹果"


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("三", 3),
        ("十", 10),
        ("十二", 12),
        ("二十五", 25),
        ("一百二十", 120),
        ("半", 0.5),
        ("七八", 7.5),
        ("3.5", 3.5),
        ("斤", None),
    ],
)
def test_spoken_numbers_are_read(said: str, number: float | None) -> None:
    assert number_of(said) == number
