from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from bot.message import Message
from bot.storage.tables import inbox
from escalation import tickets
from escalation.priorities import higher, one_step_up
from escalation.tables import tickets as ticket_table
from escalation.tickets import label
from tests.escalation.scene import Scene


def test_a_number_is_written_with_at_least_four_digits() -> None:
    assert label(7) == "工单 0007"
    assert label(12345) == "工单 12345"


def test_a_priority_rises_one_step_and_not_above_the_highest() -> None:
    assert [one_step_up(priority) for priority in ("P2", "P1", "P0")] == ["P1", "P0", "P0"]
    assert higher("P2", "P0") == higher("P0", "P1") == "P0"


def test_the_database_refuses_a_second_open_hand_off_and_a_solved_one_makes_room(scene: Scene) -> None:
    scene.says("alice", "人工")
    row = {key: value for key, value in scene.ticket(1)._mapping.items() if key != "id"}
    with pytest.raises(IntegrityError), scene.store.write() as connection:
        connection.execute(insert(ticket_table).values(row))
    scene.says("zhang", "解决 0001")
    assert "已经转给张团长了（工单 000" in scene.says("alice", "人工")


def test_a_claim_and_a_hand_off_may_be_open_side_by_side(scene: Scene) -> None:
    scene.says("alice", "报损")
    assert "工单 0002" in scene.says("alice", "人工")
    with scene.store.read() as connection:
        found = tickets.open_in(connection, scene.conversation("alice").id)
    assert [ticket.kind for ticket in found] == ["claim", "handoff"]


def test_many_hand_offs_at_once_are_one_ticket(scene: Scene) -> None:
    messages = [Message("oa", "alice", f"race:{n}", "text", scene.clock.now(), "人工") for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(scene.turns.take, messages))
    assert scene.ticket(1).status == "waiting"
    with scene.store.read() as connection:
        assert tickets.find(connection, 2) is None
        kinds = [event.kind for event in tickets.events(connection, 1, 50)]
    assert kinds == ["opened"] + ["repeated"] * 7


def test_a_resident_and_staff_who_act_at_once_do_not_block_each_other(scene: Scene) -> None:
    scene.says("alice", "人工")
    zhang, chen, wu, alice = scene.address("zhang"), scene.address("chen"), scene.address("wu"), ("oa", "alice")
    said = [(alice, "还在吗"), (zhang, "接单 0001"), (chen, "接单 0001"), (zhang, "机器人 开 0001"), (alice, "人工")]
    said += [(zhang, "机器人 关 0001"), (zhang, "解决 0001"), (alice, "没解决"), (wu, "接单 0001")]
    messages = [
        Message(channel, account, f"race:{n}", "text", scene.clock.now(), text)
        for n, ((channel, account), text) in enumerate(said * 5)
    ]
    with ThreadPoolExecutor(9) as pool:
        list(pool.map(scene.turns.take, messages))
    with scene.store.read() as connection:
        outcomes: set[str] = set(connection.execute(select(inbox.c.outcome)).scalars())
    assert outcomes == {"handled"}
