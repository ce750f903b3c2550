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


def in_context(text: str, history: Sequence[str], slots: SlotReader) -> tuple[str, str] | None:
    """What the message is about, and the question it stands for; None when it stands for itself.

    Another product takes the place of the one that was asked about; of any other topic the same is asked.
    """
    said = plain(text)
    if not history or len(said) > _LONGEST or not (said.startswith("那") or said.endswith(("呢", "的话"))):
        return None
    found = _LEANS_ON.fullmatch(said)
    earlier = plain(history[-1])
    if not found or not earlier:
        return None
    topic = found["topic"]
    if slots.only_product(topic) and (product := slots.products.search(earlier)):
        return topic, earlier[: product.start()] + topic + earlier[product.end() :]
    asked = _ASKED.search(earlier)
    return topic, f"{topic}{asked[0]}" if asked else f"{topic}，{earlier}"
