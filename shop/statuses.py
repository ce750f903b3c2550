"""The states of an order line and how people call them."""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal

Status = Literal["paid", "shipping", "arrived", "picked_up", "cancelled", "refunded"]

STATUS_WORDS: MappingProxyType[str, str] = MappingProxyType(
    {
        "paid": "待发货",
        "shipping": "配送中",
        "arrived": "已到自提点",
        "picked_up": "已取货",
        "cancelled": "已取消",
        "refunded": "已退款",
    }
)

# What other shops' exports write for the same.
_SYNONYMS = {
    "paid": ("已付款", "已支付", "待配送", "备货中"),
    "shipping": ("已发货", "运输中", "待收货"),
    "arrived": ("已到货", "待自提", "待取货", "已到站"),
    "picked_up": ("已自提", "已提货", "已完成", "picked up"),
    "cancelled": ("canceled", "已关闭"),
    "refunded": ("退款成功",),
}

_BY_WORD = {word: status for status, words in STATUS_WORDS.items() for word in (status, words, *_SYNONYMS[status])}


def status_of(word: str) -> str | None:
    """The status that a Chinese or English word names, None when it names none."""
    return _BY_WORD.get(word.strip().lower())
