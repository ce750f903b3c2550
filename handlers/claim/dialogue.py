"""One turn of the conversation about something bad: what the message tells, and what is said and asked next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from bot.conversation import Turn
from bot.effects import Effects, Record
from bot.storage.store import Store
from claims.claims import Claim, open_claim
from claims.draft import Draft, with_draft
from claims.words import (
    asks_how_to_send,
    is_question,
    later,
    photos_done,
    says_nothing,
    wants_out,
)
from escalation.transcript import shortened, without_phones
from handlers.claim.in_words import phrase_of
from handlers.claim.lines import Lines
from handlers.claim.loose_photos import loose_photos, without_loose_photos
from handlers.claim.submission import Submission
from handlers.claim.telling import Telling
from handlers.hand_over import HandOver
from handlers.speaker import Speakers
from handlers.state import current
from understanding.reader import Understanding

BURST = timedelta(seconds=15)
"""Photos of one album arrive some seconds apart; one answer is enough for them."""

IN_THE_CLAIM = frozenset(
    f"claim:{end}" for end in ("choice", "product", "photo", "more_photos", "share", "wish", "submitted")
)
"""The notes of turns that only carry a claim on."""

_MOST_PHOTO_TRIES = 2


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Carries a draft one message further. ``reading`` is None for a message without words."""

    turn: Turn
    reading: Understanding | None
    asks_something_else: bool
    lines: Lines
    speakers: Speakers
    store: Store
    handing_over: HandOver

    def begin(self) -> Effects:
        """The first words: soothes in one sentence, takes what they tell, and asks for the first thing missing.

        Photos that came just before, while somebody was helping with another matter, belong to it.
        """
        photos = loose_photos(self.turn)
        draft = self._telling.told(Draft(at=self.turn.now, photos=photos), sure=True)
        taken = (self.say("photos_taken"),) if photos else ()
        return self._go_on(draft, self.say("sorry"), *taken, known_line=None)

    def begin_with_photo(self) -> Effects:
        """A photo alone: asks softly what it is about."""
        draft = Draft(at=self.turn.now, photos=(self.turn.message.dedupe_key,), asked="product")
        return self._reply(draft, self.say("photo_alone"))

    def begin_again(self, refused: Claim) -> Effects:
        """A photo after a refusal: the claim is made once more with it, and nothing has to be told again."""
        line = self.lines.find(refused.order_line_id)
        draft = Draft(
            at=self.turn.now,
            kinds=refused.kinds,
            product=line.product if line else "",
            line_id=refused.order_line_id,
            line_settled=line is not None,
            share=refused.share,
            share_ratio=refused.share_ratio,
            wish=refused.wish,
            photos=(self.turn.message.dedupe_key,),
        )
        return self._go_on(draft, self.say("photo_received"), known_line=draft.line_id)

    def objected(self, label: str) -> Effects:
        """A refusal is not accepted: a person looks again."""
        texts = self.handing_over.texts
        words = shortened(without_phones(self.turn.message.text))
        reason = texts.say("reason.objection", label=label, words=words)
        return Effects(
            replies=(self.speakers.say(self.turn, "hand_over.complaint"),),
            records=(self.handing_over.record(self.turn, priority="P1", reason=reason),),
            note="hand_over:objection",
        )

    def photographed(self, draft: Draft) -> Effects:
        """One more photo: the first is answered, those of a burst are quiet, a later one gets one line."""
        known = draft.with_photo(self.turn.message.dedupe_key)
        if not draft.photos:
            return self._go_on(known, self.say("photo_received"), known_line=draft.line_id)
        if self.turn.now - draft.at <= BURST:
            return self._reply(known)
        return self._reply(known, self.say("photo_counted", count=len(known.photos)), self._question(known))

    def resumed(self, draft: Draft) -> Effects | None:
        """Words while another dialogue has the word: taken only when they tell something for the parked draft."""
        told = self._telling.told(draft, sure=not self.asks_something_else)
        return self._go_on(told, known_line=draft.line_id) if told != draft else None

    def answered(self, draft: Draft) -> Effects | None:
        """Words while a draft is open; None when they are about something else."""
        text = self.turn.message.text
        ends_photos = draft.asked == "more_photos" and photos_done(text)
        if (wants_out(text) and not ends_photos) or (self._telling.denied(draft)):
            return Effects(replies=(self.say("left"),), state=with_draft(current(self.turn), None), note="claim:left")
        told = self._telling.told(draft, sure=not (self.asks_something_else and is_question(text)))
        if told != draft:
            return self._go_on(replace(told, tries=0), *self._heard(draft, told), known_line=draft.line_id)
        if self.asks_something_else and not self._telling.nothing_new(draft):
            return None
        return self._not_understood(draft, text)

    def _heard(self, draft: Draft, told: Draft) -> tuple[str, ...]:
        """Something was told: said where the next question alone would sound as if nobody had listened."""
        if told.no_photo and not draft.no_photo:
            return (self.say("no_photo_is_fine"),)
        same = told.missing() == draft.missing() and told.line_id == draft.line_id
        return (self.say("noted"),) if same else ()

    def _not_understood(self, draft: Draft, text: str) -> Effects:
        """Words that answer nothing: asked again once, then taken as they are, so that nobody is caught in a loop."""
        if draft.missing() == "photo":
            return self._about_the_photo(draft, text)
        if draft.missing() == "more_photos" and later(text):
            return self._reply(draft, self.say("take_your_time"))
        if self._telling.nothing_new(draft):
            return self._reply(draft, self._question(draft))
        if draft.tries == 0:
            return self._reply(replace(draft, tries=1), self.say("again"), self._question(draft))
        return self._go_on(self._telling.taken_as_said(draft), known_line=draft.line_id)

    def _about_the_photo(self, draft: Draft, text: str) -> Effects:
        if asks_how_to_send(text):
            return self._reply(draft, self.say("how_to_send"))
        if later(text) or (says_nothing(text) and "了" not in text):
            return self._reply(draft, self.say("take_your_time"))
        if draft.tries >= _MOST_PHOTO_TRIES:
            return self._go_on(replace(draft, no_photo=True), self.say("no_photo_is_fine"), known_line=draft.line_id)
        again = () if photos_done(text) or self._telling.nothing_new(draft) else (self.say("again"),)
        question = self.say("photo_missing" if photos_done(text) else "ask_photo")
        return self._reply(replace(draft, tries=draft.tries + 1), *again, question)

    def _go_on(self, draft: Draft, *said: str, known_line: int | None) -> Effects:
        """Submits what is complete, else asks for the next thing; names a line that has just been found."""
        line = self.lines.find(draft.line_id)
        when = self.lines.when(line, exact=True) if line else ""
        submission = Submission(self.turn, self.speakers.of(self.turn), draft, line, when, self.handing_over)
        if line is not None and line.id != known_line:
            with self.store.read() as connection:
                known = open_claim(connection, line.id)
            if known is not None:
                return self._end(submission.join(known), "claim:existing")
            if draft.asked != "choice":
                said = (*said, self.say("line_is", when=self.lines.when(line), product=line.product))
        if draft.missing() is None:
            return self._end(submission.record(), "claim:submitted")
        return self._reply(draft, *said, self._question(draft))

    def _end(self, record: Record, note: str) -> Effects:
        return Effects(state=without_loose_photos(with_draft(current(self.turn), None)), records=(record,), note=note)

    def _reply(self, draft: Draft, *said: str) -> Effects:
        question = draft.missing() or ""
        kept = replace(draft, at=self.turn.now, asked=question, tries=draft.tries if question == draft.asked else 0)
        state = without_loose_photos(with_draft(current(self.turn), kept))
        return Effects(replies=said, state=state, note=f"claim:{question}")

    @property
    def _telling(self) -> Telling:
        return Telling(self.turn.message.text, self.reading, self.lines)

    def _question(self, draft: Draft) -> str:
        missing = draft.missing()
        if missing == "choice":
            return self.say("ask_choice", choices=self.lines.offered(draft))
        if missing == "share":
            phrase = phrase_of(draft)
            return self.say(f"ask_share_{phrase if phrase in ('short', 'wrong') else 'bad'}")
        return self.say(f"ask_{missing}")

    def say(self, key: str, **values: object) -> str:
        """A sentence about the claim in the form that fits the speaker."""
        return self.speakers.say(self.turn, f"claim.{key}", **values)
