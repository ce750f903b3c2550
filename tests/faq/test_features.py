from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from faq.encoder import shipped_encoder
from faq.features import Anatomy, Lexicon, Postings, Vocabulary
from faq.sounds import sounds_of, spelt

CONCEPTS = Lexicon({"保存": ["放", "放到", "搁"], "后天": ["后天"], "取": ["取", "取货"], "码": ["码", "取货码"]})
GOODS = Lexicon({"菌豆": ["豆腐", "蘑菇"], "面点": ["豆腐包"]})
ANATOMY = Anatomy(CONCEPTS, GOODS, {})


def vocabulary_of(texts: Sequence[str], owners: Sequence[int], most: int = 1000) -> Vocabulary:
    return Vocabulary.of(texts, owners, ANATOMY, shipped_encoder(), most)[0]


def parts(text: str) -> set[str]:
    return set(chain.from_iterable(ANATOMY.parts(text)))


def test_the_longest_word_in_a_place_is_the_one_that_counts() -> None:
    assert CONCEPTS.find("取货码放到后天") == [(0, "取货码"), (3, "放到"), (5, "后天")]
    assert GOODS.find("豆腐包和豆腐") == [(0, "豆腐包"), (4, "豆腐")]


def test_a_word_may_have_several_meanings() -> None:
    assert Lexicon({"码": ["取货码"], "取": ["取货码"]}).meanings["取货码"] == ("码", "取")


def test_other_words_in_another_order_mean_the_same() -> None:
    shared = parts("豆腐能放到后天不") & parts("后天吃蘑菇搁得住么")
    assert {"#保存", "#后天", "#goods", "#保存=菌豆"} <= shared
    assert any("&" in part for part in shared)


def test_products_of_one_sort_look_alike_and_are_still_told_apart() -> None:
    tofu, mushroom, bun = parts("豆腐怎么放"), parts("蘑菇怎么放"), parts("豆腐包怎么放")
    assert tofu - mushroom == {"#保存=豆腐", "#goods=豆腐"}
    assert len(tofu & bun) < len(tofu & mushroom)


def test_parts_that_few_phrasings_hold_give_way_when_there_are_too_many() -> None:
    texts, owners = ["退款多久", "退款几天", "取货时间"], [0, 0, 1]
    everything = vocabulary_of(texts, owners, most=1000)
    assert set(vocabulary_of(texts, owners, most=10).names) < set(everything.names)
    assert "退款" in vocabulary_of(texts, owners, most=10).names


def test_what_no_phrasing_holds_is_not_known() -> None:
    vocabulary = vocabulary_of(["退款多久", "取货时间"], [0, 1])
    assert vocabulary.weigh("退款多久").known == 1
    assert vocabulary.weigh("明朝").known < 0.1


def test_a_long_word_that_was_heard_wrong_is_read_as_the_word_it_sounds_like() -> None:
    anatomy = Anatomy(CONCEPTS, GOODS, sounds_of(spelt()))
    assert anatomy.respelt("去货马是多少") == "取货码是多少"
    assert anatomy.respelt("取货码是多少") == "取货码是多少"
    assert anatomy.respelt("去货是多少") == "去货是多少"


def test_a_text_without_a_known_part_is_like_no_phrasing() -> None:
    vocabulary = vocabulary_of(["取货码在哪", "怎么退款"], [0, 1])
    stored = [vocabulary.weigh(text) for text in ("取货码在哪", "怎么退款")]
    strange = replace(stored[0], places=stored[0].places[:0], weights=stored[0].weights[:0])
    assert Postings.of(stored, len(vocabulary.names)).likeness(strange).tolist() == [0.0, 0.0]
