from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from faq import matching
from faq.knowledge import Entry, Knowledge
from faq.learnt import LearntStore
from faq.matching import Matcher

KNOWLEDGE = Knowledge(
    [
        Entry("refund", "退款多久到账", ("钱什么时候退回来", "退的钱到了吗"), answer="三天"),
        Entry("pickup", "几点可以取货", ("什么时候能拿", "取货时间是几点"), answer="四点"),
    ]
)
QUESTIONS = ("退款几天到", "几点能拿货", "你好吗", "取货")


def readings(folder: Path | None) -> list:
    matcher = Matcher(KNOWLEDGE, chatter=["今天真热"], learnt=LearntStore(folder) if folder else None)
    return [matcher.match(question) for question in QUESTIONS]


def test_what_was_kept_reads_messages_exactly_as_what_was_learnt(tmp_path: Path) -> None:
    learnt = readings(None)
    assert readings(tmp_path) == learnt
    assert len(list(tmp_path.glob("*.npz"))) == 1
    assert readings(tmp_path) == learnt


@pytest.mark.parametrize("content", [b"", b"not a file of ours", b"PK\x03\x04 broken"])
def test_a_broken_file_is_learnt_anew(tmp_path: Path, content: bytes) -> None:
    learnt = readings(tmp_path)
    (file,) = tmp_path.glob("*.npz")
    file.write_bytes(content)
    assert readings(tmp_path) == learnt
    assert file.stat().st_size > len(content)


def test_another_knowledge_is_not_taken_for_this_one(tmp_path: Path) -> None:
    readings(tmp_path)
    Matcher(Knowledge(KNOWLEDGE.entries[:1]), learnt=LearntStore(tmp_path))
    assert len(list(tmp_path.glob("*.npz"))) == 2


def test_of_several_folders_the_first_that_can_be_written_to_is_used_by_all(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    folders = (tmp_path / "file" / "learnt", tmp_path / "shared", tmp_path / "own")
    Matcher(KNOWLEDGE, learnt=LearntStore(*folders))
    assert len(list(folders[1].iterdir())) == 1
    assert not folders[2].exists()


def test_two_that_start_together_learn_only_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lessons: list[int] = []
    learn = matching._taught

    def counted(*given: Any) -> Any:
        lessons.append(1)
        return learn(*given)

    monkeypatch.setattr(matching, "_taught", counted)
    starts = [threading.Thread(target=readings, args=(tmp_path,)) for _ in range(2)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    assert len(lessons) == 1


def test_a_folder_that_cannot_be_made_costs_nothing_but_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    assert readings(tmp_path / "file" / "learnt") == readings(None)
