"""While a ticket waits for somebody to take it: the bot still answers, and staff read along."""

from __future__ import annotations

from dataclasses import replace

from bot.conversation import Turn
from bot.delivery import Undelivered
from bot.effects import Effects
from bot.transaction import Transaction
from config.texts import Texts
from escalation import undelivered as escalation_undelivered
from escalation.forwarding import words_to_staff
from escalation.notices import Notices
from handlers.claim.dialogue import IN_THE_CLAIM


def forward(turn: Turn, effects: Effects, *, notices: Notices, texts: Texts) -> Effects:
    """An afterthought: hands the resident's message on, after whatever the turn itself has led to.

    Answers within a claim are not: staff read the whole of it when it is submitted.
    """
    conversation = turn.conversation
    if not conversation.followed or conversation.holder is not None or turn.message.kind == "event":
        return effects
    if effects.note in IN_THE_CLAIM:
        return effects
    return replace(effects, records=(*effects.records, words_to_staff(turn.message, notices, texts)))


def on_undelivered(tx: Transaction, undelivered: Undelivered, *, notices: Notices) -> None:
    """What did not reach its reader is shown in the ticket and told to whoever is concerned."""
    escalation_undelivered.on_undelivered(tx, undelivered, notices)
