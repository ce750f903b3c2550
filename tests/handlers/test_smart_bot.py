"""The smart bot's menus, to be tapped alone and in front of everybody, and the files that members send it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bot.storage.tables import attachments, inbox
from playground import samples
from playground.groups import Group
from playground.phones import Person
from playground.platform.payloads import Payload
from playground.world import Bubble
from tests.handlers.group_town import GroupTown
from understanding.reader import Alternative, Reader, Understanding

FILM = b"\x00\x00\x00\x18ftypmp42" + bytes(300)
WHERE = "到哪"
"""The order, or the pick-up point: read so whatever else the knowledge comes to hold."""


@pytest.fixture
def town(tmp_path, database_url, valkey_url, clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[GroupTown]:
    read = Reader.read

    def unsure_where(reader: Reader, text: str, **about: Any) -> Understanding:
        found = read(reader, text, **about)
        if text != WHERE:
            return found
        others = (Alternative("pickup-place", 0.3),)
        return replace(found, entry="order-status", confidence=0.4, others=others, decision="clarify", skill=None)

    monkeypatch.setattr(Reader, "read", unsure_where)
    town = GroupTown(tmp_path, database_url, valkey_url, clock)
    yield town
    town.close()


@pytest.fixture
def member(town: GroupTown) -> Person:
    return town.beside("王阿姨")


def card_in(chat: Person | Group) -> Any:
    return next(bubble for bubble in reversed(chat.chat()) if bubble.card is not None)


def sends(town: GroupTown, member: Person, kind: str, content: bytes) -> list[str]:
    payload: Payload = {"MsgType": kind, "Url": town.wechat.aibot.file_url(content)}
    return town.does(member, lambda: town.settled(town.wechat.aibot.send(member.account, payload), member))


def test_an_unclear_question_is_asked_back_with_buttons_and_a_tap_answers_it(town: GroupTown, member: Person) -> None:
    words, *_ = town.writes(member, WHERE)
    card = card_in(member)
    questions = [line.partition(". ")[2] for line in words.splitlines() if line[:1].isdigit()]
    assert [button.text[:4] for button in card.card.buttons] == [f"{n}.{q}"[:4] for n, q in enumerate(questions, 1)]

    answers = town.does(member, lambda: member.tap_button(card, card.card.buttons[1].key))
    typed = town.beside("李叔")
    town.writes(typed, WHERE)
    assert answers[-1] == town.writes(typed, "2")[-1]
    assert card_in(member).card.title == questions[1]


def test_tapping_twice_is_answered_once(town: GroupTown, member: Person) -> None:
    town.writes(member, WHERE)
    card = card_in(member)
    key = card.card.buttons[1].key
    first = town.does(member, lambda: member.tap_button(card, key))
    assert len(first) == 1
    assert town.does(member, lambda: member.tap_button(card_in(member), key)) == []
    assert len(town.rows(inbox)) == 2


def taps(town: GroupTown, member: str, bubble: Bubble, entry: str) -> list[str]:
    """A member of the group taps the choice of an entry; what everybody reads thereupon."""
    keys = [button.key for button in bubble.card.buttons] if bubble.card else []
    key = next(key for key in keys if key.startswith(f"faq:{entry}#"))
    return town.does(town.group, lambda: town.group.tap_button(member, bubble, key))


def test_an_unclear_call_in_a_group_is_asked_back_and_a_tap_is_answered_for_all(town: GroupTown) -> None:
    words = town.asks("王阿姨", WHERE)[0]
    assert words.splitlines()[0] == "您想问的是不是下面这个？点一下，或者叫我时发个数字："
    answers = taps(town, "王阿姨", card_in(town.group), "pickup-place")

    assert (len(answers), "东门" in answers[0], town.group.chat()[-1].kind) == (1, True, "markdown")


def test_in_a_group_a_number_does_what_a_tap_does_until_something_else_is_said(town: GroupTown) -> None:
    words = town.asks("王阿姨", WHERE)[0]
    [number] = [line[0] for line in words.splitlines() if "取货" in line and line[0].isdigit()]
    typed = town.asks("王阿姨", number)
    tapped = taps(town, "李叔", card_in(town.group), "pickup-place")

    assert ("东门" in typed[0], "刚刚说过" in tapped[0]) == (True, True)
    assert town.asks("王阿姨", number) == town.asks("李叔", number) == ["我没太听明白，换个说法再问我一次？"]


def test_a_choice_that_is_about_one_person_leads_into_private(town: GroupTown) -> None:
    town.asks("王阿姨", WHERE)
    assert "https://" in taps(town, "王阿姨", card_in(town.group), "order-status")[0]


def test_each_member_may_tap_a_card_in_a_group_and_counts_once(town: GroupTown) -> None:
    town.asks("王阿姨", WHERE)
    card = card_in(town.group)
    for member in ("王阿姨", "王阿姨", "李叔"):
        taps(town, member, card, "pickup-place")
    assert [row.text for row in town.rows(inbox)].count("在哪里取货？") == 2


def test_a_film_reaches_whoever_looks_after_the_ticket(town: GroupTown, member: Person) -> None:
    town.writes(member, "找人工")
    assert "视频收到了" in sends(town, member, "video", FILM)[0]

    [shown] = [bubble for bubble in town.wechat.person("小陈").chat() if bubble.kind == "video"]
    assert shown.media == FILM
    assert [(row.kind, row.status, row.content_type) for row in town.rows(attachments)] == [
        ("video", "stored", "video/mp4")
    ]


def test_a_picture_that_was_sent_as_a_file_reaches_her_as_a_picture(town: GroupTown, member: Person) -> None:
    photo = samples.photo("bad-apple-1.jpg")
    town.writes(member, "找人工")
    assert "文件我打不开" in sends(town, member, "file", photo)[0]

    assert [bubble.media for bubble in town.wechat.person("小陈").chat() if bubble.kind == "image"] == [photo]


@pytest.mark.parametrize("content", [b"<html><script></script></html>", b"MZ a program", b"%PDF-1.7 a document"])
def test_a_file_of_any_other_type_is_answered_in_words_and_not_kept(
    town: GroupTown, member: Person, content: bytes
) -> None:
    town.writes(member, "找人工")
    assert "文件我打不开" in sends(town, member, "file", content)[0]

    assert [row.status for row in town.rows(attachments)] == ["refused"]
    assert {bubble.kind for bubble in town.wechat.person("小陈").chat()} <= {"text", "template_card"}


def test_a_film_of_which_the_platform_keeps_nothing_any_more_is_asked_for_again(
    town: GroupTown, member: Person, clock
) -> None:
    town.writes(member, "找人工")
    payload: Payload = {"MsgType": "video", "Url": town.wechat.aibot.file_url(FILM)}
    town.settled(town.wechat.aibot.send(member.account, payload), member)
    clock.advance(minutes=6)
    town.work()

    assert [row.status for row in town.rows(attachments)] == ["lost"]
    assert "视频没收全" in town.heard(member)[-1]
