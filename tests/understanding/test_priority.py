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
        ("我妈在你们门口绊了一跤", "P0"),
        ("碗碎了 扎手", "P0"),
        ("罐子裂了，扎了我手，血流了一地", "P0"),
        ("洗面奶打开用过敏了 能退不", "P0"),
        ("我老伴糖尿病 买的标无糖 一看配料有白砂糖", "P0"),
        ("把我电话写在群里让我去拿货 隐私懂不懂", "P0"),
        ("团长把我电话给卖保险的了", "P0"),
        ("她把我退款的截图发到群里了", "P0"),
        ("有人拿我的号下单", "P0"),
        ("店里那男的翻我的包看我买了啥", "P0"),
        ("我婆婆吃了虾住院了", "P0"),
        ("救命啊快来人", "P0"),
        ("牛奶过期五天了我奶奶喝了一大杯", "P0"),
        ("过期的面包吃了会怎样", None),
        ("地铁卡刷不出来，救命", None),
        ("手腕骨折了提不动，能送上楼吗", None),
        ("救命，这个月的券我怎么领不到", None),
        ("我爸住院了，能让邻居帮我取菜吗", None),
        ("蛋糕里含不含杏仁，孩子过敏很厉害", None),
        ("我电话写在备注里了", None),
        ("把我电话给团长", None),
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
