from __future__ import annotations

import numpy as np
import pytest

from faq.encoder import shipped_encoder
from faq.features import Anatomy, Lexicon, Vocabulary, Weighed
from faq.knowledge import Entry, Knowledge
from faq.learning import Lesson
from faq.matching import Matcher

REFUND = ["退款多久到账", "退的钱几天到", "钱什么时候退"]
PICKUP = ["几点可以取货", "什么时候能取", "取货时间"]
CHATTER = ["今天真热", "吃了吗"]
TEXTS = [*REFUND, *PICKUP, *CHATTER]
OWNERS = [0, 0, 0, 1, 1, 1, 2, 2]
NEAR_MISS = "取货多久到账"
ANATOMY = Anatomy(Lexicon({}), Lexicon({}), {})


@pytest.fixture
def lesson() -> Lesson:
    vocabulary, weighed = Vocabulary.of(TEXTS, OWNERS, ANATOMY, shipped_encoder(), most=1000)
    return Lesson(weighed, np.array(OWNERS, np.int32), len(vocabulary.names), chatter=2)


def near_miss(number: int) -> tuple[str, Weighed] | None:
    vocabulary, _ = Vocabulary.of(TEXTS, OWNERS, ANATOMY, shipped_encoder(), most=1000)
    return (NEAR_MISS, vocabulary.weigh(NEAR_MISS)) if number == 0 else None


def test_a_wording_that_two_entries_share_tells_little() -> None:
    shared = ("东西到了没", "东西怎么还没到")
    entries = [
        Entry("order", "订单到哪了", shared, answer="快了。"),
        Entry("refund", "退款到哪了", shared, answer="快了。"),
    ]
    matcher = Matcher(Knowledge(entries))
    assert matcher.match("订单到哪了")[0].confidence > matcher.match("东西到了没")[0].confidence


def test_every_phrasing_speaks_for_its_own_entry(lesson: Lesson) -> None:
    taught = lesson.taught()
    strongest = [int(taught.evidence(each).features[0].argmax()) for each in lesson.weighed]
    assert strongest == OWNERS


def test_what_is_left_out_teaches_nothing(lesson: Lesson) -> None:
    out = np.array([number == 5 for number in range(len(TEXTS))])
    only_here = np.setdiff1d(lesson.weighed[5].places, np.concatenate([each.places for each in lesson.weighed[:5]]))
    assert len(only_here)
    assert lesson.taught().strength[only_here].any()
    assert not lesson.taught(out).strength[only_here].any()
    assert not lesson.taught(out).held[only_here].any()


def test_each_observation_is_of_a_text_that_was_not_stored(lesson: Lesson) -> None:
    observed = list(lesson.observations(near_miss))
    assert {each.number for each in observed} == set(range(len(TEXTS)))
    assert all(each.right in (OWNERS[each.number], None) for each in observed)
    assert all(each.right is None for each in observed if OWNERS[each.number] == 2)
    assert any(each.right is None for each in observed if OWNERS[each.number] != 2)


def test_a_near_miss_is_observed_as_answered_by_nothing(lesson: Lesson) -> None:
    alike = [each for each in lesson.observations(near_miss) if each.near_miss]
    assert {(each.near_miss, each.number, each.right) for each in alike} == {(NEAR_MISS, 0, None)}


def test_without_a_second_phrasing_anywhere_nothing_is_observed() -> None:
    _, weighed = Vocabulary.of(["退款", "取货"], [0, 1], ANATOMY, shipped_encoder(), most=1000)
    assert not list(Lesson(weighed, np.array([0, 1], np.int32), 1000).observations(near_miss))
