from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from faq.knowledge import Knowledge


@pytest.fixture
def load(tmp_path: Path) -> Callable[[str], Knowledge]:
    """Reads knowledge from the text of one file."""

    def from_text(text: str) -> Knowledge:
        file = tmp_path / "questions.yaml"
        file.write_text(text, encoding="utf-8")
        return Knowledge.load([file], {})

    return from_text
