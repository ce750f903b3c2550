"""How much is bad, in the words of residents."""

from __future__ import annotations

import pytest

from understanding.shares import Share, share_of


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("昨天的苹果烂了一半", Share("一半", 0.5)),
        ("烂了1半", Share("一半", 0.5)),
        ("有一半的苹果都烂了", Share("一半", 0.5)),
        ("一大半都坏了", Share("一大半", 0.6)),
        ("橘子坏了一小半", Share("一小半", 0.4)),
        ("三个坏了两个", Share("3个里的2个", 2 / 3)),
        ("三个火龙果坏了两个，我也是服了", Share("3个里的2个", 2 / 3)),
        ("4个火龙果2个烂的，跟客服说了也不回", Share("4个里的2个", 0.5)),
        ("买了6个坏了3个", Share("6个里的3个", 0.5)),
        ("12个苹果，3个烂的，一个有压痕", Share("12个里的3个", 0.25)),
        ("六个有一个是坏的 其他的也不新鲜", Share("6个里的1个", 1 / 6)),
        ("很小的三个，并且有一个是坏的", Share("3个里的1个", 1 / 3)),
        ("那袋橙子十个烂三个", Share("10个里的3个", 0.3)),
        ("苹果买10坏3", Share("10个里的3个", 0.3)),
        ("坏了两个，一共五个", Share("5个里的2个", 0.4)),
        ("十个里只有两个好的", Share("10个里的8个", 0.8)),
        ("两箱牛奶有一箱漏了", Share("2箱里的1箱", 0.5)),
        ("五斤少了一斤", Share("5斤里的1斤", 0.2)),
        ("三斤只有两斤", Share("1斤", 1 / 3)),
        ("标注20个实际只收到11个", Share("9个", 0.45)),
        ("全烂了", Share("全部", 1.0)),
        ("四个都是坏的", Share("全部", 1.0)),
        ("没一个好的", Share("全部", 1.0)),
        ("一个好的都没有", Share("全部", 1.0)),
        ("昨天买的三斤苹果都烂了", Share("全部", 1.0)),
        ("大概三分之一", Share("三分之一", 1 / 3)),
        ("几乎三分二都有因为碰伤而烂掉的", Share("三分之二", 2 / 3)),
        ("三分之二是好的", Share("3分之1", 1 / 3)),
        ("1/3坏了", Share("3分之1", 1 / 3)),
        ("30%", Share("30%", 0.3)),
        ("３０％坏了", Share("30%", 0.3)),
        ("百分之三十坏了", Share("30%", 0.3)),
        ("三成都是烂的", Share("三成", 0.3)),
        ("七八成坏了", Share("七八成", 0.75)),
        ("坏了两斤", Share("两斤")),
        ("少了二两", Share("二两")),
        ("少发了一袋", Share("一袋")),
        ("坏了俩", Share("俩")),
        ("烂了好几个", Share("好几个")),
        ("都坏了三个了", Share("三个")),
        ("不是全坏，就坏了几个", Share("几个")),
        ("一箱坏了三个", Share("三个")),
        ("我昨天拿的那个苹果啊打开一看烂了有四五个", Share("四五个")),
        ("个就2个是好的", Share("除2个以外的全部")),
    ],
)
def test_what_is_bad_is_read_from_any_sentence(text: str, share: Share) -> None:
    read = share_of(text)
    assert read is not None
    assert read.text == share.text
    assert read.ratio == pytest.approx(share.ratio)


@pytest.mark.parametrize(
    "text",
    [
        "苹果烂了",
        "昨天买了三斤苹果烂了",
        "买了三个苹果坏了",
        "第二个苹果还烂了",
        "坏了多少我没数",
        "每次买都烂",
        "11/20买的苹果烂了",
        "坏了两天了",
        "八成新",
        "等了一半天",
        "退款多久到账",
        "",
    ],
)
def test_numbers_that_say_something_else_are_no_share(text: str) -> None:
    assert share_of(text) is None


@pytest.mark.parametrize(
    ("text", "words", "ratio"),
    [
        ("3", "3个", None),
        ("就一两个", "一两个", None),
        ("两斤", "两斤", None),
        ("半斤吧", "半斤", None),
        ("一点点", "一点点", None),
        ("三个", "三个", None),
        ("都坏了", "全部", 1.0),
        ("全部", "全部", 1.0),
        ("差不多俩", "俩", None),
        ("说不清", "一些（没细数）", None),
    ],
)
def test_the_answer_to_how_much_needs_no_word_of_what_is_wrong(text: str, words: str, ratio: float | None) -> None:
    assert share_of(text, asked=True) == Share(words, ratio)


def test_a_bare_amount_that_nobody_asked_for_is_no_share() -> None:
    assert share_of("两斤") is None
