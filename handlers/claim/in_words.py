"""A claim as staff and its resident read it, however far it has been told."""

from __future__ import annotations

from dataclasses import dataclass

from bot.conversation import Turn
from claims.draft import Draft, open_draft
from config.texts import Form, Texts
from handlers.claim.lines import Lines, named
from handlers.state import current
from shop.orders import OrderLine
from understanding.shares import EVERYTHING

_SHORT = frozenset({"short_weight", "missing_item"})
_PHRASES = {"rotten": "rotten", "thawed": "rotten", "damaged": "damaged", **dict.fromkeys(_SHORT, "short")}


@dataclass(frozen=True, slots=True)
class ClaimInWords:
    """``line`` is None when no order line was found; ``when`` says when it came; ``form`` is for the resident."""

    draft: Draft
    line: OrderLine | None
    when: str
    texts: Texts
    form: Form

    def reason(self) -> str:
        """Why there is a ticket, in one line for staff."""
        return self._staff("reason", product=self._product(), bad=self._bad())

    def facts(self) -> tuple[str, ...]:
        """What the leader decides on, in the order in which it is asked; what is not told yet is left out."""
        draft = self.draft
        kinds = [self.texts.say(f"claim_kind.{kind}") for kind in draft.kinds or ("unknown",)]
        facts = [self._thing(), self._staff("kinds", kinds="、".join(kinds))]
        if draft.share:
            facts.append(self._staff("short" if phrase_of(draft) == "short" else "share", share=draft.share))
        if draft.wish:
            facts.append(self._staff("wish", wish=self.texts.say(f"claim_staff_wish.{draft.wish}")))
        if draft.photos:
            facts.append(self._staff("photos", count=len(draft.photos)))
        elif draft.no_photo:
            facts.append(self._staff("no_photos"))
        return tuple(facts)

    def summary(self) -> str:
        """What is read back to the resident."""
        count = len(self.draft.photos)
        return self._say(
            "claim.summary",
            product=self._product(),
            bad=self._bad(),
            wish=self._say(f"claim_wish.{self.draft.wish}"),
            photos=self._say("claim.photos_many", count=count) if count else self._say("claim.photos_none"),
        )

    def _thing(self) -> str:
        if self.line is None:
            return self._staff("no_line", product=self.draft.product or self._staff("unnamed"))
        values = {"product": named(self.line), "amount": self.line.amount_words, "order": self.line.order_no[-4:]}
        return self._staff("line", **values, when=self.when)

    def _product(self) -> str:
        return self.draft.product or self._say("claim.thing")

    def _bad(self) -> str:
        phrase = phrase_of(self.draft)
        key = f"{phrase}_all" if self.draft.share == EVERYTHING else phrase
        return self._say(f"claim_bad.{key}", share=self.draft.share)

    def _say(self, key: str, **values: object) -> str:
        return self.texts.say(key, self.form, **values)

    def _staff(self, key: str, **values: object) -> str:
        return self.texts.say(f"claim_staff.{key}", "plain", **values)


def phrase_of(draft: Draft) -> str:
    """How one says that something is wrong with it: rotten, damaged, short or wrong."""
    return _PHRASES.get(draft.kinds[0], "wrong") if draft.kinds else "rotten"


def told_so_far(turn: Turn, lines: Lines, texts: Texts) -> tuple[str, ...]:
    """Facts of the claim in progress, for whoever takes the matter over; nobody has to tell her story twice."""
    draft = open_draft(current(turn), turn.now)
    if draft is None:
        return ()
    line = lines.find(draft.line_id)
    when = lines.when(line, exact=True) if line else ""
    return ClaimInWords(draft, line, when, texts, "plain").facts()
