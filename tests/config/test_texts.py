from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import ConfigError
from config.texts import Texts

WHOLE = "greeting:\n  hello: {plain: 您好, elder: 您好, group: 大家好}\n"


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        ("greeting:\n  hello: {plain: 您好, elder: 您好}\n", 2, "lacks the form group"),
        ("greeting:\n  hello: {plain: [, elder}\n", 2, "YAML"),
        ("greeting: 您好\n", 1, "not in sections"),
        (WHOLE + "  hello: {plain: 您好, elder: 您好, group: 大家好}\n", 3, "hello"),
    ],
    ids=["a form missing", "broken", "no sections", "twice"],
)
def test_a_mistake_in_a_texts_file_is_told_with_file_and_line(
    tmp_path: Path, content: str, line: int, problem: str
) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=problem) as caught:
        Texts.load([file])
    assert (caught.value.file, caught.value.line) == (str(file), line)


def test_the_same_sentence_in_two_files_is_refused(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(WHOLE, encoding="utf-8")
    with pytest.raises(ConfigError, match="stands twice"):
        Texts.load(tmp_path.glob("*.yaml"))
