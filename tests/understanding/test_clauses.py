from __future__ import annotations

from pathlib import Path

import pytest

from config.yaml_file import read_yaml
from understanding.clauses import ClauseReader
from understanding.reader import Reader


@pytest.fixture
def clauses(tmp_path: Path) -> ClauseReader:
    file = tmp_path / "speech.yaml"
    file.write_text("asides: ['谢谢(你)?', 顺便]", encoding="utf-8")
    return ClauseReader.load(read_yaml(file, {}))


def test_a_message_falls_apart_at_signs_and_at_words_said_in_passing(clauses: ClauseReader) -> None:
    assert clauses.read("几点能取货，退款多久到") == ["几点能取货", "退款多久到"]
    assert clauses.read("退款多久到谢谢你") == ["退款多久到"]


def test_neighbours_are_also_read_together(clauses: ClauseReader) -> None:
    assert "我的鸡蛋，到了没" in clauses.read("小伙子 我的鸡蛋 到了没")


def test_one_clause_alone_is_not_read_again(clauses: ClauseReader) -> None:
    assert clauses.read("退款多久到") == clauses.read("谢谢") == clauses.read("") == []


def test_a_very_long_message_gives_few_pieces(clauses: ClauseReader) -> None:
    assert len(clauses.read("退款多久到，" * 200)) <= 6


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("你好，请问我昨天买的鸡蛋到了没有，几点能取", "order-status"),
        ("你好在吗退款多久到账", "refund-arrival"),
        ("退款多久到账谢谢", "refund-arrival"),
        ("您好，草莓怎么保存", "storage-berries"),
        ("好的谢谢那我几点去拿", "pickup-time"),
        ("辛苦了帮我看下快递到了没", "order-status"),
    ],
)
def test_a_question_wins_over_the_courtesies_around_it(reader: Reader, text: str, entry: str) -> None:
    understanding = reader.read(text)
    assert understanding.entry == entry
    assert understanding.decision in ("answer", "skill")


@pytest.mark.parametrize("text", ["我儿子考上大学了，谢谢", "附近哪家理发店好，麻烦了"])
def test_a_courtesy_does_not_speak_for_the_rest_of_a_message(reader: Reader, text: str) -> None:
    assert reader.read(text).decision in ("clarify", "handoff")
