from __future__ import annotations

import numpy as np
import pytest

from faq.knowledge import Entry, Knowledge
from faq.learning import _BLOCK, _invert
from faq.matching import Matcher


@pytest.mark.parametrize("size", [1, _BLOCK, _BLOCK + 1, 3 * _BLOCK + 7])
def test_a_matrix_is_inverted_where_it_stands(size: int) -> None:
    rows = np.random.default_rng(7).random((size, 20)).astype(np.float32)
    matrix = (rows @ rows.T / 20 + np.eye(size) / 2).astype(np.float32)
    inverse = matrix.copy()
    _invert(inverse)
    assert np.abs(inverse @ matrix - np.eye(size)).max() < 1e-3


def test_a_wording_that_two_entries_share_tells_little() -> None:
    shared = ("东西到了没", "东西怎么还没到")
    entries = [
        Entry("order", "订单到哪了", shared, answer="快了。"),
        Entry("refund", "退款到哪了", shared, answer="快了。"),
    ]
    matcher = Matcher(Knowledge(entries))
    assert matcher.match("订单到哪了")[0].confidence > matcher.match("东西到了没")[0].confidence
