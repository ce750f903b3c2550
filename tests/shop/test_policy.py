from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import ConfigError
from shop.policy import Policy

SHIPPED = Path(__file__).resolve().parents[2] / "config" / "policy.yaml"

POLICY = """\
automatic_up_to: 20.00
limits: {leader: 50.00, agent: 500.00}
claim_window_days: 3
figures:
  refund_days: 1–3 个工作日
  late_coupon: 5
"""


def load(tmp_path: Path, text: str) -> Policy:
    path = tmp_path / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    return Policy.load(path, {})


def test_amounts_become_fen_and_figures_become_words(tmp_path: Path) -> None:
    policy = load(tmp_path, POLICY)
    assert policy.automatic_up_to == 2000
    assert policy.claim_window_days == 3
    assert dict(policy.figures) == {"refund_days": "1–3 个工作日", "late_coupon": "5"}


def test_each_role_has_its_own_limit(tmp_path: Path) -> None:
    policy = load(tmp_path, POLICY)
    assert policy.limit_of("leader") == 5000
    assert policy.limit_of("agent") == 50000
    assert policy.limit_of("supervisor") > policy.limit_of("agent")
    assert policy.limit_of("resident") == 0


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        ("automatic_up_to: 20.00", "automatic_upto: 20.00", 1, "did you mean automatic_up_to"),
        ("automatic_up_to: 20.00\n", "", 1, "automatic_up_to is missing"),
        ("20.00", "-1", 1, "two decimals"),
        ("20.00", "20.005", 1, "two decimals"),
        ("20.00", "yes", 1, "not an amount"),
        ("agent: 500.00", "agnt: 500.00", 2, "did you mean agent"),
        ("agent: 500.00", "agent: 5.00", 2, "less than a leader"),
        ("claim_window_days: 3", "claim_window_days: soon", 3, "number of days"),
        ("late_coupon: 5", "late_coupon:", 6, "has no words"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, line: int, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, POLICY.replace(old, new, 1))
    assert caught.value.line == line
    assert problem in str(caught.value)


def test_the_shipped_policy_is_read_without_complaint() -> None:
    policy = Policy.load(SHIPPED, {})
    assert 0 < policy.automatic_up_to <= policy.leader_limit <= policy.agent_limit
    assert policy.claim_window_days >= 1
