from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from config.errors import ConfigError
from faq.knowledge import Entry, Knowledge
from faq.snapshots import SnapshotFigures, Snapshots, files_state


@dataclass
class Source:
    """Knowledge that a test changes by hand."""

    state: int = 0
    broken: bool = False
    empty: bool = False
    built: list[int] = field(default_factory=list)
    meanwhile: int | None = None

    def build(self) -> Box:
        if self.broken:
            raise ConfigError("the braces can't be read", "close them", file="own.yaml", line=3)
        self.built.append(self.state)
        entries = [] if self.empty else [Entry("a", f"第{self.state}版", answer="答")]
        box = Box(Knowledge(entries))
        self.state = self.meanwhile or self.state
        return box


@dataclass(frozen=True)
class Box:
    knowledge: Knowledge


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def snapshots(source: Source) -> Iterator[Snapshots[Box]]:
    kept = Snapshots(source.build(), 0, build=source.build, look=lambda: source.state)
    yield kept
    kept.close()


def test_what_is_unchanged_is_not_built_again(source: Source, snapshots: Snapshots[Box]) -> None:
    assert not snapshots.renew()
    assert source.built == [0]


def test_a_change_is_taken_in_whole_once_it_has_settled(source: Source, snapshots: Snapshots[Box]) -> None:
    before = snapshots.current
    source.state = 1
    assert not snapshots.renew()
    assert snapshots.current is before
    assert snapshots.renew()
    assert snapshots.current.knowledge["a"].question == "第1版"
    assert snapshots.current.knowledge.version != before.knowledge.version


def test_a_bad_file_leaves_the_old_knowledge_says_so_and_is_not_tried_again(
    source: Source, snapshots: Snapshots[Box]
) -> None:
    source.state, source.broken = 1, True
    before = snapshots.current
    assert [snapshots.renew() for _ in range(3)] == [False] * 3
    assert snapshots.current is before
    assert "own.yaml:3" in (snapshots.refused or "")
    assert figures(snapshots)["qunda_knowledge_refused"] == 1
    source.state, source.broken = 2, False
    assert [snapshots.renew() for _ in range(2)] == [False, True]
    assert snapshots.refused is None
    assert figures(snapshots)["qunda_knowledge_refused"] == 0


def test_files_without_an_entry_leave_the_old_knowledge_and_say_so(source: Source, snapshots: Snapshots[Box]) -> None:
    source.state, source.empty = 1, True
    assert [snapshots.renew() for _ in range(3)] == [False] * 3
    assert len(snapshots.current.knowledge) == 1
    assert "no entry" in (snapshots.refused or "")


def test_what_changes_while_it_is_built_is_not_used_half(source: Source, snapshots: Snapshots[Box]) -> None:
    source.state, source.meanwhile = 1, 2
    assert [snapshots.renew() for _ in range(2)] == [False, False]
    assert snapshots.current.knowledge["a"].question == "第0版"
    source.meanwhile = None
    assert [snapshots.renew() for _ in range(2)] == [False, True]
    assert snapshots.current.knowledge["a"].question == "第2版"


def test_the_watch_takes_a_change_in_and_survives_a_look_that_fails(source: Source) -> None:
    taken_in, looks = threading.Event(), iter((OSError("gone"), 1))

    def look() -> object:
        seen = next(looks, 1)
        if isinstance(seen, OSError):
            raise seen
        return seen

    def build() -> Box:
        taken_in.set()
        return source.build()

    snapshots = Snapshots(source.build(), 0, build=build, look=look)
    snapshots.watch(every=0.001)
    assert taken_in.wait(10)
    snapshots.close()


def test_the_state_of_files_changes_with_their_content_their_number_and_their_absence(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    states = [files_state([file])]
    file.write_text("one")
    states.append(files_state([file]))
    file.write_text("two!")
    states.append(files_state([file]))
    os.utime(file, ns=(1, 1))
    states.append(files_state([file]))
    assert len(set(states)) == 4
    assert files_state([file]) == states[-1]


def test_the_figures_name_the_version(snapshots: Snapshots[Box]) -> None:
    version = snapshots.current.knowledge.version
    assert figures(snapshots)[f'qunda_knowledge_entries{{version="{version}"}}'] == 1


def figures(snapshots: Snapshots[Box]) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(SnapshotFigures(snapshots))
    lines = generate_latest(registry).decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}
