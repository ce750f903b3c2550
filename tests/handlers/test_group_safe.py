"""Nothing that belongs to one person can be said in front of everybody, whatever it is filled with."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

from config.errors import ConfigError
from config.texts import FORMS, MAY_BE_NAMED, Public, Texts
from faq import variables
from faq.knowledge import Entry, Knowledge

CONFIG = Path(__file__).parents[2] / "config"
TEXTS = Texts.load((CONFIG / "texts").glob("*.yaml"))
KNOWLEDGE = Knowledge.load((CONFIG / "faq").glob("*.yaml"), {})
WRITTEN = [entry for entry in KNOWLEDGE.written if entry.answer]

PERSONAL = ("王桂兰", "王**", "13800001357", "138****1357", "东门小区 3 号楼 502", "22.80", "工单 0123", "A20261120001")
FILLING = "，".join(PERSONAL)
# Rules that hold for all, and what a community has in common. An amount is not among them.
FOR_ALL = variables.KNOWN - {"late_coupon"}
LOOKS_PERSONAL = re.compile(
    r"1[3-9]\d{9}|\d{3}\*{2,}|[王李张刘陈]\*+|工单\s*\d|\d+(?:\.\d+)?\s*[元块]|[A-Z]\d{8,}|尾号|\d+\s*号楼|\d+\s*室"
)


def filled(names: frozenset[str], common: frozenset[str]) -> dict[str, str]:
    return {name: "几点能取货" if name in common else FILLING for name in names}


def tells(text: str) -> list[str]:
    return [each for each in PERSONAL if each in text] + LOOKS_PERSONAL.findall(text)


@pytest.mark.parametrize("key", sorted(TEXTS.keys()))
def test_a_sentence_filled_with_personal_data_tells_none_of_it_in_a_group(key: str) -> None:
    names = frozenset(name for form in FORMS for name in TEXTS.variables(key, form))
    said = TEXTS.say(key, "group", **filled(names, MAY_BE_NAMED))

    assert isinstance(said, Public)
    assert tells(said) == []


@pytest.mark.parametrize("entry", WRITTEN, ids=lambda entry: entry.id)
def test_an_answer_filled_with_personal_data_tells_none_of_it_in_a_group(entry: Entry) -> None:
    values = defaultdict(lambda: FILLING, filled(variables.KNOWN, FOR_ALL))
    said = KNOWLEDGE.answer_for_all(entry.id, values, None)

    assert isinstance(said, Public)
    assert tells(said) == []


def test_an_answer_that_was_not_written_for_all_is_not_said_to_all() -> None:
    knowledge = Knowledge([Entry("vip", "会员价多少？", answer="您的会员价是 9.9 元。")])
    assert knowledge.answer_for_all("vip", {}, None) is None


@pytest.mark.parametrize("name", ["label", "owner", "name", "amount", "choices"])
def test_a_group_form_that_names_something_personal_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(f"ticket:\n  promise: {{plain: 好, elder: 好, group: '好，{{{name}}}'}}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="not everybody may read") as caught:
        Texts.load([file])
    assert caught.value.line == 2


@pytest.mark.parametrize("form", ["plain", "elder"])
def test_no_other_form_counts_as_written_for_everybody(form: str) -> None:
    assert not isinstance(TEXTS.say("greeting.hello", form), Public)  # type: ignore[arg-type]


def test_joining_words_takes_the_mark_away() -> None:
    said = TEXTS.say("greeting.hello", "group")
    assert not isinstance(f"{said}王桂兰", Public)
    assert not isinstance(said + "王桂兰", Public)
    assert not isinstance(said.replace("您", "王桂兰"), Public)
