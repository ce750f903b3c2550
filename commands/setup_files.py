"""The files that ``./qunda setup`` writes, and the rules of those files that an answer is held against."""

from __future__ import annotations

import json
import os
import re
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from dotenv.parser import parse_stream

from commands.errors import CommandRefused
from commands.setup_questions import KEY_LENGTH, WECOM_APP, Kind, Question
from config.channels import load_channels
from config.errors import ConfigError
from shop.directory import Directory

Check = Callable[[str], str | None]
"""Why an answer cannot be right; None when it may be."""

# A valid value for every other key while one is looked at.
_STAND_IN = {
    "app_id": "wx1",
    "corp_id": "ww1",
    "agent_id": "1",
    "open_kfid": "wk1",
    "secret": "s",
    "token": "t",
    "aes_key": "A" * KEY_LENGTH,
}


def channels_yaml(kinds: Sequence[Kind]) -> str:
    """The file's text; secrets stand in ``.env``."""
    lines = ["# Written by ./qunda setup. What else may stand here: channels.example.yaml"]
    for kind in kinds:
        lines += ["", f"# {kind.title}", f"{kind.name}:", f"  kind: {kind.kind}"]
        lines += [f"  {question.key}: ${{{question.variable}}}" for question in kind.questions]
    return "\n".join(lines) + "\n"


def people_yaml(community: Mapping[str, str], leader: Mapping[str, str]) -> str:
    """The file's text, with one community and its leader. ``kf_scene`` is there with the customer service."""
    lines = [
        "# Written by ./qunda setup. What else may stand here, agents and supervisors first: people.example.yaml",
        "communities:",
        f"  - id: {_quoted(community['id'])}",
        f"    name: {_quoted(community['name'])}",
        f"    leader: {_quoted(leader['id'])}",
        f"    pickup_point: {_quoted(community['pickup_point'])}",
        f"    pickup_hours: {_quoted(community['pickup_hours'])}",
        *([f"    kf_scene: {_quoted(community['kf_scene'])}"] if community.get("kf_scene") else []),
        "",
        "staff:",
        f"  - id: {_quoted(leader['id'])}",
        f"    name: {_quoted(leader['name'])}",
        "    role: leader",
    ]
    if leader.get("account"):
        lines.append(f"    accounts: {{{WECOM_APP.name}: {_quoted(leader['account'])}}}")
    return "\n".join(lines) + "\n"


def env_with(path: Path, values: Mapping[str, str]) -> str:
    """The lines of ``.env`` with these values in place of older ones, or at the end."""
    kept = ""
    if path.exists():
        with path.open(encoding="utf-8-sig") as stream:
            kept = "".join(part.original.string for part in parse_stream(stream) if part.key not in values)
    if kept and not kept.endswith("\n"):
        kept += "\n"
    return kept + "".join(f"{name}={_env_value(value)}\n" for name, value in values.items())


def _env_value(value: str) -> str:
    """In quotes where the file's reader would take a letter for something else."""
    if re.fullmatch(r"[\w./:=+-]*", value, re.ASCII):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def write_all(files: Mapping[Path, str]) -> None:
    """Writes all or none: drafts first, then renames that Ctrl-C does not come between. Mode 600."""
    drafts: dict[Path, Path] = {}
    try:
        for path, text in files.items():
            descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
            drafts[path] = Path(draft)
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
        with _uninterrupted():
            for path, draft_path in drafts.items():
                os.replace(draft_path, path)
    except OSError as error:
        raise CommandRefused(
            f"the files cannot be written ({error.strerror})", "see that this user may write there, and has space"
        ) from None
    finally:
        for draft_path in drafts.values():
            draft_path.unlink(missing_ok=True)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _quoted(text: str) -> str:
    """A text as YAML in quotes, whatever is in it."""
    return json.dumps(text, ensure_ascii=False)


def of_channel(kind: Kind, question: Question) -> Check:
    """Holds one credential against the rules of ``channels.yaml``."""

    def check(given: str) -> str | None:
        if re.search(r"\s|[^\x20-\x7e]|['\"$\\]", given):
            return "there is a blank, a quote or a strange character in it; copy it again"
        others = {other.key: _STAND_IN[other.key] for other in kind.questions if other != question}
        lines = [f"{key}: {_quoted(value)}" for key, value in {**others, question.key: given}.items()]
        text = "\n  ".join([f"{kind.name}:", f"kind: {kind.kind}", *lines])
        return _refusal(text, lambda path: load_channels(path, {}))

    return check


def of_people(community: Mapping[str, str], leader: Mapping[str, str], who: str, key: str) -> Check:
    """Holds one thing about the community or its leader against the rules of ``people.yaml``."""

    def check(given: str) -> str | None:
        if "$" in given:
            return "leave out the $, which means something else in that file"
        if key == "id" and not re.fullmatch(r"[a-z0-9-]{1,32}", given):
            return "use 1 to 32 of a-z, 0-9 and -"
        stand_in = {"id": "one", "name": "一", "pickup_point": "", "pickup_hours": ""}
        in_community = {**stand_in, **community} | ({key: given} if who == "community" else {})
        in_leader = {"id": "leader-1", "name": "二", **leader} | ({key: given} if who == "leader" else {})
        return _refusal(people_yaml(in_community, in_leader), lambda path: Directory.load(path, {}))

    return check


def _refusal(text: str, load: Callable[[Path], object]) -> str | None:
    """What the file's own reader says of a text; None when it is content."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        try:
            load(Path(file.name))
        except ConfigError as error:
            return f"{error.problem}; {error.remedy}"
    return None


def check_whole(files: Mapping[Path, str], values: Mapping[str, str]) -> None:
    """Both files as they will be, read by their own readers: what is written can be started with."""
    readers: dict[str, Callable[[Path], object]] = {
        "channels.yaml": lambda path: load_channels(path, values),
        "people.yaml": lambda path: Directory.load(path, values),
    }
    for path, text in files.items():
        problem = _refusal(text, readers[path.name]) if path.name in readers else None
        if problem is not None:
            raise CommandRefused(f"{path.name} would not be right: {problem}", "run ./qunda setup again")
