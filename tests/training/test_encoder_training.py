from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from config.settings import ROOT
from faq.knowledge import Knowledge
from faq.text import plain
from training.encoder import (
    TEXT,
    Intent,
    Material,
    all_intents,
    read_intents,
    read_lookalikes,
    train,
)
from understanding.loading import shipped_speech

REFUND = Intent("refund", ("退款多久到账", "钱几天退回来", "退的钱什么时候到", "多少天能收到退款"))
PICKUP = Intent("pickup", ("几点可以取货", "什么时间能拿菜", "取货几点开始", "拿菜要几点去"))


def test_lines_of_one_intent_end_up_nearer_than_lines_of_two() -> None:
    material = Material.of([REFUND, PICKUP], shipped_speech(), fewest=1)
    vectors = train(material, steps=60, size=8)
    gists = np.asarray(material.weighed @ vectors)
    gists /= np.linalg.norm(gists, axis=1, keepdims=True)
    alike: dict[bool, list[float]] = {True: [], False: []}
    for one, other in combinations(range(len(gists)), 2):
        alike[bool(material.owners[one] == material.owners[other])].append(float(gists[one] @ gists[other]))
    assert min(alike[True]) > max(alike[False])


def test_the_same_text_trains_the_same_encoder() -> None:
    material = Material.of([REFUND, PICKUP], shipped_speech(), fewest=1)
    once, again = (train(material, steps=5, size=4) for _ in range(2))
    assert np.array_equal(once, again)


def test_an_intent_is_a_name_and_its_lines(tmp_path: Path) -> None:
    (tmp_path / "some.txt").write_text("# one\n退款多久\n几天退\n\n# two\n取货码\n", encoding="utf-8")
    assert list(read_intents(tmp_path / "some.txt")) == [
        Intent("one", ("退款多久", "几天退")),
        Intent("two", ("取货码",)),
    ]


def test_what_only_looks_alike_is_an_intent_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "lookalikes.txt").write_text("怎么开灯; 灯咋打开 | 怎么关灯; 怎么换灯\n", encoding="utf-8")
    same, *others = read_lookalikes(tmp_path / "lookalikes.txt")
    assert same.lines == ("怎么开灯", "灯咋打开")
    assert [other.lines for other in others] == [("怎么关灯",), ("怎么换灯",)]


@pytest.mark.parametrize("file", sorted(TEXT.glob("*.txt")), ids=lambda file: file.stem)
def test_every_line_of_the_text_says_something(file: Path) -> None:
    intents = list((read_lookalikes if file.name.startswith("lookalikes") else read_intents)(file))
    assert intents
    assert [line for intent in intents for line in intent.lines if not plain(line)] == []


def test_no_question_that_a_benchmark_asks_was_trained_on() -> None:
    """The benchmarks ask phrasings of the shipped knowledge, and the knowledge examines itself on them."""
    normalise = shipped_speech().normalise
    knowledge = Knowledge.load((ROOT / "config/faq").glob("*.yaml"), {})
    asked = {normalise(phrasing) for entry in knowledge for phrasing in entry.phrasings}
    assert sorted({line for intent in all_intents() for line in intent.lines if normalise(line) in asked}) == []
