"""One misbehaviour at one door, from the first message to the last look into the books."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from bot.storage.store import Store
from config.texts import Texts
from playground.wechat import WeChat
from shop.directory import Directory
from tests.faults.books import Books, Tally
from tests.faults.misbehaviour import Door, Misbehaviour
from tests.faults.shared_screens import SharedScreens
from tests.faults.talk import (
    Accepted,
    Answers,
    Size,
    Talk,
    in_private,
    questions,
    questions_for_all,
    staff_answer,
    talks,
    write,
)
from understanding.reader import Reader


class Ground(Protocol):
    """The whole bot with the small WeChat in front of it: in this process, or as processes of its own.

    ``room_key`` is the secret of the staff's room.
    """

    wechat: WeChat
    store: Store
    directory: Directory
    room_key: str

    def writing(self) -> AbstractContextManager[object]:
        """While people write, the workers work."""
        ...

    def slowly(self) -> AbstractContextManager[object]:
        """Meanwhile the bot answers late."""
        ...

    def pause(self) -> Callable[[int], None]:
        """What somebody does before each message, who begins to write now; it gets the message's place."""
        ...

    def come_to_rest(self, is_over: Callable[[], bool], misbehaviour: Misbehaviour) -> None:
        """Lets time pass until ``is_over``, or until nothing can be expected any more."""
        ...

    def logs(self) -> str:
        """All that the bot has written about itself."""
        ...


def answers_by_door(reader: Reader, texts: Texts) -> Mapping[Door, Answers]:
    """What can be asked at each door, with how the answers begin."""
    alone, aloud = questions(reader), questions_for_all(reader, texts)
    return {"oa": alone, "kf": alone, "group": aloud, "room": alone}


def play(
    ground: Ground, misbehaviour: Misbehaviour, door: Door, answers: Mapping[Door, Answers], texts: Texts, size: Size
) -> Tally:
    """Lets people write while a platform misbehaves, and staff answer them; how it went."""
    asked = answers[door]
    expected = {**asked, **in_private(texts)} if door == "group" else asked
    books = Books(ground.store, ground.wechat, expected)
    screens = SharedScreens(ground.store, ground.wechat, texts)
    spoken = talks(ground.wechat, misbehaviour, door, asked, size)
    misbehaviour.start(ground.wechat, door)
    try:
        accepted = _all_write(ground, spoken, misbehaviour)
        ground.come_to_rest(lambda: not books.open_work(accepted), misbehaviour)
        if door != "room":
            people = [talk.person for talk in spoken]
            accepted |= staff_answer(ground.store, ground.wechat, ground.directory, people)
            ground.come_to_rest(lambda: not books.open_work(accepted), misbehaviour)
    finally:
        for platform in ground.wechat.platforms:
            platform.faults.clear()
    found = books.tally(accepted, loses=misbehaviour.loses, silences=misbehaviour.silences)
    if door == "group":
        found.broken += screens.group_broken(spoken, accepted, expected, loses=misbehaviour.loses)
    found.doubled += screens.read_twice()
    found.broken += screens.room_broken(repeats=misbehaviour.repeats)
    found.broken += screens.key_broken(ground.room_key, ground.logs())
    return found


def _all_write(ground: Ground, spoken: list[Talk], misbehaviour: Misbehaviour) -> Accepted:
    slowly = ground.slowly() if misbehaviour.slowly else nullcontext()
    with ThreadPoolExecutor(1 if misbehaviour.in_turn else len(spoken)) as threads, slowly, ground.writing():
        told = threads.map(lambda talk: write(talk, misbehaviour, ground.pause()), spoken)
        return {talk.person: texts for talk, texts in zip(spoken, told, strict=True)}
