"""Messages without words that the bot can read: a voice message goes to a person, the rest gets a kind answer."""

from __future__ import annotations

from bot.conversation import Turn
from bot.effects import Effects
from bot.storage.store import Store
from claims.draft import open_draft
from config.settings import Settings
from handlers.claim.in_words import told_so_far
from handlers.claim.lines import Lines
from handlers.hand_over import HandOver
from handlers.speaker import Speakers
from handlers.state import current
from shop.policy import Policy

_UNREADABLE = {"video": "video", "file": "file", "location": "other", "link": "other", "other": "other"}


def handle_voice(
    turn: Turn, *, speakers: Speakers, handing_over: HandOver, store: Store, policy: Policy, settings: Settings
) -> Effects | None:
    """A voice message without a transcript: never lost, never answered with silence."""
    if turn.message.kind != "voice" or turn.message.text.strip():
        return None
    facts = told_so_far(turn, Lines(turn, store, speakers, policy, settings.timezone), handing_over.texts)
    reason = handing_over.texts.say("reason.voice")
    return Effects(
        replies=(speakers.say(turn, "unheard.voice"),),
        records=(handing_over.record(turn, priority="P1", reason=reason, facts=facts),),
        note="unheard:voice",
    )


def handle_things(turn: Turn, *, speakers: Speakers) -> Effects | None:
    """A place, a link, a card or a forwarded chat: the words it brings along are not the resident's own."""
    if turn.message.kind not in ("location", "link", "other") or not turn.message.text.strip():
        return None
    return handle_other(turn, speakers=speakers)


def handle_other(turn: Turn, *, speakers: Speakers) -> Effects | None:
    """A video, a file, a place, a link, or nothing but emoji: says what the bot can read instead."""
    if turn.message.kind == "event":
        return None
    name = "video_kept" if _will_be_seen(turn) else _UNREADABLE.get(turn.message.kind, "no_words")
    return Effects(replies=(speakers.say(turn, f"unheard.{name}"),), note="unheard")


def _will_be_seen(turn: Turn) -> bool:
    """Whether this is a film that somebody gets: staff who read along, or who see to the claim that is being told."""
    if turn.message.kind != "video" or turn.message.media is None:
        return False
    return turn.conversation.followed or open_draft(current(turn), turn.now) is not None
