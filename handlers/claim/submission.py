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
    add_evidence,
    add_photos,
    attachments_of,
    evidence_of,
    films_of,
    lock_order_line,
    open_claim,
    submit,
)
from claims.draft import IDLE, Draft
from escalation import tickets
from escalation.forwarding import pictures_of_ticket, pictures_to_staff
from escalation.handover import hand_over
from escalation.notices import Notices
from escalation.tickets import NewTicket
from handlers.claim.in_words import ClaimInWords
from handlers.hand_over import HandOver
from handlers.speaker import Speaker
from handlers.state import last_messages
from shop.orders import OrderLine

CLAIMED = "claimed"
"""The key in the conversation's state under which the claim stands that late photos belong to."""

LATE_PHOTOS = timedelta(minutes=30)
REFUSED_PHOTOS = timedelta(hours=24)


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
        tx.reply(self._say("claim.readback", summary=self._words.summary()))
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
        # Staff can look at films; they are no photos, so the claim has asked for those all the same.
        add_evidence(tx, claim.id, films_of(tx.connection, tx.conversation_id, tx.now - IDLE))
        show_photos(tx, claim, evidence_of(tx.connection, claim.id), self.handing_over.notices)
        expect_photos(tx, tx.conversation_id, claim, LATE_PHOTOS)

    def _join(self, tx: Transaction, known: Claim) -> None:
        added = add_photos(tx, known.id, tx.conversation_id, self.draft.photos)
        show_photos(tx, known, added, self.handing_over.notices)
        label = tickets.label(known.ticket_id)
        tx.reply(self._say("claim.existing", label=label, status=self._say(f"claim_status.{known.status}")))
        if added:
            tx.reply(self._say("claim.photos_joined", label=label))
        expect_photos(tx, tx.conversation_id, known, LATE_PHOTOS)

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
            reason=self._words.reason(),
            resident_id=self.speaker.resident.id if self.speaker.resident else None,
            community_id=community.id if community else None,
            name=self.speaker.masked_name,
            facts=self._words.facts(),
        )

    @property
    def _words(self) -> ClaimInWords:
        return ClaimInWords(self.draft, self.line, self.when, self.handing_over.texts, self.speaker.form)

    def _say(self, key: str, **values: object) -> str:
        return self.handing_over.texts.say(key, self.speaker.form, **values)


def add_late_photo(turn: Turn, claim_id: int) -> Record:
    """Adds the photo of this turn to a claim that is submitted already; staff see it when it has been fetched."""

    def add_photo(tx: Transaction) -> None:
        add_photos(tx, claim_id, turn.conversation.id, (turn.message.dedupe_key,))

    return add_photo


def show_photos(tx: Transaction, claim: Claim, attachment_ids: Sequence[int], notices: Notices) -> None:
    """Shows the photos that have been fetched to whoever is concerned with the claim's ticket."""
    pictures_of_ticket(tx, claim.ticket_id, _fetched(tx, attachment_ids), notices)


def show_unclaimed(turn: Turn, photos: Sequence[str], notices: Notices) -> Record:
    """Shows the photos of a draft that a person takes over, and films beside them, to whoever that is."""

    def show(tx: Transaction) -> None:
        found = attachments_of(tx.connection, turn.conversation.id, photos)
        found += films_of(tx.connection, turn.conversation.id, tx.now - IDLE)
        pictures_to_staff(tx, turn.conversation.id, _fetched(tx, found), notices)

    return show


def expect_photos(tx: Transaction, conversation_id: int, claim: Claim, how_long: timedelta) -> None:
    """Remembers in a resident's conversation that photos sent from now on belong to this claim."""
    until = (tx.now + how_long).isoformat()
    tx.set_state(conversation_id, {CLAIMED: {"claim": claim.id, "ticket": claim.ticket_id, "until": until}})


def _fetched(tx: Transaction, attachment_ids: Sequence[int]) -> tuple[int, ...]:
    """Those of the photos that can be shown at once; the others follow when they have been fetched."""
    query = select(attachments.c.id).where(attachments.c.id.in_(attachment_ids), attachments.c.status == "stored")
    known: set[int] = set(tx.connection.execute(query).scalars())
    return tuple(attachment_id for attachment_id in attachment_ids if attachment_id in known)
