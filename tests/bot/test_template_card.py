"""Menus as cards: within what the platform takes and what a phone shows."""

from __future__ import annotations

from typing import Any

import pytest

from bot.channels.template_card import MOST_BUTTONS, chosen, chosen_card, menu_card
from playground.platform.cards import MOST_BUTTONS as MOST_TAKEN
from playground.platform.cards import read_card


def menu(*labels: str, head: str = "您想问的是？") -> dict[str, Any]:
    return {"head": head, "choices": [[f"faq:{number}", label] for number, label in enumerate(labels)]}


@pytest.mark.parametrize("head", ["您想问的是？", "您好！\n您想问的是？", "想" * 26, "想" * 27, "想" * 200])
@pytest.mark.parametrize("count", [1, MOST_BUTTONS])
def test_the_platform_takes_every_card_that_is_made(head: str, count: int) -> None:
    made = menu_card(menu(*("问" * 30 for _ in range(count)), head=head), "msgid-1")
    assert made is not None
    card = read_card(made)
    assert (len(card.title) <= 26, len(card.text) <= 112, len(card.buttons)) == (True, True, count)
    assert max(len(button.text) for button in card.buttons) == 10
    for button in card.buttons:
        choice = chosen(card.task_id, button.key)
        assert choice is not None
        assert read_card(chosen_card(card.task_id, *choice), update=True).buttons[0].key == button.key


def test_buttons_are_numbered_as_the_words_are() -> None:
    made = menu_card(menu("退款多久到账？", "几点能取货？"), "msgid-1")
    assert made is not None
    assert [button["text"] for button in made["button_list"]] == ["1.退款多久到账？", "2.几点能取货？"]


def test_the_same_answer_has_the_same_task_id_and_another_one_another() -> None:
    tasks = [(menu_card(menu("甲"), answered) or {})["task_id"] for answered in ("m1", "m1", "群里的 m2")]
    assert (tasks[0] == tasks[1], tasks[0] == tasks[2]) == (True, False)


@pytest.mark.parametrize(
    "refused",
    [
        menu(*"一二三四五六七"),
        menu("长" * 342),
        {"head": "问", "choices": [["a", "甲"], ["a", "甲"]]},
    ],
    ids=["too many", "too long", "twice"],
)
def test_a_menu_that_would_not_be_taken_is_no_card(refused: dict[str, Any]) -> None:
    assert menu_card(refused, "msgid-1") is None


def test_the_limit_is_the_platforms() -> None:
    assert MOST_BUTTONS == MOST_TAKEN
