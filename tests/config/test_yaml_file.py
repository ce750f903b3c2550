from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import ConfigError
from config.yaml_file import LARGEST_FILE, YamlFile, read_yaml


def read(tmp_path: Path, text: str | bytes, **environ: str) -> YamlFile:
    file = tmp_path / "some.yaml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_yaml(file, environ)


def refused(tmp_path: Path, text: str | bytes, **environ: str) -> ConfigError:
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, text, **environ)
    assert raised.value.file == str(tmp_path / "some.yaml")
    return raised.value


def test_the_line_of_a_value_is_known(tmp_path: Path) -> None:
    file = read(tmp_path, "# first\noa:\n  kind: x\n  tags:\n    - one\n    - two\n")
    assert file.value == {"oa": {"kind": "x", "tags": ["one", "two"]}}
    assert file.line_of("oa") == 2
    assert file.line_of("oa", "kind") == 3
    assert file.line_of("oa", "tags", 1) == 6


def test_the_line_of_what_is_missing_is_that_of_the_thing_above(tmp_path: Path) -> None:
    file = read(tmp_path, "\noa:\n  kind: x\n")
    assert file.line_of("oa", "token") == 2
    assert file.line_of("app", "token") == 1


def test_an_empty_file_has_no_value(tmp_path: Path) -> None:
    assert read(tmp_path, "# nothing yet\n").value is None


def test_variables_are_filled_in_from_the_environment(tmp_path: Path) -> None:
    file = read(tmp_path, "a: ${ID}\nb: 'https://${HOST}/x'\n", ID="0123", HOST="example.com")
    assert file.value == {"a": "0123", "b": "https://example.com/x"}


@pytest.mark.parametrize(("environ", "problem"), [({}, "TOKEN is not set"), ({"TOKEN": " "}, "TOKEN is empty")])
def test_a_variable_without_value_is_refused_with_its_line(
    tmp_path: Path, environ: dict[str, str], problem: str
) -> None:
    error = refused(tmp_path, "a: 1\nb: ${TOKEN}\n", **environ)
    assert error.line == 2
    assert problem in error.problem


@pytest.mark.parametrize("text", ["a: 1\nb: 2\na: 3\n", "x: 1\ny:\n  {a: 1, a: 2}\n", "x:\n\n  - {a: 1, a: 2}\n"])
def test_a_key_that_stands_twice_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    assert refused(tmp_path, text).line == 3


@pytest.mark.parametrize(
    "text", ["a: 1\n  b: 2\n", "a: 1\n\tb: 2\n", "a: 1\nb: 'open\n", "a: 1\n[a]: 2\n", "a: 1\nb: \x07\n"]
)
def test_broken_yaml_is_refused_with_a_line(tmp_path: Path, text: str) -> None:
    error = refused(tmp_path, text)
    assert error.line in (2, 3)
    assert "not valid YAML" in error.problem


@pytest.mark.parametrize("secret", ["!hunter2", "*hunter2", "@hunter2", "`hunter2"])
def test_a_secret_that_yaml_reads_as_something_else_is_not_told(tmp_path: Path, secret: str) -> None:
    error = refused(tmp_path, f"a: 1\nb: {secret}\n")
    assert error.line == 2
    assert "hunter2" not in str(error)


def test_python_objects_are_not_made_from_a_file(tmp_path: Path) -> None:
    assert refused(tmp_path, "a: !!python/object/apply:os.system [id]\n").line == 1


def test_a_file_in_another_encoding_is_refused_with_the_line_of_the_first_odd_letter(tmp_path: Path) -> None:
    error = refused(tmp_path, "a: 1\nb: 团长\n".encode("gbk"))
    assert error.line == 2
    assert "UTF-8" in error.remedy


def test_a_byte_order_mark_is_no_trouble(tmp_path: Path) -> None:
    assert read(tmp_path, "a: 群\n".encode("utf-8-sig")).value == {"a": "群"}


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    assert "5 MB" in refused(tmp_path, b"#" * (LARGEST_FILE + 1)).problem


def test_nested_aliases_do_not_grow_without_end(tmp_path: Path) -> None:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 30))
    assert len(read(tmp_path, f"l0: &l0 [x]\n{levels}").value) == 30


def test_a_missing_file_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        read_yaml(tmp_path / "none.yaml", {})
