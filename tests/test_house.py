"""The order of the rooms, where the import contracts of pyproject.toml cannot look."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("bot", "claims", "config", "escalation", "faq", "handlers", "shop", "understanding")

MAY_NOT_IMPORT = {
    "app": {"bench", "clock", "commands", "playground", "tests", "worker"},
    "worker": {"app", "bench", "clock", "commands", "playground", "tests"},
    "clock": {"app", "bench", "commands", "playground", "tests", "worker"},
    "compose": {"app", "bench", "clock", "commands", "playground", "tests", "worker"},
    **{
        room: {"app", "bench", "clock", "commands", "compose", "inspection", "playground", "tests", "worker"}
        for room in ROOMS
    },
    "inspection": {"app", "bench", "clock", "commands", "playground", "tests", "worker"},
    "playground": {"app", "bench", "clock", "commands", "compose", "inspection", "tests", "worker", *ROOMS},
}

# Without "claim": rows are claimed, too.
TRADE = {
    "community", "complaint", "coupon", "fruit", "goods", "leader", "order", "orders", "payout", "pickup", "product",
    "refund", "refunds", "resident", "residents", "ticket", "tickets",
}  # fmt: skip
TRADE_IN_CHINESE = re.compile("居民|团长|(?<!微信)客服|主管|订单|退款|工单|投诉|坏果|优惠券|取货|社区|商品")
OF_SQL = {"order_by"}


def sources(name: str) -> list[Path]:
    module = ROOT / f"{name}.py"
    return [module] if module.exists() else sorted((ROOT / name).rglob("*.py"))


def imported(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("name", MAY_NOT_IMPORT)
def test_nothing_imports_what_stands_above_it(name: str) -> None:
    wrong = {
        f"{source.relative_to(ROOT)} imports {module}"
        for source in sources(name)
        for module in imported(source)
        if module in MAY_NOT_IMPORT[name]
    }
    assert not wrong


def words_of_code(text: str) -> Iterator[str]:
    """Names, split at underscores and capitals. Comments and docstrings may speak of "one order per ticket"."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME and token.string not in OF_SQL:
            yield from (word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", token.string))


@pytest.mark.parametrize("source", sources("bot"), ids=lambda source: str(source.relative_to(ROOT)))
def test_the_chat_machine_knows_no_word_of_the_trade(source: Path) -> None:
    text = source.read_text(encoding="utf-8")
    found = TRADE & set(words_of_code(text)) | set(TRADE_IN_CHINESE.findall(text))
    assert not found
