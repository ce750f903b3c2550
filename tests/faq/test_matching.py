from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from config.settings import ROOT
from config.yaml_file import read_yaml
from faq.knowledge import Entry, Knowledge
from faq.learnt import LearntStore
from faq.matching import SHOWN, Match, Matcher
from understanding.loading import load_chatter, shipped_speech

FOUR = Knowledge(
    [
        Entry("arrival", "退款多久到账", ("退款什么时候到", "退的钱几天到"), answer="三天。"),
        Entry("hours", "几点可以取货", ("什么时候能去拿", "取货时间是几点到几点"), answer="四点。"),
        Entry("leader", "团长是谁", ("谁是团长", "负责人是哪个"), answer="张团长。"),
        Entry("gate", "在哪里取货", ("去哪拿", "提货点在哪"), answer="东门。", communities=("sunshine",)),
    ]
)
ANY_TEXT = Matcher(FOUR)


@pytest.fixture(scope="module")
def shipped() -> Knowledge:
    return Knowledge.load((ROOT / "config/faq").glob("*.yaml"), {})


@pytest.fixture(scope="module")
def matcher(shipped: Knowledge) -> Matcher:
    chatter = load_chatter(read_yaml(ROOT / "config/words/chatter.yaml", {}))
    return Matcher(shipped, shipped_speech(), chatter, LearntStore(ROOT / ".cache/learnt"))


@pytest.fixture(scope="module")
def held_out() -> list[tuple[str, str | None]]:
    content = yaml.safe_load((Path(__file__).parent / "held_out.yaml").read_text(encoding="utf-8"))
    return [(text, None if entry == "none" else entry) for entry, texts in content.items() for text in texts]


def is_right(match: Match, entry: str | None) -> bool:
    """What the shop does not do is answered by no entry, or by the one that says so."""
    return match.entry_id == entry or (entry is None and match.entry_id == "other-services")


def test_a_stored_phrasing_finds_its_entry(matcher: Matcher, shipped: Knowledge) -> None:
    asked = [(phrasing, entry.id) for entry in shipped for phrasing in entry.phrasings[::5]]
    found = sum(matcher.match(phrasing)[0].entry_id == entry_id for phrasing, entry_id in asked)
    assert found / len(asked) > 0.98


def test_held_out_messages_are_in_no_phrasing(shipped: Knowledge, held_out: list[tuple[str, str | None]]) -> None:
    stored = {phrasing for entry in shipped for phrasing in entry.phrasings}
    assert not [text for text, _ in held_out if text in stored]
    assert {entry for _, entry in held_out if entry} <= {entry.id for entry in shipped}


def test_nine_of_ten_new_wordings_find_their_entry(matcher: Matcher, held_out: list[tuple[str, str | None]]) -> None:
    asked = [(text, entry) for text, entry in held_out if entry]
    assert sum(matcher.match(text)[0].entry_id == entry for text, entry in asked) / len(asked) >= 0.9


def test_at_the_shipped_threshold_few_answers_are_wrong_and_most_questions_are_answered(
    matcher: Matcher, held_out: list[tuple[str, str | None]]
) -> None:
    threshold = matcher.threshold(read_yaml(ROOT / "config/understanding.yaml", {}).value["tolerated_wrong"])
    best = [(matcher.match(text)[0], entry) for text, entry in held_out]
    sure = [(match, entry) for match, entry in best if match.confidence >= threshold]
    wrong = [match for match, entry in sure if not is_right(match, entry)]
    questions = [entry for _, entry in held_out if entry]
    assert len(wrong) / len(held_out) <= 0.02
    assert (len(sure) - len(wrong)) / len(questions) >= 0.7


def test_confidence_does_not_promise_more_than_it_keeps(
    matcher: Matcher, held_out: list[tuple[str, str | None]]
) -> None:
    best = [(matcher.match(text)[0], entry) for text, entry in held_out]
    for low, high in ((0.0, 0.5), (0.5, 0.8), (0.8, 1.01)):
        inside = [(match, entry) for match, entry in best if low <= match.confidence < high]
        promised = sum(match.confidence for match, _ in inside) / len(inside)
        kept = sum(is_right(match, entry) for match, entry in inside) / len(inside)
        assert kept >= promised - (0.05 if low else 0.1), (low, high)


