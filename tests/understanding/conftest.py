from __future__ import annotations

import pytest

from config.settings import Settings
from understanding.loading import load_reader
from understanding.reader import Reader


@pytest.fixture(scope="session")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """A reader with the knowledge and word lists that ship."""
    environ = {"QUNDA_DATA_DIR": str(tmp_path_factory.mktemp("data"))}
    return load_reader(Settings.load(environ, make_secret=True))
