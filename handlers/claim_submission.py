"""What is stored when a claim is submitted, and who is shown the photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from bot.conversation import Turn
from bot.effects import Record
from bot.storage.tables import attachments
from bot.transaction import Transaction
from claims.claims import (
    Claim,
    NewClaim,
    add_photos,
    attachments_of,
    evidence_of,
    lock_order_line,
    open_claim,
    submit,
)
from claims.draft import Draft
from claims.shares import EVERYTHING
from escalation import tickets
from escalation.forwarding import pictures_to_staff
from escalation.handover import hand_over
from escalation.notices import Notices
from escalation.routing import address_of
from escalation.tickets import NewTicket
from handlers.claim_lines import named
from handlers.hand_over import HandOver
from handlers.speaker import Speaker
from handlers.state import last_messages
from shop.orders import OrderLine

CLAIMED = "claimed"
"""The key in the conversation's state under which the claim stands that late photos belong to."""

LATE_PHOTOS = timedelta(minutes=30)

_SHORT = frozenset({"short_weight", "missing_item"})
_PHRASES = {"rotten": "rotten", "thawed": "rotten", "damaged": "damaged", **dict.fromkeys(_SHORT, "short")}


@dataclass(frozen=True, slots=True)
class Submission:
    """A complete draft on its way into the database. ``line`` is None when no order line was found."""

    turn: Turn
    speaker: Speaker
    draft: Draft
    line: OrderLine | None
    when: str
    handing_over: HandOver

    def record(self) -> Record:
        """Stores the claim with its photos and its ticket, or adds the photos to the claim that was there first."""

        def store_claim(tx: Transaction) -> None:
            if self.line is not None:
                lock_order_line(tx, self.line.id)
                if known := open_claim(tx.connection, self.line.id):
                    self._join(tx, known)
                    return
            self._open(tx)

        return store_claim

    def join(self, known: Claim) -> Record:
        """Adds the photos to a claim that the resident has already made, and tells her its number and status."""
        return lambda tx: self._join(tx, known)

    def _open(self, tx: Transaction) -> None:
        tx.reply(self._say("claim.readback", summary=self._summary()))
        ticket = hand_over(
            tx,
            new=self._ticket(),
            last_messages=last_messages(self.turn),
            form=self.speaker.form,
            notices=self.handing_over.notices,
            texts=self.handing_over.texts,
            policy=self.handing_over.policy,
        )
        claim = submit(tx, self._claim(), ticket.id)
        show_photos(tx, claim, _fetched(tx, evidence_of(tx.connection, claim.id)), self.handing_over.notices)
        _expect_photos(tx, claim)

    def _join(self, tx: Transaction, known: Claim) -> None:
        added = add_photos(tx, known.id, tx.conversation_id, self.draft.photos)
        show_photos(tx, known, _fetched(tx, added), self.handing_over.notices)
        label = tickets.label(known.ticket_id)
        tx.reply(self._say("claim.existing", label=label, status=self._say(f"claim_status.{known.status}")))
        if added:
            tx.reply(self._say("claim.photos_added", label=label))
        _expect_photos(tx, known)

    def _claim(self) -> NewClaim:
        return NewClaim(
            conversation_id=self.turn.conversation.id,
            resident_id=self.speaker.resident.id if self.speaker.resident else None,
            order_line_id=self.draft.line_id,
            kinds=self.draft.kinds,
            share=self.draft.share,
            share_ratio=self.draft.share_ratio,
            wish=self.draft.wish,
            photos=self.draft.photos,
        )

    def _ticket(self) -> NewTicket:
        community = self.speaker.community
        return NewTicket(
            kind="claim",
            conversation_id=self.turn.conversation.id,
            priority="P1",
            reason=self._staff("reason", product=self._product(), bad=self._bad()),
            resident_id=self.speaker.resident.id if self.speaker.resident else None,
            community_id=community.id if community else None,
            name=self.speaker.masked_name,
            facts=self._facts(),
        )

    def _facts(self) -> tuple[str, ...]:
        """What the leader decides on, in the order in which it is asked; how to decide stands below in the notice."""
        texts = self.handing_over.texts
        kinds = [texts.say(f"claim_kind.{kind}") for kind in self.draft.kinds or ("unknown",)]
        amount = "short" if self.draft.kinds and self.draft.kinds[0] in _SHORT else "share"
        return (
            self._thing(),
            self._staff("kinds", kinds="、".join(kinds)),
            self._staff(amount, share=self.draft.share),
            self._staff("wish", wish=texts.say(f"claim_staff_wish.{self.draft.wish}")),
            self._staff("photos", count=len(self.draft.photos)) if self.draft.photos else self._staff("no_photos"),
        )

    def _thing(self) -> str:
        if self.line is None:
            return self._staff("no_line", product=self.draft.product or self._staff("unnamed"))
        values = {"product": named(self.line), "amount": self.line.amount_words, "order": self.line.order_no[-4:]}
        return self._staff("line", **values, when=self.when)

    def _summary(self) -> str:
        count = len(self.draft.photos)
        return self._say(
            "claim.summary",
            product=self._product(),
            bad=self._bad(),
            wish=self._say(f"claim_wish.{self.draft.wish}"),
            photos=self._say("claim.photos_many", count=count) if count else self._say("claim.photos_none"),
        )

    def _product(self) -> str:
        return self.draft.product or self._say("claim.thing")

    def _bad(self) -> str:
        phrase = phrase_of(self.draft)
        key = f"{phrase}_all" if self.draft.share == EVERYTHING else phrase
        return self._say(f"claim_bad.{key}", share=self.draft.share)

    def _say(self, key: str, **values: object) -> str:
        return self.handing_over.texts.say(key, self.speaker.form, **values)

    def _staff(self, key: str, **values: object) -> str:
        return self.handing_over.texts.say(f"claim_staff.{key}", "plain", **values)


