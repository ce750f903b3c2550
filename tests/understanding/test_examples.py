from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import ConfigError
from config.yaml_file import read_yaml
from understanding.examples import Likeness, clauses_of, load_examples


@pytest.fixture
def likeness() -> Likeness:
    return Likeness(
        {"late": ["等了很久", "送得太慢", "还没送到"], "rotten": ["里面烂了", "发霉了"], "calm": ["几点取货"]}
    )


@pytest.mark.parametrize(("text", "label"), [("等了好久", "late"), ("都烂了", "rotten"), ("几点可以取货", "calm")])
def test_a_clause_sounds_most_like_the_examples_it_resembles(likeness: Likeness, text: str, label: str) -> None:
    assert likeness.labels[int(likeness.clauses(text)[0].argmax())] == label


def test_each_clause_is_heard_on_its_own(likeness: Likeness) -> None:
    first, second = likeness.clauses("送得太慢，里面烂了")
    assert (likeness.labels[int(first.argmax())], likeness.labels[int(second.argmax())]) == ("late", "rotten")


@pytest.mark.parametrize("text", ["", "   ", "？！。"])
def test_a_text_without_words_sounds_like_nothing(likeness: Likeness, text: str) -> None:
    assert likeness.clauses(text).shape == (0, 3)


def test_signs_that_were_never_seen_sound_like_nothing_in_particular(likeness: Likeness) -> None:
    assert likeness.clauses("qwxyz").max() <= 0


def test_of_a_very_long_message_only_the_first_clauses_are_heard() -> None:
    assert len(clauses_of("烂了，" * 500)) <= 12


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("calm: [好]\n", 1, "no examples of kinds"),
        ("kinds:\n  late: [慢]\n  mouldy: [霉]\ncalm: [好]\n", 3, "no 'mouldy'"),
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
