from __future__ import annotations

from pathlib import Path

import pytest

from bot.clock import ShiftedClock
from bot.storage.store import Store
from tests.escalation.scene import Scene


@pytest.fixture
def scene(store: Store, clock: ShiftedClock, tmp_path: Path) -> Scene:
    return Scene(store, clock, tmp_path / "media")