def test_who_says_a_stored_phrasing_word_for_word_is_understood_among_many_alike() -> None:
    goods = [f"{colour}{fruit}" for colour in "红青黄紫白" for fruit in ("苹果", "梨子", "李子", "葡萄")]
    entries = [Entry(name, f"{name}怎么保存", (f"{name}怎么放",), answer="好") for name in goods]
    matcher = Matcher(Knowledge(entries))
    best = matcher.match("紫梨子怎么保存")[0]
    assert best.entry_id == "紫梨子"
    assert best.confidence > 0.9
    assert sum(match.confidence for match in matcher.match("紫梨子怎么保存")) <= 1


def test_a_phrasing_that_two_entries_have_makes_sure_of_neither() -> None:
    shared = "到了没"
    entries = [Entry(name, f"{name}到哪了", (shared,), answer="好") for name in ("订单", "退款")]
    assert Matcher(Knowledge(entries)).match(shared)[0].confidence < 0.9


def test_the_best_entries_come_first_and_are_few() -> None:
    matches = Matcher(FOUR).match("退款几天能到", "sunshine")
    assert matches[0].entry_id == "arrival"
    assert len(matches) == SHOWN
    assert [match.confidence for match in matches] == sorted((match.confidence for match in matches), reverse=True)


def test_the_answer_of_another_community_is_never_offered() -> None:
    matcher = Matcher(FOUR)
    assert matcher.match("提货点在哪", "sunshine")[0].entry_id == "gate"
    for community in ("river", None):
        assert "gate" not in [match.entry_id for match in matcher.match("提货点在哪", community)]


def test_two_matchers_of_the_same_knowledge_say_the_same() -> None:
    assert Matcher(FOUR, chatter=["吃了吗"]).match("退款") == Matcher(FOUR, chatter=["吃了吗"]).match("退款")


def test_a_message_without_words_matches_nothing() -> None:
    assert Matcher(FOUR).match("？？🍎[微笑]") == []


@pytest.mark.parametrize("entries", [0, 1, 2])
def test_small_knowledge_works(entries: int) -> None:
    matches = Matcher(Knowledge(FOUR.entries[:entries]), chatter=["今天真热"]).match("退款多久到账")
    assert len(matches) == entries


def test_one_phrasing_an_entry_is_enough_to_be_found() -> None:
    bare = Knowledge([Entry(str(number), f"{word}怎么办", answer="好") for number, word in enumerate("停水电梯")])
    assert Matcher(bare).match("停怎么办")[0].entry_id == "0"


def test_with_more_entries_than_are_learnt_the_nearest_phrasing_decides(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("faq.matching.LEARNT_ENTRIES", 2)
    learnt = LearntStore(tmp_path)
    first, second = (Matcher(FOUR, chatter=["今天真热"], learnt=learnt).match("团长是哪个") for _ in range(2))
    assert first[0].entry_id == "leader"
    assert first == second


@pytest.mark.parametrize("learnt_at_most", [2, 1500])
def test_an_entry_without_words_leaves_the_others_theirs(monkeypatch: pytest.MonkeyPatch, learnt_at_most: int) -> None:
    monkeypatch.setattr("faq.matching.LEARNT_ENTRIES", learnt_at_most)
    wordless = Entry("wordless", "？？", answer="好")
    for entries, chatter in (((wordless, *FOUR.entries), ["今天真热"]), ((*FOUR.entries, wordless), [])):
        assert Matcher(Knowledge(entries), chatter=chatter).match("团长是哪个")[0].entry_id == "leader"
    assert Matcher(Knowledge([wordless])).match("退款")[0].confidence < 0.5


@pytest.mark.parametrize("text", ["腿宽多酒到帐", "退宽多九到涨", "推款多久到账"])
def test_words_that_sound_alike_are_understood(text: str) -> None:
    assert Matcher(FOUR).match(text)[0].entry_id == "arrival"


def test_traditional_characters_ask_the_same() -> None:
    assert Matcher(FOUR).match("團長是誰") == Matcher(FOUR).match("团长是谁")


def test_the_fewer_wrong_answers_are_tolerated_the_surer_the_bot_must_be(matcher: Matcher) -> None:
    strict, ordinary, lax = map(matcher.threshold, (0.005, 0.02, 0.1))
    assert 1 >= strict > ordinary > lax > 0


def test_chatter_is_not_taken_for_a_question() -> None:
    learnt = Matcher(FOUR, chatter=["今天天气真热", "外面天气怎么样", "天气预报说要下雨"])
    assert learnt.match("明天天气热吗")[0].confidence < Matcher(FOUR).match("明天天气热吗")[0].confidence


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.characters(), max_size=300))
def test_any_text_gives_probabilities(text: str) -> None:
    confidences = [match.confidence for match in ANY_TEXT.match(text)]
    assert all(0 <= confidence <= 1 for confidence in confidences)
