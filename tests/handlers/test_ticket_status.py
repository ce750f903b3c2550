from __future__ import annotations

from pathlib import Path

import pytest

from bot.clock import ShiftedClock
from bot.storage.store import Store
from tests.escalation.scene import Scene


@pytest.fixture
def scene(store: Store, clock: ShiftedClock, tmp_path: Path) -> Scene:
    return Scene(store, clock, tmp_path / "media")


def test_the_resident_learns_how_her_ticket_stands_however_she_asks(scene: Scene) -> None:
    scene.says("alice", "人工")
    for words in ("工单 0001 到哪了", "工单0001", "工單：１", "我的工单呢", "查一下工单", "我投诉的事处理得怎么样了"):
        assert "工单 0001：" in scene.says("alice", words)


def test_every_status_has_words_of_its_own(scene: Scene) -> None:
    scene.says("alice", "人工")
    assert "等人接手" in scene.says("alice", "我的工单")
    scene.says("zhang", "接单 0001")
    scene.says("zhang", "机器人 开 0001")
    scene.reads("alice")
    assert "张团长正在帮您办" in scene.says("alice", "我的工单")
    scene.says("zhang", "解决 0001")
    scene.reads("alice")
    assert "处理过了" in scene.says("alice", "我的工单")
    scene.says("alice", "解决了")
    assert "您也确认过了" in scene.says("alice", "工单0001")


def test_anothers_ticket_is_answered_like_a_number_that_does_not_exist(scene: Scene) -> None:
    scene.says("alice", "人工")
    assert scene.says("bob", "工单 0001 到哪了").startswith("没有找到您的工单 0001")
    assert scene.says("bob", "工单 0999 到哪了").startswith("没有找到您的工单 0999")
    assert "还没有工单" in scene.says("bob", "我的工单")


def test_the_bare_number_of_ones_own_ticket_is_enough(scene: Scene) -> None:
    scene.says("alice", "人工")
    assert "工单 0001：" in scene.says("alice", "0001")
    assert scene.says("bob", "0001") == "机器人的回答"