def phrase_of(draft: Draft) -> str:
    """How one says that something is wrong with it: rotten, damaged, short or wrong."""
    return _PHRASES.get(draft.kinds[0], "wrong") if draft.kinds else "rotten"


def add_late_photo(turn: Turn, claim_id: int) -> Record:
    """Adds the photo of this turn to a claim that is submitted already; staff see it when it has been fetched."""

    def add_photo(tx: Transaction) -> None:
        add_photos(tx, claim_id, turn.conversation.id, (turn.message.dedupe_key,))

    return add_photo


def show_photos(tx: Transaction, claim: Claim, attachment_ids: Sequence[int], notices: Notices) -> None:
    """Shows fetched photos to whoever is concerned with the claim's ticket."""
    ticket = tickets.find(tx.connection, claim.ticket_id)
    for person in notices.routing.concerned(tx, ticket) if ticket and attachment_ids else ():
        for attachment_id in attachment_ids:
            # The key of escalation.forwarding.pictures_to_staff: each photo reaches each person once on either way.
            key = f"show:{attachment_id}:{person.id}"
            tx.show(address_of(tx, person), attachment_id, about=tickets.about(claim.ticket_id), key=key)


def show_unclaimed(turn: Turn, photos: Sequence[str], notices: Notices) -> Record:
    """Shows the photos of a draft that a person takes over to whoever that is."""

    def show(tx: Transaction) -> None:
        found = attachments_of(tx.connection, turn.conversation.id, photos)
        for attachment_id in _fetched(tx, found):
            pictures_to_staff(tx, turn.conversation.id, attachment_id, notices)

    return show


def _fetched(tx: Transaction, attachment_ids: Sequence[int]) -> tuple[int, ...]:
    """Those of the photos that can be shown at once; the others follow when they have been fetched."""
    query = select(attachments.c.id).where(attachments.c.id.in_(attachment_ids), attachments.c.status == "stored")
    known: set[int] = set(tx.connection.execute(query).scalars())
    return tuple(attachment_id for attachment_id in attachment_ids if attachment_id in known)


def _expect_photos(tx: Transaction, claim: Claim) -> None:
    until = (tx.now + LATE_PHOTOS).isoformat()
    tx.set_state(
        tx.conversation_id, {CLAIMED: {"claim": claim.id, "ticket": claim.ticket_id, "until": until, "told": False}}
    )
