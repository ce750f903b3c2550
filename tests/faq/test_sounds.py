from __future__ import annotations

import pytest

from faq.sounds import blurred, sounds_of, spelt


@pytest.mark.parametrize(
    ("one", "other"), [("ni", "li"), ("shi", "si"), ("zhang", "zan"), ("ren", "leng"), ("hui", "fui"), ("xing", "xin")]
)
def test_syllables_that_are_mixed_up_are_one(one: str, other: str) -> None:
    assert blurred(one) == blurred(other)


@pytest.mark.parametrize(("one", "other"), [("ma", "mo"), ("tui", "hui"), ("lan", "luan"), ("qu", "ju")])
def test_other_syllables_stay_apart(one: str, other: str) -> None:
    assert blurred(one) != blurred(other)


def test_a_text_is_heard_by_its_syllables() -> None:
    sounds = sounds_of(spelt())
    assert "取货码".translate(sounds) == "取火马".translate(sounds) == "去获吗".translate(sounds)
    assert "取货码".translate(sounds) != "退货码".translate(sounds)
    assert "ok 3".translate(sounds) == "ok 3"
