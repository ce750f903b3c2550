from __future__ import annotations

import pytest

from faq.near_misses import NearMisses

TEXTS = ["退款多久到账", "退款几天能到", "草莓退款到哪了", "团长今天在不在", "团长电话多少", "取货码在哪里看", "取货码"]
OWNERS = [0, 0, 0, 1, 1, 2, 2]
MADE = NearMisses(TEXTS, OWNERS, bare={"草莓"})


@pytest.mark.parametrize(("number", "word"), [(0, "退款"), (1, "退款"), (3, "团长"), (4, "团长")])
def test_the_telling_word_gives_way_to_that_of_another_entry(number: int, word: str) -> None:
    made = MADE.of(number)
    assert made is not None
    assert word not in made
    assert made.endswith(TEXTS[number].removeprefix(word))


def test_names_of_goods_stay() -> None:
    assert "草莓" in (MADE.of(2) or "")


def test_a_text_that_is_hardly_more_than_the_word_makes_none() -> None:
    assert MADE.of(6) is None


def test_the_same_phrasings_give_the_same() -> None:
    again = NearMisses(TEXTS, OWNERS, bare={"草莓"})
    assert [again.of(number) for number in range(len(TEXTS))] == [MADE.of(number) for number in range(len(TEXTS))]


def test_one_entry_alone_makes_none() -> None:
    assert NearMisses(TEXTS[:2], [0, 0], bare=()).of(0) is None
