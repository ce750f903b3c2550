from __future__ import annotations

import json
from pathlib import Path

import pytest

from commands.errors import CommandRefused
from commands.understand import run
from understanding.reader import Reader


@pytest.fixture(autouse=True)
def _own_data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUNDA_DATA_DIR", str(tmp_path / "data"))


def test_one_message_is_understood_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("我的苹果烂了一半", None, None) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["text"] == "我的苹果烂了一半"
    assert printed["kinds"] == ["rotten"]


@pytest.fixture
def read_before(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spares reading the knowledge anew."""
    monkeypatch.setattr("commands.understand.load_reader", lambda *_: reader)


@pytest.mark.usefixtures("read_before")
def test_a_file_is_answered_line_by_line_and_keeps_what_was_asked(tmp_path: Path) -> None:
    asked: list[dict[str, object]] = [
        {"text": "退款多久到账", "id": 7},
        {"text": "退款多久到账", "history": ["退款多久到账"], "group": True},
        {"text": "\ud800"},
    ]
    file, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in asked) + "\n\n", encoding="utf-8")
    assert run(None, file, out) == 0
    answered = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [{key: line[key] for key in question} for line, question in zip(answered, asked, strict=True)] == asked
    assert answered[1]["low_mood"] > answered[0]["low_mood"]
    assert answered[2]["entry"] is None


@pytest.mark.usefixtures("read_before")
@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{text", "not JSON"),
        ("[]", "no text"),
        ('{"text": 3}', "no text"),
        ('{"text": "好", "history": "好"}', "history is not"),
        ('{"text": "好", "group": "yes"}', "group is neither"),
    ],
)
def test_a_line_that_can_not_be_read_is_named(tmp_path: Path, line: str, problem: str) -> None:
    file = tmp_path / "in.jsonl"
    file.write_text('{"text": "好"}\n' + line, encoding="utf-8")
    with pytest.raises(CommandRefused, match=f"in.jsonl:2: .*{problem}"):
        run(None, file, tmp_path / "out.jsonl")


def test_neither_and_both_are_refused(tmp_path: Path) -> None:
    for text, file in ((None, None), ("好", tmp_path / "in.jsonl")):
        with pytest.raises(CommandRefused, match="one message or one file"):
            run(text, file, None)


@pytest.mark.usefixtures("read_before")
def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandRefused, match="cannot be read"):
        run(None, tmp_path / "nothing.jsonl", None)
