"""One turn of the conversation about something bad: what the message tells, and what is said and asked next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from bot.conversation import Turn
from bot.effects import Effects, Record
from bot.storage.store import Store
from claims.claims import open_claim
from claims.draft import Draft, with_draft
from claims.shares import share_of
from claims.wishes import wish_of
from claims.words import (
    asks_how_to_send,
    compact,
    has_no_photo,
    is_question,
    later,
    not_this,
    photos_done,
    says_nothing,
    wants_out,
)
from handlers.claim_lines import Lines
from handlers.claim_submission import Submission, phrase_of
from handlers.hand_over import HandOver
from handlers.speaker import Speakers
from handlers.state import current
from understanding.kinds import CLAIMABLE
from understanding.reader import Understanding

BURST = timedelta(seconds=15)
"""Photos of one album arrive some seconds apart; one answer is enough for them."""

_LONGEST_PRODUCT = 40
_LONGEST_SHARE = 20
_NAMES_NOTHING = frozenset({"水果", "果子", "菜", "蔬菜", "零食", "干货"})


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
        """The first words: soothes in one sentence, takes what they tell, and asks for the first thing missing."""
        draft = self._told(Draft(at=self.turn.now), sure=True)
        return self._go_on(draft, self.say("sorry"), known_line=None)

    def begin_with_photo(self) -> Effects:
        """A photo alone: asks softly what it is about."""
        draft = Draft(at=self.turn.now, photos=(self.turn.message.dedupe_key,), asked="product")
        return self._reply(draft, self.say("photo_alone"))

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
        told = self._told(draft, sure=not self.asks_something_else)
        return self._go_on(told, known_line=draft.line_id) if told != draft else None

    def answered(self, draft: Draft) -> Effects | None:
        """Words while a draft is open; None when they are about something else."""
        text = self.turn.message.text
        ends_photos = draft.asked == "more_photos" and photos_done(text)
        if (wants_out(text) and not ends_photos) or (self._is_denied(draft, text)):
            return Effects(replies=(self.say("left"),), state=with_draft(current(self.turn), None), note="claim:left")
        told = self._told(draft, sure=not (self.asks_something_else and is_question(text)))
        if told != draft:
            fine = (self.say("no_photo_is_fine"),) if told.no_photo and not draft.no_photo else ()
            return self._go_on(replace(told, tries=0), *fine, known_line=draft.line_id)
        if self.asks_something_else and not self._means_nothing_new(draft, text):
            return None
        return self._not_understood(draft, text)

    def _means_nothing_new(self, draft: Draft, text: str) -> bool:
        """ "嗯", the product's name once more, or the same complaint again while photos are awaited."""
        complains = self.reading is not None and not CLAIMABLE.isdisjoint(self.reading.kinds)
        repeats = complains and draft.asked in ("photo", "more_photos")
        return repeats or says_nothing(text) or (compact(text) != "" and compact(text) in draft.product)

    def _is_denied(self, draft: Draft, text: str) -> bool:
        """ "不是" to the soft question whether something is bad."""
        return bool(draft.asked == "product" and draft.photos and not draft.kinds and not_this(text))

    def _told(self, draft: Draft, *, sure: bool) -> Draft:
        """The draft with everything that the words tell. ``sure``: they are not a question about something else."""
        text, asked, known = self.turn.message.text, draft.asked, (draft.share, draft.wish)
        draft = self._with_kinds(draft)
        draft = self._with_line(draft, text, asked, sure)
        if asked == "more_photos" and photos_done(text):
            draft = replace(draft, photos_settled=True)
        if not draft.photos and has_no_photo(text, asked=asked == "photo"):
            draft = replace(draft, no_photo=True)
        if share := share_of(text, asked=asked == "share" and sure):
            draft = replace(draft, share=share.text, share_ratio=share.ratio)
        if (sure or asked == "wish") and (wish := wish_of(text, asked=asked == "wish")):
            draft = replace(draft, wish=wish)
        # Whoever answers "还有照片吗" with more about the matter has sent what there was; late photos are taken, too.
        if asked == "more_photos" and (draft.share, draft.wish) != known:
            draft = replace(draft, photos_settled=True)
        return draft

    def _with_kinds(self, draft: Draft) -> Draft:
        if self.reading is None:
            return draft
        kinds = tuple(kind for kind in self.reading.kinds if kind in CLAIMABLE)
        product = str(self.reading.slots.get("product", ""))
        product = "" if product in _NAMES_NOTHING else product[:_LONGEST_PRODUCT]
        if draft.asked in ("photo", "more_photos"):
            kinds = tuple(dict.fromkeys(draft.kinds + kinds))
        else:
            kinds = draft.kinds or kinds
        return replace(draft, kinds=kinds, product=draft.product or product)

    def _with_line(self, draft: Draft, text: str, asked: str, sure: bool) -> Draft:
        if draft.line_settled:
            return self.lines.corrected(draft, text) if draft.line_id and not_this(text) else draft
        if asked == "choice":
            return self.lines.chosen(draft, text)
        if asked == "product" and (not sure or (is_question(text) and not draft.kinds)):
            return draft
        found = self.lines.settled(draft, text, self._days_ago())
        if asked != "product" or found.line_settled or found.offered:
            return found
        return self.lines.settled(replace(found, product=_as_product(text)), text)

    def _days_ago(self) -> int | None:
        date = self.reading.slots.get("date") if self.reading else None
        return date.get("days_ago") if date else None

    def _not_understood(self, draft: Draft, text: str) -> Effects:
        """Words that answer nothing: asked again once, then taken as they are, so that nobody is caught in a loop."""
        if draft.missing() == "photo":
            return self._about_the_photo(draft, text)
        if draft.missing() == "more_photos" and later(text):
            return self._reply(draft, self.say("take_your_time"))
        if self._means_nothing_new(draft, text):
            return self._reply(draft, self._question(draft))
        if draft.tries == 0:
            return self._reply(replace(draft, tries=1), self.say("again"), self._question(draft))
        return self._go_on(self._taken_as_said(draft, text), known_line=draft.line_id)

    def _about_the_photo(self, draft: Draft, text: str) -> Effects:
        if asks_how_to_send(text):
            return self._reply(draft, self.say("how_to_send"))
        if later(text) or (says_nothing(text) and "了" not in text):
            return self._reply(draft, self.say("take_your_time"))
        return self._reply(draft, self.say("photo_missing" if photos_done(text) else "ask_photo"))

    def _taken_as_said(self, draft: Draft, text: str) -> Draft:
        missing = draft.missing()
        if missing in ("choice", "product"):
            return replace(draft.with_line(None), product=draft.product or _as_product(text))
        if missing == "more_photos":
            return replace(draft, photos_settled=True)
        if missing == "share":
            return replace(draft, share=f"“{text.strip()[:_LONGEST_SHARE]}”")
        return replace(draft, wish="any")

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
        return Effects(state=with_draft(current(self.turn), None), records=(record,), note=note)

    def _reply(self, draft: Draft, *said: str) -> Effects:
        question = draft.missing() or ""
        kept = replace(draft, at=self.turn.now, asked=question, tries=draft.tries if question == draft.asked else 0)
        return Effects(replies=said, state=with_draft(current(self.turn), kept), note=f"claim:{question}")

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


def _as_product(text: str) -> str:
    return compact(text)[:_LONGEST_PRODUCT]
