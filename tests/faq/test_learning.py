from __future__ import annotations

import numpy as np
import pytest

from faq.knowledge import Entry, Knowledge
from faq.learning import Lesson
from faq.matching import Matcher
from faq.ngrams import Floats, Postings, Vocabulary
from faq.triangle import Triangle


@pytest.fixture
def matrix() -> Floats:
    rows = np.random.default_rng(7).random((50, 9)).astype(np.float32)
    return (rows @ rows.T / 9).astype(np.float32)


@pytest.mark.parametrize("borders", [[0, 50], [0, 20, 50], [0, 1, 2, 17, 30, 49, 50]])
def test_a_triangle_gives_what_the_whole_inverse_gives(matrix: Floats, borders: list[int]) -> None:
    triangle = Triangle(lambda start, end: matrix[start:end, :end].copy(), borders, 0.5)
    inverse = np.linalg.inv(matrix + np.eye(50) / 2)
    assert np.abs(triangle.solve(np.eye(50, dtype=np.float32)) - inverse).max() < 2e-3
    for border in borders[:-1]:
        corner = triangle.corner(border)
        assert np.abs(corner.T @ corner - inverse[border:, border:]).max() < 2e-3


def test_a_wording_that_two_entries_share_tells_little() -> None:
    shared = ("东西到了没", "东西怎么还没到")
    entries = [
        Entry("order", "订单到哪了", shared, answer="快了。"),
        Entry("refund", "退款到哪了", shared, answer="快了。"),
    ]
    matcher = Matcher(Knowledge(entries))
    assert matcher.match("订单到哪了")[0].confidence > matcher.match("东西到了没")[0].confidence


def test_leaving_a_phrasing_out_in_closed_form_is_as_good_as_not_having_stored_it() -> None:
    texts = ["退款多久到账", "退的钱几天到", "钱什么时候退", "几点可以取货", "什么时候能取", "取货时间"]
    owners = np.array([0, 0, 0, 1, 1, 1], np.int32)
    vocabulary = Vocabulary.of(texts, owners.tolist(), {})
    weighed = [vocabulary.weigh(text) for text in texts]
    whole = Lesson(weighed, Postings.of(weighed, len(vocabulary.names)), owners)
    kept = [number for number in range(6) if number != 1]
    rest = [weighed[number] for number in kept]
    postings = Postings.of(rest, len(vocabulary.names))
    likeness = np.array([postings.likeness(each) for each in rest])
    belongs = np.equal.outer(owners[kept], [0, 1]).astype(float)
    without = postings.likeness(weighed[1]) @ np.linalg.solve(likeness + np.eye(5) / 2, belongs)
    assert whole._fresh[1] == pytest.approx(without, abs=2e-3)
