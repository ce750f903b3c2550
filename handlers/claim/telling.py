"""What a resident's words tell of something bad."""

from __future__ import annotations

from dataclasses import dataclass, replace

from claims.draft import Draft
from claims.wishes import wish_of
from claims.words import has_no_photo, is_question, not_this, photos_done, says_nothing
from handlers.claim.lines import Lines
from handlers.reading import product_of
from understanding.amounts import compact
from understanding.kinds import CLAIMABLE
from understanding.reader import Understanding
from understanding.shares import EVERYTHING, share_of

_LONGEST_PRODUCT = 40
_LONGEST_SHARE = 20
_AFTER_PHOTOS = ("", "product", "choice", "more_photos")


@dataclass(frozen=True, slots=True)
class Telling:
    """The words of one message with their reading; ``lines`` are the speaker's order lines."""

    text: str
    reading: Understanding | None
    lines: Lines

    def told(self, draft: Draft, *, sure: bool) -> Draft:
        """The draft with everything that the words tell. ``sure``: they are not a question about something else."""
        text, asked, known = self.text, draft.asked, (draft.share, draft.wish)
        draft = self._with_kinds(draft)
        draft = self._with_line(draft, text, asked, sure)
        if asked == "more_photos" and photos_done(text):
            draft = replace(draft, photos_settled=True)
        if not draft.photos and has_no_photo(text, asked=asked == "photo"):
            draft = replace(draft, no_photo=True)
        share = share_of(text, asked=(asked == "share" and sure) or self._amends_share(draft))
        # "苹果和鸡蛋都坏了" says that both are bad, not how much of either.
        if share and not (draft.offered and share.text == EVERYTHING):
            draft = replace(draft, share=share.text, share_ratio=share.ratio)
        if (sure or asked == "wish") and (wish := wish_of(text, asked=asked == "wish")):
            draft = replace(draft, wish=wish)
        # Whoever tells more about the matter after photos has sent what there was; late photos are taken, too.
        if asked in _AFTER_PHOTOS and draft.photos and (draft.share, draft.wish) != known:
            draft = replace(draft, photos_settled=True)
        return draft

    def _with_kinds(self, draft: Draft) -> Draft:
        if self.reading is None:
            return draft
        kinds = tuple(kind for kind in self.reading.kinds if kind in CLAIMABLE)
        product = product_of(self.reading)[:_LONGEST_PRODUCT]
        if draft.asked in ("photo", "more_photos"):
            kinds = tuple(dict.fromkeys(draft.kinds + kinds))
        else:
            kinds = draft.kinds or kinds
        return replace(draft, kinds=kinds, product=draft.product or product)

    def _with_line(self, draft: Draft, text: str, asked: str, sure: bool) -> Draft:
        if draft.line_settled:
            another = draft.line_id is not None and not_this(text) and not self._amends_share(draft)
            return self.lines.corrected(draft, text) if another else draft
        if asked == "choice":
            return self.lines.chosen(draft, text)
        if asked == "product" and (not sure or (is_question(text) and not draft.kinds)):
            return draft
        found = self.lines.settled(draft, text, self._days_ago())
        if asked != "product" or found.line_settled or found.offered:
            return found
        return self.lines.settled(replace(found, product=_as_product(text)), text)

    def _amends_share(self, draft: Draft) -> bool:
        """ "不对，是全坏了": what was told of the amount is corrected, not which thing is meant."""
        return bool(draft.share and not_this(self.text) and share_of(self.text, asked=True))

    def _days_ago(self) -> int | None:
        date = self.reading.slots.get("date") if self.reading else None
        return date.get("days_ago") if date else None

    def taken_as_said(self, draft: Draft) -> Draft:
        """The words as they are, as the answer to what was asked: nobody is caught in a loop."""
        missing = draft.missing()
        if missing in ("choice", "product"):
            return replace(draft.with_line(None), product=draft.product or _as_product(self.text))
        if missing == "more_photos":
            return replace(draft, photos_settled=True)
        if missing == "share":
            return replace(draft, share=f"“{self.text.strip()[:_LONGEST_SHARE]}”")
        return replace(draft, wish="any")

    def nothing_new(self, draft: Draft) -> bool:
        """ "嗯", a sign, the product's name once more, or the same complaint again while photos are awaited."""
        complains = self.reading is not None and not CLAIMABLE.isdisjoint(self.reading.kinds)
        repeats = complains and draft.asked in ("photo", "more_photos")
        return repeats or says_nothing(self.text) or compact(self.text) in draft.product

    def denied(self, draft: Draft) -> bool:
        """ "不是" to the soft question whether something is bad."""
        return bool(draft.asked == "product" and draft.photos and not draft.kinds and not_this(self.text))


def _as_product(text: str) -> str:
    return compact(text)[:_LONGEST_PRODUCT]
