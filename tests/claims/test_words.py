"""What residents mean by a few words in the middle of the conversation."""

from __future__ import annotations

import pytest

from claims.wishes import adds_nothing, wish_of
from claims.words import (
    asks_how_to_send,
    choice_of,
    has_no_photo,
    later,
    none_of_them,
    not_this,
    photos_done,
    says_nothing,
    wants_out,
)


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("退款", "refund"),
        ("退钱吧", "refund"),
        ("赔钱", "refund"),
        ("给我退了吧", "refund"),
        ("可以退钱吗", "refund"),
        ("昨天的苹果烂了一半，退钱吧", "refund"),
        ("算了退钱吧", "refund"),
        ("不要券 要退钱", "refund"),
        ("退一半的钱", "refund"),
        ("换货", "replacement"),
        ("给我换一箱", "replacement"),
        ("补发", "replacement"),
        ("补一袋给我", "replacement"),
        ("重新送", "replacement"),
        ("再送一箱来", "replacement"),
        ("不要退款，给我换", "replacement"),
        ("少的补给我", "replacement"),
        ("优惠券", "coupon"),
        ("给张券", "coupon"),
        ("红包也行", "coupon"),
    ],
)
def test_a_wish_is_read_from_any_sentence(text: str, wish: str) -> None:
    assert wish_of(text) == wish


@pytest.mark.parametrize(
    "text",
    ["退款多久到账", "退款到了没", "坏果怎么赔", "券用不了", "懒得退了", "能换自提点吗", "1", "都行", "苹果烂了"],
)
def test_talk_of_money_is_no_wish(text: str) -> None:
    assert wish_of(text) is None


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("1", "refund"),
        ("2", "replacement"),
        ("③", "coupon"),
        ("第一个", "refund"),
        ("选二", "replacement"),
        ("券吧", "coupon"),
        ("都行", "any"),
        ("你们看着办", "any"),
    ],
)
def test_the_choices_of_a_wish_are_answered_by_number_or_word(text: str, wish: str) -> None:
    assert wish_of(text, asked=True) == wish


@pytest.mark.parametrize(
    "text",
    ["好了", "没了", "没有了", "没有了没有了", "就这些", "就这几张", "发完了", "OK", "就一张", "不用了", "没别的了"],
)
def test_the_end_of_the_photos_is_heard(text: str) -> None:
    assert photos_done(text)


@pytest.mark.parametrize("text", ["还有两张", "等一下", "我去拍", "苹果", "坏了一半", "嗯", "取消"])
def test_other_words_do_not_end_the_photos(text: str) -> None:
    assert not photos_done(text)


@pytest.mark.parametrize("text", ["取消", "取消吧", "算了", "算了吧", "不用了谢谢", "不弄了", "不退了", "取消申请"])
def test_somebody_who_wants_out_gets_out(text: str) -> None:
    assert wants_out(text)


@pytest.mark.parametrize("text", ["取消订单", "怎么取消订单", "算了退钱吧", "我不要了", "换货算了", "好了"])
def test_longer_sentences_are_no_way_out(text: str) -> None:
    assert not wants_out(text)


@pytest.mark.parametrize("text", ["不会拍照", "不会弄照片", "没照片", "已经扔了", "都扔掉了", "发不了图", "老人机"])
def test_somebody_without_a_photo_is_heard(text: str) -> None:
    assert has_no_photo(text)


def test_no_alone_means_no_photo_only_as_an_answer_to_that_question() -> None:
    assert has_no_photo("没有", asked=True)
    assert not has_no_photo("没有")
    assert not has_no_photo("好了", asked=True)


@pytest.mark.parametrize(
    ("text", "chosen"),
    [("1", 1), ("第一个", 1), ("第2个吧", 2), ("选 3", 3), ("是第二个", 2), ("最后一个", 5), ("④", 4)],
)
def test_a_number_chooses(text: str, chosen: int) -> None:
    assert choice_of(text, 5) == chosen


@pytest.mark.parametrize("text", ["6", "0", "苹果", "两个", "2个坏了", "13800000001"])
def test_what_is_not_on_the_list_chooses_nothing(text: str) -> None:
    assert choice_of(text, 5) is None


def test_small_turns_of_speech_are_told_apart() -> None:
    assert later("等一下，我去拍")
    assert asks_how_to_send("怎么发照片啊")
    assert not_this("不是这个，是梨")
    assert not not_this("是的")
    assert none_of_them("都不是")
    assert not none_of_them("苹果")
    assert says_nothing("嗯嗯好的")
    assert not says_nothing("好的退款")
    assert adds_nothing("好了")
    assert adds_nothing("那就退款吧")
    assert not adds_nothing("好的")
    assert not adds_nothing("退款多久到账")
