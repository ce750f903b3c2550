from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Split

from config.errors import ConfigError
from faq.embedding import SentenceModel
from faq.knowledge import Entry, Knowledge
from faq.learnt import LearntStore
from faq.matching import Matcher

ALIKE = (("退返", "款钱"), ("取拿", "货菜"))
WORDS = ["[UNK]", *"退返款钱取拿货菜"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that knows eight characters: those of one sense have the same vector."""
    folder = tmp_path_factory.mktemp("model")
    senses = np.zeros((len(WORDS), 5), np.float32)
    senses[0, 4] = 1.0
    for number, word in enumerate(WORDS[1:], 1):
        senses[number, [word in group for groups in ALIKE for group in groups].index(True)] = 1.0
    look_up = helper.make_node("Gather", ["senses", "input_ids"], ["said"])
    tokens = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "length"])
    said = helper.make_tensor_value_info("said", TensorProto.FLOAT, ["batch", "length", 5])
    graph = helper.make_graph([look_up], "senses", [tokens], [said], [numpy_helper.from_array(senses, "senses")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, folder / "model.onnx")
    tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Split("", "isolated")
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


KNOWLEDGE = Knowledge(
    [
        Entry("refund", "退款", ("退款款", "退退款"), answer="三天"),
        Entry("pickup", "取货", ("取货货", "取取货"), answer="四点"),
    ]
)


def test_words_of_the_same_sense_have_the_same_vector(folder: Path) -> None:
    one, same, other = SentenceModel(folder).vectors(["退款", "返钱", "取货"])
    assert one @ same == pytest.approx(1.0)
    assert one @ other == pytest.approx(0.0)


def test_a_model_finds_what_shares_no_character(folder: Path) -> None:
    found = Matcher(KNOWLEDGE, model=SentenceModel(folder)).match("拿菜")
    assert found[0].entry_id == "pickup"
    assert found[0].confidence > Matcher(KNOWLEDGE).match("拿菜")[0].confidence


def test_what_was_learnt_with_a_model_is_kept_apart_from_what_was_learnt_without(folder: Path, tmp_path: Path) -> None:
    learnt, model = LearntStore(tmp_path), SentenceModel(folder)
    with_model, again, without = (
        Matcher(KNOWLEDGE, learnt=learnt, model=each).match("拿菜")[0] for each in (model, model, None)
    )
    assert with_model == again != without


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        SentenceModel(tmp_path)
    assert "holds no model.onnx" in caught.value.problem


def test_a_broken_model_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no model")
    (tmp_path / "tokenizer.json").write_bytes((folder / "tokenizer.json").read_bytes())
    with pytest.raises(ConfigError) as caught:
        SentenceModel(tmp_path)
    assert "cannot be opened" in caught.value.problem


def test_a_model_that_turns_no_text_into_a_vector_is_refused(folder: Path, tmp_path: Path) -> None:
    model = onnx.load(folder / "model.onnx")
    model.graph.input[0].name = model.graph.node[0].input[1] = "something_else"
    onnx.save(model, tmp_path / "model.onnx")
    (tmp_path / "tokenizer.json").write_bytes((folder / "tokenizer.json").read_bytes())
    with pytest.raises(ConfigError) as caught:
        SentenceModel(tmp_path)
    assert "turns no text into a vector" in caught.value.problem


def test_missing_libraries_are_named_with_the_way_to_get_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ConfigError) as caught:
        SentenceModel(folder)
    assert "onnxruntime is not installed" in caught.value.problem
    assert "requirements-embedding.txt" in caught.value.remedy
