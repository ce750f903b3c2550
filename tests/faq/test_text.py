from __future__ import annotations

import pytest

from faq.text import LONGEST, Speech, plain


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ＡＢＣ１２３　你好！", "abc123你好"),
        ("訂單什麼時候到", "订单什么时候到"),
        ("退款[微笑][呲牙]多久？？？", "退款多久"),
        ("哈哈哈哈哈哈哈", "哈哈"),
        ("🍎🍎🍎", ""),
        ("\x00\x07\u200b好", "好"),
        ("\ud83d到了没", "到了没"),
    ],
)
def test_a_message_is_brought_into_plain_spelling(text: str, words: str) -> None:
    assert plain(text) == words


def test_only_the_beginning_of_a_very_long_message_is_compared() -> None:
    assert len(plain("退款多久到账" * 10_000)) == LONGEST


def test_fillers_and_dialect_do_not_change_what_is_asked() -> None:
    speech = Speech(["请问", "一下", "啊"], {"什么时候": ["啥时候", "几时"]})
    assert speech.normalise("请问一下啥时候到啊") == speech.normalise("几时到") == "什么时候到"


def test_a_message_of_fillers_alone_keeps_its_words() -> None:
    assert Speech(["请问"]).normalise("请问？") == "请问"


def test_the_numbers_of_phones_and_orders_say_nothing_about_the_question() -> None:
    assert Speech().normalise("6600020127到哪了 13800002468") == "到哪了"
    assert Speech().normalise("13800002468") == ""
    assert Speech().normalise("找12315，满39减8") == "找12315满39减8"


def test_words_with_a_meaning_are_listed_in_the_spelling_that_is_compared() -> None:
    speech = Speech(same={"取货": ["提货"]}, concepts={"取": ["提货", "取货", "拿"]}, sorts={"软果": ["草莓"]})
    assert speech.concepts == {"取": ["取货", "拿"]}
    assert speech.sorts == {"软果": ["草莓"]}
