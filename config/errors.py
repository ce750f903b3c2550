"""How a mistake in a configuration file is told to the operator."""

from __future__ import annotations

from pathlib import Path


class ConfigError(Exception):
    """A file or a setting is wrong. The text names file and line, the problem, and what to write instead."""

    def __init__(self, problem: str, remedy: str, *, file: Path | str | None = None, line: int | None = None) -> None:
        self.problem = problem
        self.remedy = remedy
        self.file = str(file) if file is not None else None
        self.line = line
        super().__init__(str(self))

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: " if self.file and self.line else f"{self.file}: " if self.file else ""
        return f"{where}{self.problem}\n  To mend it: {self.remedy}"
