"""What a text does: ask, tell, want something."""

from __future__ import annotations

import re

from faq.text import plain

_ASKS = re.compile(
    r"[?？]|[吗么呢]|怎么|咋|如何|怎样|多少|多久|多长|几|什么|啥|哪|谁|为何|能不能|可不可以|有没有|是不是|([^\W\d]{1,2})不\1|(能|行|可以|好|成|常|对|是|有)不$|没$|有没得|还是|规定|规则"
)
_TELLS = re.compile(
    r"我(的|们|家|买|收|这|订|昨|今|刚|都|已)|收到|买的|买了|送来|拿到|到手|回家|打开|今天|昨天|前天|刚才?|这(次|批|箱|袋|份|盒)|你们(送|发|给|卖)|竟|居然"
    r"|\d|[一二两三四五六七八九十半几](个|颗|斤|箱|袋|盒|半|份|次)|一半|[!！]{2}|有股|怪味|异味|臭"
)
_WANTS = re.compile(
    r"帮|请|要|想|麻烦|让|叫|找|替|查|改|换|退|赔|补|取|买|订|送|货|单|款|钱|券|码|群|催|给我|跟我|把我|告诉|通知|客服|平台|商家|店|不能|不行|没法|问题"
)


def asks(text: str) -> bool:
    """Whether the text has the form of a question."""
    return bool(_ASKS.search(text))


def tells(text: str) -> bool:
    """Whether the text speaks of something that happened to the resident, and not of the rules."""
    return bool(_TELLS.search(text))


def wants(text: str) -> bool:
    """Whether the text may want something of the shop; small talk ("今天天气不错") and sighs ("啊？") do not."""
    said_something = len(plain(text)) > 2
    return said_something and (asks(text) or bool(_WANTS.search(text)))
