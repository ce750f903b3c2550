"""What residents and leaders can say: one file per skill, asked in this order.

A new skill is one new file and one line here. Each function gets its keyword parameters by name from ``compose.py``.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.effects import Effects
from handlers import (
    answer,
    arrived,
    clarify,
    delivery_failed,
    entering,
    failure,
    forwarding,
    gap_notes,
    greeting,
    hand_over,
    held,
    identify,
    in_client,
    in_group,
    leave,
    media_events,
    order_status,
    recalled,
    settled,
    staff_commands,
    state,
    ticket_status,
    unheard,
)
from handlers.claim import skill as claim

# in_group takes all that comes out of groups, so no handler behind it ever speaks in one.
# Whoever answers a question of the bot's own goes before hand_over, which would read a tone into short answers; each
# of them leaves danger, anger and calls for a person alone.
HANDLERS: tuple[tuple[str, Callable[..., Effects | None]], ...] = (
    ("staff_commands", staff_commands.handle),
    ("media_events", media_events.handle),
    ("in_group", in_group.handle),
    ("delivery_failed", delivery_failed.handle),
    ("recalled", recalled.handle),
    ("entering", entering.handle),
    ("in_client", in_client.handle),
    ("held", held.handle),
    ("unheard_voice", unheard.handle_voice),
    ("unheard_things", unheard.handle_things),
    ("settled", settled.handle),
    ("leave", leave.handle),
    ("identify", identify.handle),
    ("clarify", clarify.handle),
    ("hand_over", hand_over.handle),
    ("ticket_status", ticket_status.handle),
    ("claim", claim.handle),
    ("order_status", order_status.handle),
    ("greeting", greeting.handle),
    ("answer", answer.handle),
    ("unheard", unheard.handle_other),
)

AFTERTHOUGHTS: tuple[Callable[..., Effects], ...] = (
    claim.remind,
    forwarding.forward,
    gap_notes.note,
    state.remember,
)

ON_FAILURE: Callable[..., Effects] = failure.answer
ON_UNDELIVERED = forwarding.on_undelivered
ON_SENT = arrived.on_sent
