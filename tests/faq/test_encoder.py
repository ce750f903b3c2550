from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from faq.encoder import Encoder, Gist, keep, shipped_encoder
from faq.features import Anatomy, Lexicon
from faq.sounds import sounds_of, spelt
from faq.text import Speech
from understanding.loading import shipped_speech


@pytest.fixture(scope="module")
def speech() -> Speech:
    return shipped_speech()


@pytest.fixture(scope="module")
def anatomy(speech: Speech) -> Anatomy:
    return Anatomy(Lexicon(speech.concepts), Lexicon(speech.sorts), sounds_of(spelt()))


SAME_AND_OTHER = (
    ("退款多久到账", "我那钱啥时候能回到卡里呀", "退款要多少手续费"),
    ("怎么修改收货地址", "门牌号填错了咋换", "怎么修改收货时间"),
    ("可以开发票吗", "单位要报销能给个票不", "可以开门吗"),
    ("怎么取消订单", "不想要了刚买的", "怎么取消关注"),
    ("优惠券怎么用", "领的那个券付钱的时候没抵", "电饭煲怎么用"),
    ("什么时候发货", "下单三天了还没寄出来", "什么时候截止"),
    ("怎么联系人工客服", "叫个真人跟我说", "怎么联系快递员"),
    ("运费多少", "寄到乡下要另外掏邮费不", "保修多少年"),
    ("密码忘了怎么办", "登不上去想不起来当时设的啥", "手机丢了怎么办"),
    ("商品有质量问题怎么退", "用了两天就不转了想还给你们", "商品有优惠怎么领"),
)
"""A question, other words for it, and like words for something else; none of them was trained on."""


def test_other_words_for_the_same_mostly_come_nearer_than_like_words_for_something_else(
    speech: Speech, anatomy: Anatomy
) -> None:
    def gist(text: str) -> Gist:
        return shipped_encoder().gist(anatomy.parts(speech.normalise(text)))

    missed = [
        same for question, same, other in SAME_AND_OTHER
        if gist(question) @ gist(same) <= gist(question) @ gist(other)
    ]  # fmt: skip
    assert len(missed) <= 2, missed


def test_a_gist_has_length_one_and_that_of_strange_signs_is_zero(anatomy: Anatomy) -> None:
    encoder = shipped_encoder()
    assert np.linalg.norm(encoder.gist(anatomy.parts("退款多久到账"))) == pytest.approx(1, abs=1e-5)
    assert not encoder.gist([["\U0001f95d"]]).any()
    assert not encoder.gist([]).any()


def test_what_is_kept_is_read_back_to_a_byte_a_number(tmp_path: Path) -> None:
    vectors = np.array([[1.0, -0.5], [0.001, 0.002]], np.float32)
    keep(tmp_path / "encoder.npz", ["退", "款"], vectors)
    encoder = Encoder.load(tmp_path / "encoder.npz")
    for name, vector in zip(("退", "款"), vectors, strict=True):
        assert encoder.gist([[name]]) == pytest.approx(vector / np.linalg.norm(vector), abs=0.01)


def test_encoders_that_differ_have_different_keys(tmp_path: Path) -> None:
    for name, value in (("one", 1.0), ("two", 2.0)):
        keep(tmp_path / f"{name}.npz", ["退"], np.array([[value, 1.0]], np.float32))
    assert Encoder.load(tmp_path / "one.npz").key != Encoder.load(tmp_path / "two.npz").key


def test_the_sign_of_a_sort_of_goods_does_not_depend_on_the_other_sorts() -> None:
    few = Anatomy(Lexicon({}), Lexicon({"软果": ["草莓"]}), {})
    many = Anatomy(Lexicon({}), Lexicon({"海鲜": ["虾"], "软果": ["草莓"], "奶": ["酸奶"]}), {})
    assert few.parts("草莓") == many.parts("草莓")


def test_the_shipped_encoder_spells_syllables_as_the_product_does(anatomy: Anatomy) -> None:
    """After an update of pypinyin the signs may have moved: then the encoder must be trained anew."""
    heard = [name for kind in anatomy.parts("取货码在哪里看")[3:5] for name in kind]
    known = [name for name in heard if shipped_encoder().gist([[name]]).any()]
    assert len(known) > len(heard) / 2
