from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import ConfigError
from config.yaml_file import read_yaml
from understanding.examples import Likeness, Sound, clauses_of, load_examples


@pytest.fixture
def likeness() -> Likeness:
    return Likeness(
        ["late", "rotten"],
        {
            ("late",): ["等了很久", "送得太慢", "还没送到"],
            ("rotten",): ["里面烂了", "发霉了"],
            ("rotten", "late"): ["送来都臭了 还晚了一天"],
            ("calm",): ["几点取货"],
        },
    )


def hear(likeness: Likeness, text: str) -> Sound:
    sound = likeness.hear(clauses_of(text))
    assert sound
    return sound


@pytest.mark.parametrize(("text", "label"), [("等了好久", "late"), ("都烂了", "rotten"), ("几点可以取货", "calm")])
def test_a_text_sounds_most_like_the_examples_it_resembles(likeness: Likeness, text: str, label: str) -> None:
    assert likeness.labels[int(hear(likeness, text).whole.argmax())] == label


def test_each_clause_is_heard_on_its_own(likeness: Likeness) -> None:
    first, second = hear(likeness, "送得太慢，里面烂了").clauses
    assert (likeness.labels[int(first.argmax())], likeness.labels[int(second.argmax())]) == ("late", "rotten")


def test_a_line_teaches_all_that_it_tells_and_the_main_thing_most(likeness: Likeness) -> None:
    late, rotten, calm = hear(likeness, "送来都臭了 还晚了一天").whole
    assert rotten > late > calm


@pytest.mark.parametrize("text", ["", "   ", "？！。"])
def test_a_text_without_words_sounds_like_nothing(likeness: Likeness, text: str) -> None:
    assert likeness.hear(clauses_of(text)) is None


@pytest.mark.parametrize("text", ["qwxyz", "👍"])
def test_signs_that_were_never_seen_sound_like_nothing_in_particular(likeness: Likeness, text: str) -> None:
    assert hear(likeness, text).whole.max() < 0.1


def test_of_a_very_long_message_only_the_first_clauses_are_heard() -> None:
    assert len(clauses_of("烂了，" * 500)) <= 12


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("calm: [好]\n", 1, "no examples of kinds"),
        ("kinds:\n  late: [慢]\n  mouldy: [霉]\ncalm: [好]\n", 3, "no 'mouldy'"),
        ("kinds:\n  late: [慢]\n  late, mouldy: [又慢又霉]\ncalm: [好]\n", 3, "no 'mouldy'"),
        ("kinds:\n  late: []\ncalm: [好]\n", 2, "late has no list"),
        ("kinds:\n  late: ['！']\ncalm: [好]\n", 2, "late has no list"),
        ("kinds:\n  late: [慢]\n", 1, "calm has no list"),
    ],
)
def test_a_mistake_in_the_examples_is_told_with_its_line(tmp_path: Path, text: str, line: int, problem: str) -> None:
    (tmp_path / "examples.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=problem) as caught:
        load_examples(read_yaml(tmp_path / "examples.yaml", {}), "kinds", ["late"])
    assert caught.value.line == line
