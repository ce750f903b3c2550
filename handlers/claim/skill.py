"""Who takes a message about something bad: the claim in progress, the one just submitted, or a new one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.conversation import Turn
from bot.effects import Effects
from bot.storage.store import Store
from claims.claims import Claim, find_claim
from claims.draft import FLOW, PARKED, Draft, open_draft, with_draft
from claims.wishes import adds_nothing
from claims.words import is_question, objects, photos_done
from config.settings import Settings
from escalation.notices import Notices
from escalation.tickets import label
from handlers.claim.dialogue import Dialogue
from handlers.claim.lines import Lines
from handlers.claim.loose_photos import with_loose_photo
from handlers.claim.submission import CLAIMED, add_late_photo, show_unclaimed
from handlers.hand_over import HandOver
from handlers.reading import Readings
from handlers.speaker import Speakers
from handlers.state import current, flow
from shop.policy import Policy
from understanding import skills
from understanding.reader import Understanding

_HANDLED = "claim"
_WITH_A_PERSON = ("hand_over", "unheard:voice")


def handle(
    turn: Turn,
    *,
    readings: Readings,
    speakers: Speakers,
    store: Store,
    policy: Policy,
    settings: Settings,
    handing_over: HandOver,
) -> Effects | None:
    """Takes words and photos about something bad; questions about other things are left to the others."""
    has_words = bool(turn.message.text.strip())
    reading = readings.of(turn) if has_words else None
    dialogue = Dialogue(
        turn=turn,
        reading=reading,
        asks_something_else=reading is not None and _asks_something_else(reading),
        lines=Lines(turn, store, speakers, policy, settings.timezone),
        speakers=speakers,
        store=store,
        handing_over=handing_over,
    )
    if turn.message.kind == "image":
        effects = _photographed(turn, dialogue)
    elif turn.message.kind in ("text", "voice") and has_words:
        effects = _told(turn, dialogue)
    else:
        effects = None
    if effects is not None:
        turn.facts[_HANDLED] = True
    return effects


def remind(turn: Turn, effects: Effects, *, speakers: Speakers, notices: Notices) -> Effects:
    """An afterthought: brings the open claim up again when another handler has answered in the middle of it.

    A draft whose place another dialogue has taken is parked, and goes on when that has ended. When a person takes
    over, the draft ends and its photos go to that person.
    """
    state = dict(effects.state if effects.state is not None else current(turn))
    draft = open_draft(turn.conversation.state, turn.now)
    if _HANDLED in turn.facts or turn.message.kind == "event" or (draft is None and PARKED not in state):
        return effects
    state.pop(PARKED, None)
    if draft is None:
        return replace(effects, state=state)
    if effects.note.startswith(_WITH_A_PERSON):
        records = (*effects.records, show_unclaimed(turn, draft.photos, notices))
        return replace(effects, records=records, state=with_draft(state, None))
    if state.get("flow", {}).get("name", FLOW) != FLOW:
        return replace(effects, state={**state, PARKED: draft.as_flow()})
    # A photo of which nobody has said that something is bad is no matter that has to be finished.
    reminds = effects.replies and (draft.kinds or draft.product)
    replies = (*effects.replies, _reminder(turn, draft, speakers)) if reminds else effects.replies
    return replace(effects, replies=replies, state={**state, "flow": draft.as_flow()})


def _told(turn: Turn, dialogue: Dialogue) -> Effects | None:
    assert dialogue.reading is not None
    draft = open_draft(current(turn), turn.now)
    if draft is not None and flow(turn, FLOW):
        return dialogue.answered(draft)
    if draft is not None and (effects := dialogue.resumed(draft)):
        return effects
    if (claimed := _claimed(turn)) and (effects := _after_the_claim(turn, claimed, dialogue)):
        return effects
    if dialogue.reading.decision != "skill" or dialogue.reading.skill != skills.CLAIM:
        return None
    return dialogue.begin()


def _after_the_claim(turn: Turn, claimed: Mapping[str, Any], dialogue: Dialogue) -> Effects | None:
    """Words about the claim just submitted: "好了", another wish, or that she does not accept a refusal."""
    text, reading = turn.message.text, dialogue.reading
    if reading is None or reading.kinds:
        return None
    if adds_nothing(text) and turn.conversation.followed:
        if photos_done(text):
            return Effects(replies=(dialogue.say("already_done"),), note="claim:already_done")
        # What she wishes now reaches the leader, like all that is said while a ticket is open.
        return Effects(replies=(dialogue.speakers.say(turn, "general.passed_on"),), note="claim:other_wish")
    asks = reading.decision == "answer" and is_question(text)
    if not objects(text) or asks or reading.decision == "skill":
        return None
    claim = _find(dialogue.store, claimed["claim"])
    return dialogue.objected(label(claim.ticket_id)) if claim and claim.status == "rejected" else None


def _photographed(turn: Turn, dialogue: Dialogue) -> Effects | None:
    if turn.message.media is None:
        return Effects(replies=(dialogue.say("photo_lost"),), note="claim:photo_lost")
    draft = open_draft(current(turn), turn.now)
    if draft is not None:
        return dialogue.photographed(draft)
    claimed = _claimed(turn)
    claim = _find(dialogue.store, claimed["claim"]) if claimed else None
    if claimed and claim and claim.status == "submitted":
        return _late(turn, claimed, dialogue)
    if claim and claim.status == "rejected":
        return dialogue.begin_again(claim)
    if turn.conversation.followed:
        said = dialogue.say("photo_passed_on")
        return Effects((said,), with_loose_photo(turn), note="claim:passed_on")
    return dialogue.begin_with_photo()


def _late(turn: Turn, claimed: Mapping[str, Any], dialogue: Dialogue) -> Effects:
    """A photo after the submission: kept with the claim, and at hand should it show another thing."""
    said = dialogue.say("photos_added", label=label(claimed["ticket"]))
    state = {**with_loose_photo(turn), CLAIMED: {**claimed, "told": True}}
    records = (add_late_photo(turn, claimed["claim"]),)
    return Effects(() if claimed.get("told") else (said,), state, records, "claim:late_photo")


def _claimed(turn: Turn) -> Mapping[str, Any] | None:
    """The claim that photos still belong to after it was submitted."""
    claimed: Mapping[str, Any] | None = current(turn).get(CLAIMED)
    return claimed if claimed and turn.now < datetime.fromisoformat(claimed["until"]) else None


def _find(store: Store, claim_id: int) -> Claim | None:
    with store.read() as connection:
        return find_claim(connection, claim_id)


def _asks_something_else(reading: Understanding) -> bool:
    return reading.decision == "answer" or (reading.decision == "skill" and reading.skill != skills.CLAIM)


def _reminder(turn: Turn, draft: Draft, speakers: Speakers) -> str:
    product = draft.product or speakers.say(turn, "claim.thing")
    question = speakers.say(turn, f"claim.remind_{draft.missing()}")
    return speakers.say(turn, "claim.reminder", product=product, question=question)
