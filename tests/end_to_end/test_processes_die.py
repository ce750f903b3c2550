"""Processes are killed while people write. All tests share one bot, and the last one goes through its books."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from redis import RedisError

from bot.embedded_valkey import EmbeddedValkey
from bot.redis_connection import connect
from bot.storage.tables import outbox
from playground.phones import Person
from playground.stage import Stage
from tests.commands.processes import assert_ends, descendants
from tests.end_to_end.crowd import LEASE, PATIENCE, Accounts, all_say, heard_by_staff, process_of, say, wait_until

WEB, WORKER, CLOCK, VALKEY = "commands web", "commands worker", "commands clock", "valkey"
SEND = "message/send"
CALL = "转人工"
QUESTION, ANSWER = "退款多久到账", "工作日"
OF_ZHANG = ("王桂兰", "刘建国", "陈秀英", "赵敏", "吴芳")
OF_LI = ("林小燕", "黄海波", "何静", "马丽娟", "韩梅")
AWAY = 10.0  # seconds


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("stage")) as running:
        yield running


@pytest.fixture
def strangers(stage: Stage, request: pytest.FixtureRequest) -> list[Person]:
    """Ten people whom no other test knows. Minutes ago somebody else wrote: staff may get 30 messages a minute."""
    stage.wechat.clock.advance(minutes=2)
    return [stage.wechat.person(f"{request.node.name} {number}") for number in range(10)]


def kill(stage: Stage, command: str) -> None:
    """Kills a process and returns when another has taken its place."""
    dead = process_of(stage, command)
    assert dead is not None
    os.kill(dead, signal.SIGKILL)
    wait_until(lambda: process_of(stage, command) not in (None, dead), f"there was a new {command}")


def reads(person: Person, *parts: str) -> None:
    person.wait_for(lambda bubble: bubble.speaker == "bot" and all(part in bubble.text for part in parts), PATIENCE)


def announced(stage: Stage, people: Sequence[Person]) -> bool:
    """Whether staff have read of every one of these people's tickets."""
    promised = [re.findall(r"工单 \d{4}", bubble.text) for person in people for bubble in person.chat()]
    labels = {label for found in promised for label in found}
    heard = "\n".join(heard_by_staff(stage))
    return len(labels) == len(people) and all(label in heard for label in labels)


def wait_for_notices(stage: Stage, *people: Person) -> None:
    assert stage.wechat.world.wait_until(lambda: announced(stage, people), PATIENCE), "a notice is missing"


def test_a_worker_is_killed_while_notices_to_two_leaders_are_on_their_way(stage: Stage) -> None:
    wecom = stage.wechat.wecom
    wecom.faults.hang_after_accepting(to=SEND)
    wecom.faults.hang(to=SEND)
    all_say([stage.wechat.person(name) for name in (*OF_ZHANG, *OF_LI)], CALL)
    assert stage.wechat.world.wait_until(lambda: wecom.calls(SEND) >= 2, PATIENCE)
    kill(stage, WORKER)
    wecom.faults.clear()
    bystander = stage.wechat.person("路人")
    say(bystander, CALL)
    wait_for_notices(stage, bystander)  # the leaders' come when the dead worker's lease is over


def test_the_web_process_is_killed_between_messages_and_again_in_the_middle(
    stage: Stage, strangers: list[Person]
) -> None:
    all_say(strangers, QUESTION)
    kill(stage, WEB)
    with ThreadPoolExecutor(1) as threads:
        writing = threads.submit(all_say, strangers, "怎么退货")
        kill(stage, WEB)
        writing.result()
    all_say(strangers, "怎么取货")
    for person in strangers:
        reads(person, ANSWER)


def test_the_clock_is_killed_while_a_notice_waits_for_its_next_try(stage: Stage, strangers: list[Person]) -> None:
    stage.wechat.wecom.faults.answer(-1, to=SEND, times=2)
    all_say(strangers[:2], CALL)
    kill(stage, CLOCK)
    wait_for_notices(stage, *strangers[:2])


def test_valkey_is_killed_and_emptied_while_people_call_for_a_person(stage: Stage, strangers: list[Person]) -> None:
    with ThreadPoolExecutor(1) as threads:
        writing = threads.submit(all_say, strangers[:5], CALL)
        kill(stage, VALKEY)
        writing.result()
        writing = threads.submit(all_say, strangers[5:], CALL)
        wait_until(lambda: is_emptied(stage), "Valkey could be emptied")
        writing.result()
    wait_for_notices(stage, *strangers)


def is_emptied(stage: Stage) -> bool:
    """Throws away all that Valkey holds; False while it cannot be reached."""
    with connect(EmbeddedValkey(stage.data_dir).url) as valkey:
        try:
            return bool(valkey.flushall())
        except RedisError:
            return False


def test_without_valkey_replies_come_in_time_and_notices_all_the_same(stage: Stage, strangers: list[Person]) -> None:
    valkey = process_of(stage, VALKEY)
    assert valkey is not None
    began = time.monotonic()
    os.kill(valkey, signal.SIGSTOP)
    try:
        for person in strangers:
            delivery = person.send(CALL)
            assert delivery.reply is not None
            assert delivery.tries == 1  # the platform waits five seconds, then it tries again
            wait_for_notices(stage, person)
            if time.monotonic() - began > AWAY:
                break
    finally:
        os.kill(valkey, signal.SIGCONT)
    all_say(strangers[-1:], QUESTION)
    reads(strangers[-1], ANSWER)


@pytest.mark.timeout(180)
def test_after_sigterm_nothing_is_left_and_the_next_start_finishes_what_was_under_way(tmp_path: Path) -> None:
    with Stage(tmp_path) as first:
        all_say([first.wechat.person(name) for name in (*OF_ZHANG, *OF_LI)], CALL)
        family = descendants(first.pid)
        os.kill(first.pid, signal.SIGTERM)
        for pid in (*family, first.pid):
            assert_ends(pid)
    with Stage(tmp_path) as second, closing(Accounts(second)) as accounts:
        accounts.settle(PATIENCE)
        accounts.check_announcements([*heard_by_staff(first), *heard_by_staff(second)])
        say(second.wechat.person("路人"), QUESTION)
        reads(second.wechat.person("路人"), ANSWER)


@pytest.mark.timeout(180)
def test_in_the_end_every_message_has_one_outcome_and_nobody_heard_a_thing_twice(stage: Stage) -> None:
    with closing(Accounts(stage)) as accounts:
        accounts.settle(LEASE + PATIENCE)
        assert {row.status for row in accounts.rows(outbox)} == {"sent"}
        assert stage.wechat.wecom.dropped == 0
        accounts.check_announcements(heard_by_staff(stage))
        accounts.check_conversations()
