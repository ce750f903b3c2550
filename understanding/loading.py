"""Reads everything that a reader of messages needs, from the operator's files and from what was learnt."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import structlog

from config.errors import ConfigError
from config.settings import ROOT, Settings
from config.yaml_file import YamlFile, read_yaml
from faq.embedding import SentenceModel
from faq.knowledge import Addition, Knowledge
from faq.learnt import LearntStore
from faq.matching import Matcher
from faq.references import refuse_missing
from faq.text import Speech
from shop.policy import Policy
from understanding import skills
from understanding.clauses import ClauseReader
from understanding.kinds import KindReader
from understanding.mood import MoodReader
from understanding.person import PersonReader
from understanding.priority import PriorityReader
from understanding.reader import Reader, Senses, Thresholds
from understanding.slots import SlotReader

log = structlog.get_logger()

_MODEL = "sentence_model"
_NEEDED = ("tolerated_wrong", "clarify", "low_mood")
_EXAMPLES = {"tolerated_wrong": 0.02, "clarify": 0.25, "low_mood": 0.5, "answer": 0.8, "answer_in_group": 0.9}


def load_reader(
    settings: Settings, additions: Iterable[Addition] = (), figures: Collection[str] | None = None
) -> Reader:
    """Reads knowledge, word lists and thresholds. Raises ConfigError with file and line for what can't be used.

    ``additions`` were approved since the files were written. ``figures``: those of the policy in use, by name;
    without them they are read from ``policy.yaml``.
    """
    added = tuple(additions)
    knowledge = Knowledge.load(settings.files("faq"), settings.environ).extended(added)
    if figures is None:
        figures = Policy.load(settings.file("policy.yaml"), settings.environ).figures
    refuse_missing(knowledge, skills.KNOWN, figures)

    def words(name: str) -> YamlFile:
        return read_yaml(settings.file(f"words/{name}.yaml"), settings.environ)

    produce, speech, examples = words("produce"), words("speech"), words("examples")
    learnt = _learnt_store(settings, added)
    senses = Senses(
        ClauseReader.load(speech),
        KindReader.load(words("kinds"), examples, learnt),
        MoodReader.load(words("mood"), examples, learnt),
        PersonReader.load(words("person")),
        PriorityReader.load(words("priority")),
        SlotReader.load(produce),
    )
    decisions = read_yaml(settings.file("understanding.yaml"), settings.environ)
    _check_decisions(decisions)
    model = _model_if_it_works(decisions, settings)
    spoken = load_speech(speech, produce, words("concepts"))
    matcher = Matcher(knowledge, spoken, load_chatter(words("chatter")), learnt, model)
    thresholds = Thresholds.of(decisions.value, matcher)
    return Reader(knowledge, matcher, senses, thresholds)


def _learnt_store(settings: Settings, additions: Sequence[Addition]) -> LearntStore:
    """Where what is learnt is kept: once for all who use the shipped knowledge as it is, else beside the own data."""
    own = settings.data_dir / "learnt"
    as_shipped = not additions and all(file.is_relative_to(settings.shipped_dir) for file in settings.files("faq"))
    return LearntStore(settings.shipped_dir.parent / ".cache" / "learnt", own) if as_shipped else LearntStore(own)


def _check_decisions(file: YamlFile) -> None:
    """Raises ConfigError for a key that is missing or unknown and for a value that is no probability."""
    content = file.value if isinstance(file.value, Mapping) else {}
    for key in content:
        if key not in (*_EXAMPLES, _MODEL):
            raise file.error(f"there is no threshold {key!r}", f"use only {', '.join((*_EXAMPLES, _MODEL))}", key)
    for key in (key for key in _EXAMPLES if key in _NEEDED or key in content):
        value = content.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise file.error(f"{key} is not a number from 0 to 1", f"write '{key}: {_EXAMPLES[key]}'", key)
    if content["clarify"] > min(content.get("answer", 1.0), content.get("answer_in_group", 1.0)):
        raise file.error("clarify is above answer", "lower clarify", "clarify")


def _model_if_it_works(file: YamlFile, settings: Settings) -> SentenceModel | None:
    """A broken model is told and left out: it helps, and nothing depends on it."""
    folder = sentence_model_folder(file, settings)
    try:
        return SentenceModel(folder) if folder else None
    except ConfigError as error:
        log.error("sentence_model_left_out", problem=error.problem, remedy=error.remedy)
        return None


def sentence_model_folder(file: YamlFile, settings: Settings) -> Path | None:
    """The folder of the model that the operator supplies, written as seen from the configuration; None for none.

    Raises ConfigError for what is no name of a folder.
    """
    folder = file.value.get(_MODEL) if isinstance(file.value, Mapping) else None
    if folder is None:
        return None
    if not isinstance(folder, str):
        raise file.error(f"{_MODEL} is not the name of a folder", f"write '{_MODEL}: /path/to/model'", _MODEL)
    return settings.config_dir / folder


def load_speech(file: YamlFile, produce: YamlFile, concepts: YamlFile) -> Speech:
    """Reads fillers and synonyms, what products there are, and what words mean."""
    content = file.value if isinstance(file.value, Mapping) else {}
    fillers, same = content.get("fillers") or [], content.get("same") or {}
    if not isinstance(fillers, list) or not all(isinstance(word, str) for word in fillers):
        raise file.error("fillers is not a list of words", "write 'fillers: [one, two]'", "fillers")
    _check_words(file, same, "same")
    _check_words(concepts, concepts.value or {})
    return Speech(fillers, same, produce.value, concepts.value)


def _check_words(file: YamlFile, words_of: object, *keys: str) -> None:
    """Raises ConfigError for what is no list of words under a name."""
    for name, words in words_of.items() if isinstance(words_of, Mapping) else ():
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise file.error(f"{name} is not a list of words", f"write '{name}: [one, two]'", *keys, name)


def load_chatter(file: YamlFile) -> list[str]:
    """Reads the everyday lines that no entry answers."""
    lines = file.value.get("lines") if isinstance(file.value, Mapping) else None
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise file.error("lines is not a list of texts", "write 'lines:' and one text a line after '- '")
    return lines


def shipped_speech() -> Speech:
    """The ways of speaking that ship, for what is trained and measured on them."""
    return load_speech(
        *(read_yaml(ROOT / f"config/words/{name}.yaml", {}) for name in ("speech", "produce", "concepts"))
    )
