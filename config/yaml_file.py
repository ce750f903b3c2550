"""YAML as operators write it: with line numbers for what is wrong, and ``${VAR}`` from the environment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from config.errors import ConfigError

LARGEST_FILE = 5 * 1024 * 1024

# The C parser reads ten times faster; builds of the library without it bring the other one.
Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A read file: ``value`` is plain Python, None for an empty file."""

    path: Path
    value: Any
    _root: yaml.Node | None = field(repr=False)

    def line_of(self, *keys: str | int) -> int:
        """The line, from 1, where the value under these keys stands, or the nearest thing above it that exists."""
        node, line = self._root, 1
        for key in keys:
            found = _step(node, key)
            if found is None:
                break
            line, node = found
        return line

    def error(self, problem: str, remedy: str, *keys: str | int) -> ConfigError:
        """A ConfigError at the line of these keys."""
        return ConfigError(problem, remedy, file=self.path, line=self.line_of(*keys))


def read_yaml(path: Path, environ: Mapping[str, str]) -> YamlFile:
    """Reads one file of at most 5 MB, with ``${VAR}`` inside texts replaced from ``environ``.

    Raises ConfigError with file and line: unreadable, not UTF-8, broken, a key twice, a variable unset or empty.
    """
    text = _read_text(path)
    loader = Loader(text)
    try:
        root = loader.get_single_node()
        for node in _each_node(root):
            _refuse_repeated_keys(node, path)
            _fill_variables(node, environ, path)
        value = None if root is None else loader.construct_document(root)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise _broken(error, text, path) from None
    finally:
        loader.dispose()
    return YamlFile(path, value, root)


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise ConfigError("the file does not exist", "make it, or mend the name", file=path) from None
    except OSError as error:
        raise ConfigError(f"the file cannot be read ({error.strerror})", "make it readable", file=path) from None
    if len(data) > LARGEST_FILE:
        raise ConfigError("the file is larger than 5 MB", "split it into several files", file=path)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError("the text is not UTF-8", "save the file in UTF-8", file=path, line=line) from None


def _each_node(root: yaml.Node | None) -> Iterator[yaml.Node]:
    """Every node once, however often an alias points to it."""
    waiting, seen = [root], set()
    while waiting:
        node = waiting.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        if isinstance(node, yaml.MappingNode):
            waiting.extend(part for pair in node.value for part in pair)
        elif isinstance(node, yaml.SequenceNode):
            waiting.extend(node.value)


def _refuse_repeated_keys(node: yaml.Node, path: Path) -> None:
    if not isinstance(node, yaml.MappingNode):
        return
    first_line: dict[tuple[str, str], int] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            continue
        line, seen = key.start_mark.line + 1, first_line.get((key.tag, key.value))
        if seen:
            problem = f"the key {key.value!r} stands twice, first in line {seen}"
            raise ConfigError(problem, "keep one of the two", file=path, line=line)
        first_line[key.tag, key.value] = line


def _fill_variables(node: yaml.Node, environ: Mapping[str, str], path: Path) -> None:
    if not isinstance(node, yaml.ScalarNode):
        return

    def replacement(match: re.Match[str]) -> str:
        name = match[1]
        if environ.get(name, "").strip():
            return environ[name]
        problem = f"the environment variable {name} is {'empty' if name in environ else 'not set'}"
        raise ConfigError(
            problem, f"set {name} in the environment or in .env", file=path, line=node.start_mark.line + 1
        )

    node.value = _VARIABLE.sub(replacement, node.value)


def _broken(error: Exception, text: str, path: Path) -> ConfigError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = mark.line + 1 if mark else None
    problem, remedy = "it cannot be understood", "check indentation, colons and quotes here and in the line above"
    if isinstance(error, yaml.composer.ComposerError | yaml.constructor.ConstructorError):
        # The library's own words would show the value, which may be a secret.
        problem, remedy = "a value means something else to YAML than its letters", "put it in quotes"
    elif isinstance(error, yaml.reader.ReaderError):
        problem, line = error.reason, text.count("\n", 0, error.position) + 1
    elif isinstance(error, yaml.MarkedYAMLError):
        problem = error.problem or problem
    return ConfigError(f"this is not valid YAML: {problem}", remedy, file=path, line=line)


def _step(node: yaml.Node | None, key: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if isinstance(name, yaml.ScalarNode) and name.value == str(key):
                return name.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key].start_mark.line + 1, node.value[key]
    return None
