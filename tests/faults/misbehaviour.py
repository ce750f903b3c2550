"""Every way in which the platforms may misbehave, by the doors where it can happen."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playground.platform.base import Platform
from playground.platform.faults import EVERY_CALL, Faults
from playground.wechat import WeChat

Door = Literal["oa", "kf"]

SEND = {"oa": "message/custom/send", "kf": "kf/send_msg", "app": "message/send"}
# How large a part of the sends is never answered: few go through the official account's API, many through the others'.
OFTEN = {"oa": 0.5, "kf": 0.1, "app": 0.2}
SERVES = "accounts: {app: ZhangLeader"
OF_A_SERVICER = re.compile(r"(?<=accounts: \{app: )(\w+), kf: \w+")
MOVE = "kf/service_state/trans"
BOTH: tuple[Door, ...] = ("oa", "kf")

Begin = Callable[[Faults, str], None]
"""Asks the faults of one platform, by its name, for the misbehaviour."""


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """One kind of trouble.

    ``doors``: where residents write that can have it. ``at_staff``: the staff's app has it at the same time.
    ``drops``: callbacks never come. ``loses``: some words do not arrive, or nobody knows; without it all of them do.
    ``silences``: the platform says that it has sent what it has not.
    ``to_a_person``: the resident's leader serves in WeCom's own client, so that her session is moved to her.
    """

    name: str
    doors: tuple[Door, ...]
    begin: Begin
    at_staff: bool = False
    drops: bool = False
    loses: bool = False
    silences: bool = False
    to_a_person: bool = False

    def start(self, wechat: WeChat, door: str) -> None:
        platforms: list[Platform] = [wechat.platform(door), *([wechat.wecom] if self.at_staff else [])]
        for platform in platforms:
            self.begin(platform.faults, platform.name)


def _answers(errcode: int, share: float, to: str = "") -> Begin:
    return lambda faults, name: faults.answer(errcode, to=to or SEND[name], times=None, share=share, seed=errcode)


MISBEHAVIOURS: tuple[Misbehaviour, ...] = (
    Misbehaviour("none", BOTH, lambda faults, name: None),
    Misbehaviour("drop", BOTH, lambda faults, name: faults.drop(callbacks=None, share=0.3, seed=1), drops=True),
    Misbehaviour(
        "delay", BOTH, lambda faults, name: faults.delay(0.3, callbacks=None, share=0.2, seed=2), at_staff=True
    ),
    Misbehaviour(
        "duplicate",
        BOTH,
        lambda faults, name: faults.duplicate(3, parallel=True, callbacks=None, share=0.3, seed=3),
        at_staff=True,
    ),
    Misbehaviour(
        "reorder", BOTH, lambda faults, name: faults.reorder(callbacks=None, share=0.3, seed=4), at_staff=True
    ),
    Misbehaviour(
        "tokens expire", BOTH, lambda faults, name: faults.expire_tokens(times=None, share=0.3, seed=5), at_staff=True
    ),
    Misbehaviour("45009", BOTH, _answers(45009, 0.2, EVERY_CALL), at_staff=True),
    Misbehaviour("45047", ("oa",), _answers(45047, 0.5), loses=True),
    Misbehaviour("95001", ("kf",), _answers(95001, 0.2), loses=True),
    Misbehaviour("95002", ("kf",), _answers(95002, 0.2), loses=True),
    Misbehaviour("95018", ("kf",), _answers(95018, 0.2), loses=True),
    Misbehaviour("95016", ("kf",), _answers(95016, 1.0, MOVE), to_a_person=True),
    Misbehaviour("95033", ("kf",), _answers(95033, 0.2), silences=True),
    Misbehaviour(
        "time-out after accepting",
        BOTH,
        lambda faults, name: faults.hang_after_accepting(to=SEND[name], times=None, share=OFTEN[name], seed=6),
        at_staff=True,
        loses=True,
    ),
    Misbehaviour(
        "delivery fails later",
        ("kf",),
        lambda faults, name: faults.fail_delivery(times=None, share=0.2, seed=7),
        loses=True,
    ),
    Misbehaviour("empty pages", ("kf",), lambda faults, name: faults.cut_page(times=None, share=0.5, seed=8)),
)


def let_one_leader_serve(people: Path) -> None:
    """Writes into ``people.yaml`` that of all staff only 张团长 serves in WeCom's own client, at "kf"."""
    text = people.read_text(encoding="utf-8")
    assert SERVES in text
    people.write_text(OF_A_SERVICER.sub(r"\1", text).replace(SERVES, f"{SERVES}, kf: ZhangLeader"), encoding="utf-8")


def with_doors() -> list[tuple[Misbehaviour, Door]]:
    """Each misbehaviour with each of its doors."""
    return [(each, door) for each in MISBEHAVIOURS for door in each.doors]
