"""What the shop promises and may pay, from ``policy.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any

from config.yaml_file import YamlFile, read_yaml
from shop.money import MOST_FEN, parse_yuan

_KEYS = ("automatic_up_to", "limits", "claim_window_days", "first_response_minutes", "figures")
_DEFAULT_CLAIM_WINDOW_DAYS = 7
_LONGEST_CLAIM_WINDOW_DAYS = 365
_DEFAULT_FIRST_RESPONSE_MINUTES: Mapping[str, int] = MappingProxyType({"P0": 15, "P1": 15, "P2": 60})
_LONGEST_FIRST_RESPONSE_MINUTES = 1440


@dataclass(frozen=True, slots=True)
class Policy:
    """Money is in fen.

    ``automatic_up_to``: a claim up to this much may be paid with nobody asked; 0 switches that off. ``leader_limit``
    and ``agent_limit``: what each may approve alone. ``claim_window_days``: how long after its arrival a line can be
    claimed in the chat. ``figures``: what answers fill in as {name}. ``first_response_minutes``: by priority, when a
    person is promised to have answered.
    """

    automatic_up_to: int
    leader_limit: int
    agent_limit: int
    claim_window_days: int
    figures: Mapping[str, str]
    first_response_minutes: Mapping[str, int] = field(default_factory=lambda: _DEFAULT_FIRST_RESPONSE_MINUTES)

    @classmethod
    def load(cls, path: Path, environ: Mapping[str, str]) -> Policy:
        """Raises ``ConfigError`` with file, line and remedy for the first mistake."""
        file = read_yaml(path, environ)
        value = file.value
        if not isinstance(value, dict):
            raise file.error("no policy is written here", "write automatic_up_to and limits, as in the shipped file")
        _check_keys(file, value, _KEYS)
        limits = _limits(file, value.get("limits"))
        policy = cls(
            automatic_up_to=_fen(file, value.get("automatic_up_to"), "automatic_up_to"),
            leader_limit=limits["leader"],
            agent_limit=limits["agent"],
            claim_window_days=_days(file, value.get("claim_window_days", _DEFAULT_CLAIM_WINDOW_DAYS)),
            figures=_figures(file, value.get("figures")),
            first_response_minutes=_first_response(file, value.get("first_response_minutes", {})),
        )
        _check_order(file, policy)
        return policy

    def limit_of(self, role: str) -> int:
        """What a person of this role may approve alone: a supervisor anything, an unknown role nothing."""
        return {"leader": self.leader_limit, "agent": self.agent_limit, "supervisor": MOST_FEN}.get(role, 0)


def _limits(file: YamlFile, value: Any) -> dict[str, int]:
    if not isinstance(value, dict):
        raise file.error("limits are missing", "write limits: {leader: 50.00, agent: 500.00}", "limits")
    _check_keys(file, value, ("leader", "agent"), "limits")
    return {role: _fen(file, value.get(role), "limits", role) for role in ("leader", "agent")}


def _fen(file: YamlFile, value: Any, *keys: str) -> int:
    remedy = "write yuan with at most two decimals, for example 20.00"
    if value is None:
        raise file.error(f"{keys[-1]} is missing", remedy, *keys)
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise file.error(f"{keys[-1]} is not an amount", remedy, *keys)
    try:
        return parse_yuan(str(value))
    except ValueError as error:
        raise file.error(f"{keys[-1]}: {error}", remedy, *keys) from None


def _days(file: YamlFile, value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _LONGEST_CLAIM_WINDOW_DAYS:
        return value
    remedy = f"write a whole number from 1 to {_LONGEST_CLAIM_WINDOW_DAYS}"
    raise file.error("claim_window_days is not a number of days", remedy, "claim_window_days")


def _first_response(file: YamlFile, value: Any) -> Mapping[str, int]:
    remedy = "write first_response_minutes: {P0: 15, P1: 15, P2: 60}"
    if not isinstance(value, dict):
        raise file.error("first_response_minutes is not a map", remedy, "first_response_minutes")
    _check_keys(file, value, tuple(_DEFAULT_FIRST_RESPONSE_MINUTES), "first_response_minutes")
    for priority, minutes in value.items():
        whole = isinstance(minutes, int) and not isinstance(minutes, bool)
        if not whole or not 1 <= minutes <= _LONGEST_FIRST_RESPONSE_MINUTES:
            problem = f"{minutes!r} is not a number of minutes from 1 to {_LONGEST_FIRST_RESPONSE_MINUTES}"
            raise file.error(problem, remedy, "first_response_minutes", priority)
    return MappingProxyType({**_DEFAULT_FIRST_RESPONSE_MINUTES, **value})


def _figures(file: YamlFile, value: Any) -> Mapping[str, str]:
    if value is None:
        return MappingProxyType({})
    if not isinstance(value, dict):
        raise file.error("figures is not a map", "write each as name: value", "figures")
    for name, figure in value.items():
        if isinstance(figure, bool) or not isinstance(figure, (str, int, float)) or not str(figure).strip():
            problem = f"the figure {name} has no words"
            raise file.error(problem, "write a number or a text in quotes", "figures", str(name))
    return MappingProxyType({str(name): str(figure).strip() for name, figure in value.items()})


def _check_order(file: YamlFile, policy: Policy) -> None:
    if policy.agent_limit < policy.leader_limit:
        raise file.error(
            "an agent may approve less than a leader", "raise limits.agent, or lower limits.leader", "limits", "agent"
        )


def _check_keys(file: YamlFile, value: Mapping[Any, Any], known: tuple[str, ...], *keys: str) -> None:
    for key in value:
        if key not in known:
            near = get_close_matches(str(key), known, n=1, cutoff=0.6)
            remedy = f"did you mean {near[0]}?" if near else f"write one of: {', '.join(known)}"
            raise file.error(f"{key!r} is not known here", remedy, *keys, str(key))
