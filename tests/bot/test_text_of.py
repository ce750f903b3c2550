from __future__ import annotations

import pytest

from bot.channels.channel import text_of


@pytest.mark.parametrize(
    ("value", "text"),
    [("苹果🍎", "苹果🍎"), ("半个\ud83d", "半个?"), ("零\0", "零"), (None, ""), (["一", "二"], ""), (12, "")],
)
def test_whatever_a_field_holds_is_a_text_that_every_database_takes(value: object, text: str) -> None:
    assert text_of({"Content": value}, "Content") == text
