from __future__ import annotations

from faq.clusters import clusters_of

ASKED = [
    "买菜可以用医保卡付款吗",
    "猫粮有没有卖",
    "能用医保卡付吗",
    "医保卡可以付款不",
    "有没有猫粮卖",
    "你们卖猫粮吗",
    "附近有充电桩吗",
]


def test_questions_that_ask_the_same_come_together() -> None:
    assert clusters_of(ASKED) == [[0, 2, 3], [1, 4, 5], [6]]


def test_later_questions_do_not_tear_earlier_clusters_apart() -> None:
    before = clusters_of(ASKED[:4])
    after = clusters_of(ASKED)
    assert [cluster[0] for cluster in after][: len(before)] == [cluster[0] for cluster in before]


def test_texts_without_words_make_clusters_of_their_own() -> None:
    assert clusters_of(["", "？？"]) == [[0], [1]]
    assert clusters_of([]) == []
