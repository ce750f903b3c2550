"""Every way in which the platforms may misbehave, by the doors where it can happen."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playground.platform.faults import EVERY_CALL, Faults
from playground.wechat import WeChat

Door = Literal["oa", "kf", "group", "room"]
"""Where residents write alone, where members call the smart bot in a group, and the room that staff are alerted in."""

PLATFORMS: Mapping[Door, str] = {"oa": "oa", "kf": "kf", "group": "group-bot", "room": "app"}
SEND = {
    "oa": "message/custom/send",
    "kf": "kf/send_msg",
    "group": "aibot/response",
    "room": "webhook/send",
    "app": "message/send",
}
# How large a part of the sends is never answered: few go through the API of the official account and of the smart bot,
# many through the others'.
OFTEN = {"oa": 0.5, "kf": 0.1, "group": 0.5, "room": 0.3, "app": 0.2}
SERVES = "accounts: {app: ZhangLeader"
OF_A_SERVICER = re.compile(r"(?<=accounts: \{app: )(\w+), kf: \w+")
MOVE = "kf/service_state/trans"
ALONE: tuple[Door, ...] = ("oa", "kf")
HEARD: tuple[Door, ...] = (*ALONE, "group")

Begin = Callable[[Faults, str], None]
"""Asks the faults of one platform for the misbehaviour at a door, or at "app", where staff are."""


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """One kind of trouble.

    ``doors``: where it can be. ``at_staff``: the staff's app has it at the same time.
    ``drops``: callbacks never come. ``loses``: some words do not arrive, or nobody knows; without it all of them do.
    ``silences``: the platform says that it has sent what it has not. ``repeats``: what was accepted without a word
    is said again, and may be.
    ``to_a_person``: the resident's leader serves in WeCom's own client, so that her session is moved to her.
    ``slowly``: the bot answers so late that the platform has to ask for it; ``never_asks``: it does not.
    ``in_turn``: people write one after another instead of all at once.
    """

    name: str
    doors: tuple[Door, ...]
    begin: Begin
    at_staff: bool = False
    drops: bool = False
    loses: bool = False
    silences: bool = False
    repeats: bool = False
    to_a_person: bool = False
    slowly: bool = False
    never_asks: bool = False
    in_turn: bool = False

    def start(self, wechat: WeChat, door: Door) -> None:
        self.begin(wechat.platform(PLATFORMS[door]).faults, door)
        if self.at_staff:
            self.begin(wechat.wecom.faults, "app")


def _answers(errcode: int, share: float, to: str = "") -> Begin:
    return lambda faults, door: faults.answer(errcode, to=to or SEND[door], times=None, share=share, seed=errcode)


MISBEHAVIOURS: tuple[Misbehaviour, ...] = (
    Misbehaviour("none", HEARD, lambda faults, door: None),
    Misbehaviour("drop", HEARD, lambda faults, door: faults.drop(callbacks=None, share=0.3, seed=1), drops=True),
    Misbehaviour(
        "delay", HEARD, lambda faults, door: faults.delay(0.3, callbacks=None, share=0.2, seed=2), at_staff=True
    ),
    Misbehaviour(
        "duplicate",
        HEARD,
        lambda faults, door: faults.duplicate(3, parallel=True, callbacks=None, share=0.3, seed=3),
        at_staff=True,
    ),
    Misbehaviour(
        "reorder", HEARD, lambda faults, door: faults.reorder(callbacks=None, share=0.3, seed=4), at_staff=True
    ),
    Misbehaviour(
        "tokens expire", ALONE, lambda faults, door: faults.expire_tokens(times=None, share=0.3, seed=5), at_staff=True
    ),
    Misbehaviour("45009", HEARD, _answers(45009, 0.2, EVERY_CALL), at_staff=True),
    Misbehaviour("45047", ("oa",), _answers(45047, 0.5), loses=True),
    Misbehaviour("95001", ("kf",), _answers(95001, 0.2), loses=True),
    Misbehaviour("95002", ("kf",), _answers(95002, 0.2), loses=True),
    Misbehaviour("95018", ("kf",), _answers(95018, 0.2), loses=True),
    Misbehaviour("95016", ("kf",), _answers(95016, 1.0, MOVE), to_a_person=True),
    Misbehaviour("95033", ("kf",), _answers(95033, 0.2), silences=True),
    Misbehaviour(
        "time-out after accepting",
        HEARD,
        lambda faults, door: faults.hang_after_accepting(to=SEND[door], times=None, share=OFTEN[door], seed=6),
        at_staff=True,
        loses=True,
    ),
    Misbehaviour(
        "delivery fails later",
        ("kf",),
        lambda faults, door: faults.fail_delivery(times=None, share=0.2, seed=7),
        loses=True,
    ),
    Misbehaviour("empty pages", ("kf",), lambda faults, door: faults.cut_page(times=None, share=0.5, seed=8)),
    # --- the smart bot: how it is asked for answers that take long, and where it gives later ones
    Misbehaviour("slow answers", ("group",), lambda faults, door: None, slowly=True),
    Misbehaviour(
        "drop polls", ("group",), lambda faults, door: faults.drop(polls=None, share=0.6, seed=9), slowly=True
    ),
    Misbehaviour(
        "delay polls", ("group",), lambda faults, door: faults.delay(0.3, polls=None, share=0.5, seed=10), slowly=True
    ),
    Misbehaviour(
        "duplicate polls",
        ("group",),
        lambda faults, door: faults.duplicate(3, parallel=True, polls=None, share=0.5, seed=11),
        slowly=True,
    ),
    Misbehaviour(
        "reorder polls", ("group",), lambda faults, door: faults.reorder(polls=None, share=0.5, seed=12), slowly=True
    ),
    Misbehaviour("no polls", ("group",), lambda faults, door: faults.drop(polls=None), slowly=True, never_asks=True),
    Misbehaviour("42022", ("group",), _answers(42022, 0.5), loses=True),
    Misbehaviour(
        "time-out before accepting",
        ("group",),
        lambda faults, door: faults.hang(to=SEND[door], times=None, share=OFTEN[door], seed=13),
        loses=True,
    ),
    Misbehaviour(
        "dead connection",
        ("group",),
        lambda faults, door: faults.cut(to=SEND[door], times=None, share=OFTEN[door], seed=14),
        loses=True,
    ),
    # --- the staff's room: what is not known to have arrived is said again
    Misbehaviour("none", ("room",), lambda faults, door: None),
    Misbehaviour("burst", ("room",), lambda faults, door: None, in_turn=True),
    Misbehaviour("45009", ("room",), _answers(45009, 0.5), in_turn=True),
    Misbehaviour(
        "time-out before accepting",
        ("room",),
        lambda faults, door: faults.hang(to=SEND[door], times=None, share=OFTEN[door], seed=15),
        in_turn=True,
    ),
    Misbehaviour(
        "time-out after accepting",
        ("room",),
        lambda faults, door: faults.hang_after_accepting(to=SEND[door], times=None, share=OFTEN[door], seed=16),
        repeats=True,
        in_turn=True,
    ),
    Misbehaviour(
        "dead connection",
        ("room",),
        lambda faults, door: faults.cut(to=SEND[door], times=None, share=0.5, seed=17),
        in_turn=True,
    ),
)


def let_one_leader_serve(people: Path) -> None:
    """Writes into ``people.yaml`` that of all staff only 张团长 serves in WeCom's own client, at "kf"."""
    text = people.read_text(encoding="utf-8")
    assert SERVES in text
    people.write_text(OF_A_SERVICER.sub(r"\1", text).replace(SERVES, f"{SERVES}, kf: ZhangLeader"), encoding="utf-8")


def with_doors(*doors: Door) -> list[tuple[Misbehaviour, Door]]:
    """Each misbehaviour with each of its doors, or with those of them that are named."""
    return [(each, door) for each in MISBEHAVIOURS for door in each.doors if not doors or door in doors]
