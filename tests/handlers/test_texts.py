"""The sentences as people read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.texts import FORMS, Texts

TEXTS = Texts.load((Path(__file__).parents[2] / "config" / "texts").glob("*.yaml"))
WHOLE_SENTENCES = frozenset(
    {"claim", "clarify", "general", "greeting", "hand_over", "identify", "leave", "ticket", "unheard"}
)
STIFF = ("亲", "您的单号是", "为您办理", "予以", "进行处理", "敬请", "谅解", "按规定", "一字不漏")


KEYS = sorted(TEXTS.keys())


@pytest.mark.parametrize("key", [key for key in KEYS if key.partition(".")[0] in WHOLE_SENTENCES])
def test_what_elders_read_is_no_longer_than_what_others_read(key: str) -> None:
    values = {name: "一二三" for form in FORMS for name in TEXTS.variables(key, form)}
    assert len(TEXTS.say(key, "elder", **values)) <= len(TEXTS.say(key, "plain", **values)) + 3


@pytest.mark.parametrize("word", STIFF)
def test_nothing_is_stiff_or_promises_too_much(word: str) -> None:
    said = {
        key: [TEXTS.say(key, form, **dict.fromkeys(TEXTS.variables(key, form), "")) for form in FORMS] for key in KEYS
    }
    assert not [key for key, forms in said.items() if any(word in text for text in forms)]
