from __future__ import annotations

import pytest

from understanding.reader import Reader


@pytest.mark.parametrize(
    ("text", "priority"),
    [
        ("吃了你们的虾拉肚子了", "P0"),
        ("老人吃完食物中毒进医院了", "P0"),
        ("孩子吃了嘴肿，过敏了", "P0"),
        ("救命，我妈晕倒了", "P0"),
        ("我爸的降压药断了，急用", "P0"),
        ("送货的推搡我，动手打人", "P0"),
        ("谁把我家地址泄露出去的", "P0"),
        ("箱子里的钉子划伤了手", "P0"),
        ("吃了会拉肚子吗", None),
        ("没有拉肚子", None),
        ("会不会过敏", None),
        ("我怕吃了中毒", None),
        ("苹果烂了三个", "P1"),
        ("等了三个小时还没到", "P1"),
        ("你们太过分了，骗子！", "P1"),
        ("我八十了不会用手机，找个人工", "P1"),
        ("我老了弄不来找个人帮帮我", "P1"),
        ("我包裹丢了你们到底管不管！！", "P1"),
        ("少了一袋土豆", "P2"),
        ("转人工", "P2"),
        ("退款多久到账", None),
        ("谢谢", None),
    ],
)
def test_priority(reader: Reader, text: str, priority: str | None) -> None:
    found = reader.read(text).priority
    assert found == priority or (priority is None and found == "P2" and reader.read(text).decision == "handoff")


def test_danger_is_told_to_staff_in_words(reader: Reader) -> None:
    assert any("拉肚子" in reason for reason in reader.read("吃了拉肚子").why)
