"""A message that only makes sense after the one before it: "那退款呢", "香蕉呢"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from faq.text import plain
from understanding.slots import SlotReader

_LEANS_ON = re.compile(r"(?:那么|那要是|那如果|那|还有|要是|如果|换成)?(?P<topic>.{1,8}?)(?:呢|的话呢?|又怎么样)?")
_ASKED = re.compile(
    "(?:什么|啥)(?:时候|时间)|几点|几天|几号|多久|多长时间|怎么办|怎么|咋|在?哪(?:里|儿|个)?|多少钱?|为什么|为啥|谁|能不能|可不可以|要不要|有没有|[^\\W\\d]+吗$"
)
"""What the last question wanted to know, whatever it was about."""
_LONGEST = 10
"""Characters; whoever writes more says what is meant."""


def in_context(text: str, history: Sequence[str], slots: SlotReader) -> tuple[str, tuple[str, ...]] | None:
    """What the message is about, and the questions it may stand for; None when it stands for itself.

    Another product takes the place of the one that was asked about. Any other topic is put before the last question,
    or before what that wanted to know.
    """
    said = plain(text)
    leans = said.startswith("那") and not said.endswith("吧")  # "那就补发吧" decides and asks nothing
    if not history or len(said) > _LONGEST or not (leans or said.endswith(("呢", "的话"))):
        return None
    found = _LEANS_ON.fullmatch(said)
    earlier = plain(history[-1])
    if not found or not earlier:
        return None
    topic = found["topic"]
    if slots.only_product(topic) and (product := slots.products.search(earlier)):
        return topic, (earlier[: product.start()] + topic + earlier[product.end() :],)
    asked = _ASKED.search(earlier)
    return topic, (f"{topic}，{earlier}", *([topic + asked[0]] if asked else ()))
