from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import ConfigError
from config.menu import load_menu
from config.settings import ROOT


def load(tmp_path: Path, text: str) -> dict:
    file = tmp_path / "menu.yaml"
    file.write_text(text, encoding="utf-8")
    return load_menu(file, {})


def test_the_shipped_example_becomes_the_platforms_own_form() -> None:
    menu = load_menu(ROOT / "config/menu.example.yaml", {})
    assert menu["button"][0] == {"name": "查订单", "type": "click", "key": "我的订单到哪了"}
    assert [button["name"] for button in menu["button"][2]["sub_button"]] == ["几点取货", "退款多久到账", "找人工"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[]", "has not 1 to 3 buttons"),
        ("- {name: 一, say: 一}\n" * 4, "has not 1 to 3 buttons"),
        ("- say: 一", "has no name"),
        ("- {name: 一二三四五六, say: 一}", "longer than 5 Chinese characters"),
        ("- {name: 一, say: 一, open: https://a.example}", "does not do exactly one thing"),
        ("- {name: 一, more: []}", "has not 1 to 5 buttons"),
        ("- {name: 一, more: [{name: 二, more: [{name: 三, say: 三}]}]}", "does not do exactly one thing"),
        ("- {name: 一, open: shop}", "is not a web address"),
    ],
)
def test_a_mistake_in_the_menu_is_refused_with_its_line(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        load(tmp_path, text)
    assert "menu.yaml" in str(caught.value)
