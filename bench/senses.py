"""How well mood and complaint kinds are heard, with the peers in the same run.

The labelled messages lie in ``text/`` of the folder that ``QUNDA_BENCH_DATA`` names: ``complaints_dev100.jsonl``
(``text``, ``labels``, ``primary``), ``mood_dev40.jsonl`` (``text``, ``mood``) and ``service_chats.tsv`` (session, who,
text).
Nothing is learned from them: the regression learns from the examples that ship, as the reader does.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path

from config.settings import Settings
from config.yaml_file import YamlFile, read_yaml
from understanding.examples import CALM, Examples, load_examples
from understanding.kinds import ALL, KindReader
from understanding.mood import LOW, MoodReader
from understanding.person import PersonReader

_LABELS = {
    "rotten": "rot", "expired": "rot", "damaged": "damage", "short_weight": "short", "quality": "quality",
    "not_as_described": "quality", "fake": "quality", "foreign_object": "safety", "food_safety": "safety",
    "price": "price", "discount_not_honoured": "price", "late": "delivery", "lost": "delivery",
    "taken_by_other": "delivery", "thawed": "delivery", "status_not_updated": "delivery", "wrong_item": "wrong",
    "missing_item": "wrong", "attitude": "attitude", "passed_around": "attitude", "harassment": "attitude",
    "slow_answer": "refund", "refund_slow": "refund",
}  # fmt: skip
"""Our kinds in the coarser labels of the measured set; what is not among them counts as "other"."""
_RULE_KINDS = {
    "rot": "坏|烂|霉|臭|变质", "damage": "碎|压|破|洒|撒|漏", "short": "少|不够|斤两|缺",
    "safety": "拉肚子|虫|苍蝇|过敏",
    "delivery": "慢|晚|迟|超时|小时|没到|没送", "wrong": "发错|送错|漏|没给|没有给", "attitude": "态度|骂|服务",
    "refund": "退款|不退|客服", "price": "贵|价|钱|优惠", "quality": "难吃|不好|不新鲜|不甜|酸|小|硬|味道|一般|差",
}  # fmt: skip
_RULE_MOOD = re.compile(
    "投诉|差评|垃圾|骗|急|!!|！！|\\?\\?|？？|失望|等了|到底|没人|无语|态度|还没|怎么还|算了|太慢|催|不满|生气|曝光"
)
_MOST_CHATS = 3000

Line = Mapping[str, object]
Guess = Callable[[str], str]
Score = Callable[[str], float]


def run() -> Mapping[str, float]:
    """Prints a table and returns its figures; says what to set, and returns none, when there is no data."""
    folder = Path(os.environ.get("QUNDA_BENCH_DATA", ""), "text")
    if not os.environ.get("QUNDA_BENCH_DATA") or not (folder / "complaints_dev100.jsonl").is_file():
        print("no labelled messages: set QUNDA_BENCH_DATA to the folder that holds text/complaints_dev100.jsonl")
        return {}
    words = _word_files()
    figures = {**_kinds(words, _read(folder / "complaints_dev100.jsonl")), **_moods(words, folder)}
    for name, value in figures.items():
        print(f"{name:<44}{value:>8.1f}")
    return figures


def _word_files() -> dict[str, YamlFile]:
    settings = Settings.load(os.environ, make_secret=True)
    names = ("kinds", "mood", "person", "examples")
    return {name: read_yaml(settings.file(f"words/{name}.yaml"), settings.environ) for name in names}


def _kinds(words: Mapping[str, YamlFile], lines: Sequence[Line]) -> dict[str, float]:
    reader = KindReader.load(words["kinds"], words["examples"])

    def ours(text: str) -> str:
        kinds = reader.read(text)
        return _LABELS.get(kinds[0].name, "other") if kinds else "other"

    guesses: dict[str, Guess] = {
        "keyword rule": _by_rule,
        "TF-IDF regression": _regression(load_examples(words["examples"], "kinds", sorted(ALL))),
        "qunda": ours,
    }
    figures = {}
    for name, guess in guesses.items():
        guessed = [(guess(str(line["text"])), line) for line in lines]
        figures[f"kinds, {name}: main, %"] = _percent(each == line["primary"] for each, line in guessed)
        figures[f"kinds, {name}: any, %"] = _percent(each in _collection(line["labels"]) for each, line in guessed)
    return {**figures, "kinds, qunda: µs a message": _median_time(reader.read, [str(line["text"]) for line in lines])}


def _moods(words: Mapping[str, YamlFile], folder: Path) -> dict[str, float]:
    from snownlp import SnowNLP

    lines = _read(folder / "mood_dev40.jsonl")
    texts, low = [str(line["text"]) for line in lines], [line["mood"] in LOW for line in lines]
    kinds, person = KindReader.load(words["kinds"], words["examples"]), PersonReader.load(words["person"])
    mood = MoodReader.load(words["mood"], words["examples"])

    def ours(text: str) -> float:
        complains = any(kind.sure for kind in kinds.read(text))
        return mood.read(text, complains=complains, calls=bool(person.called(text))).low

    scores: dict[str, Score] = {
        "SnowNLP": lambda text: 1 - float(SnowNLP(text).sentiments),
        "keyword rule": lambda text: float(len(_RULE_MOOD.findall(text))),
        "qunda": ours,
    }
    figures = {f"hand-off mood, {name}: AUROC, %": _auroc(map(score, texts), low) for name, score in scores.items()}
    chats = [line.split("\t") for line in (folder / "service_chats.tsv").read_text(encoding="utf-8").splitlines()]
    said = [fields[2] for fields in chats if len(fields) == 3 and fields[1] == "customer"][:_MOST_CHATS]
    return {
        **figures,
        "chat lines flagged as low mood, qunda, %": _percent(ours(text) >= 0.5 for text in said),
        "hand-off mood, qunda: µs a message": _median_time(lambda text: mood.read(text), said),
    }


def _by_rule(text: str) -> str:
    found = {label: len(re.findall(words, text)) for label, words in _RULE_KINDS.items()}
    best = max(found, key=lambda label: found[label])
    return best if found[best] else "other"


def _regression(examples: Examples) -> Guess:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    main = {kinds: _LABELS.get(kinds[0], "other") for kinds in examples if kinds != (CALM,)}
    lines = [(line, label) for kinds, label in main.items() for line in examples[kinds]]
    model = make_pipeline(TfidfVectorizer(analyzer="char", ngram_range=(1, 3)), LogisticRegression(C=10, max_iter=500))
    model.fit([line for line, _ in lines], [label for _, label in lines])
    return lambda text: str(model.predict([text])[0])


def _read(file: Path) -> list[Line]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def _collection(labels: object) -> Collection[object]:
    return labels if isinstance(labels, list) else ()


def _percent(hits: Iterable[bool]) -> float:
    return 100 * statistics.fmean(map(float, hits))


def _auroc(scores: Iterable[float], low: Sequence[bool]) -> float:
    given = list(zip(scores, low, strict=True))
    pairs = product([score for score, is_low in given if is_low], [score for score, is_low in given if not is_low])
    return 100 * statistics.fmean((one > other) + 0.5 * (one == other) for one, other in pairs)


def _median_time(read: Callable[[str], object], texts: Sequence[str]) -> float:
    spent = []
    for text in texts:
        began = time.perf_counter()
        read(text)
        spent.append(time.perf_counter() - began)
    return statistics.median(spent) * 1e6
