"""What a fetched, refused or lost picture or voice message means for the resident and for staff."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from bot.conversation import Turn
from bot.effects import Effects, Record
from bot.jobs import MEDIA_LOST, MEDIA_REFUSED, MEDIA_STORED
from bot.storage.store import Store
from bot.storage.tables import attachments, inbox
from bot.transaction import Transaction
from claims.claims import Claim, claim_of_photo, drop_photo
from claims.draft import Draft, open_draft, with_draft
from config.texts import Texts
from escalation.forwarding import pictures_of_ticket, pictures_to_staff
from escalation.notices import Notices
from handlers.speaker import Speakers
from handlers.state import current

REFUSED_AT = "photo_refused_at"
"""The key in the state under which stands when the resident was last told that a photo is unusable."""

_SENTENCES = {"too_large": "photo_too_large", "too_many_pixels": "photo_too_large", "not_an_image": "photo_not_image"}
_TO_STAFF = {"voice": "voice_unreadable", "video": "film_unreadable", "file": "file_unreadable"}


def handle(turn: Turn, *, store: Store, speakers: Speakers, notices: Notices, texts: Texts) -> Effects | None:
    """Takes the events in which fetching media ends; the attachment's own row is kept by the job."""
    if turn.message.event not in (MEDIA_STORED, MEDIA_REFUSED, MEDIA_LOST):
        return None
    attachment_id = turn.message.extra["attachment"]
    with store.read() as connection:
        claim = claim_of_photo(connection, attachment_id)
        query = select(inbox.c.dedupe_key, inbox.c.received_at).join(attachments, attachments.c.inbox_id == inbox.c.id)
        sent = connection.execute(query.where(attachments.c.id == attachment_id)).one()
    draft = open_draft(current(turn), turn.now)
    if draft is not None and sent.dedupe_key not in draft.photos:
        draft = None
    if turn.message.event == MEDIA_STORED:
        return _stored(turn, attachment_id, claim, draft, notices)
    if turn.conversation.holder is not None or turn.message.chat or turn.message.extra["kind"] == "voice":
        return _tell_staff(turn, attachment_id, texts, notices)
    if not _counts_on_it(turn, draft, claim):
        return Effects(note="media:unusable")
    left = draft.without_photo(sent.dedupe_key) if draft else None
    return _tell_resident(turn, attachment_id, sent.received_at, left, speakers)


def _counts_on_it(turn: Turn, draft: Draft | None, claim: Claim | None) -> bool:
    """Whether the resident believes that somebody will see it. Of a file she has read that it cannot be opened."""
    if turn.message.extra["kind"] == "file":
        return False
    beside_a_draft = turn.message.extra["kind"] == "video" and open_draft(current(turn), turn.now) is not None
    return draft is not None or claim is not None or turn.conversation.followed or beside_a_draft


def _stored(turn: Turn, attachment_id: int, claim: Claim | None, draft: Draft | None, notices: Notices) -> Effects:
    """Staff see it at once, unless it belongs to a claim that the resident is still telling."""

    def show(tx: Transaction) -> None:
        if claim is not None:
            pictures_of_ticket(tx, claim.ticket_id, (attachment_id,), notices)
        else:
            pictures_to_staff(tx, turn.conversation.id, (attachment_id,), notices)

    waits = claim is None and draft is not None and turn.conversation.holder is None
    concerns_staff = claim is not None or turn.conversation.followed or turn.conversation.holder is not None
    return Effects(records=(show,) if concerns_staff and not waits else (), note="media:stored")


def _tell_staff(turn: Turn, attachment_id: int, texts: Texts, notices: Notices) -> Effects:
    """A person speaks here, everybody reads along, or a voice message cannot be asked for again: staff are told."""
    name = _TO_STAFF.get(turn.message.extra["kind"], "photo_unreadable")

    def forward(tx: Transaction) -> None:
        drop_photo(tx, attachment_id)
        notices.forward(tx, turn.conversation.id, texts.say(f"claim_staff.{name}"))

    return Effects(records=(forward,), note="media:unusable")


def _tell_resident(
    turn: Turn, attachment_id: int, received_at: datetime, draft: Draft | None, speakers: Speakers
) -> Effects:
    """Asks for the photo again; once for all that were sent before she was told."""
    state = with_draft(current(turn), draft) if draft else dict(current(turn))
    told_at = state.get(REFUSED_AT)
    records: tuple[Record, ...] = (lambda tx: drop_photo(tx, attachment_id),)
    if told_at and received_at <= datetime.fromisoformat(told_at):
        return Effects(state=state, records=records, note="media:unusable")
    return Effects(
        replies=(speakers.say(turn, f"claim.{_sentence(turn)}"),),
        state={**state, REFUSED_AT: turn.now.isoformat()},
        records=records,
        note="media:unusable",
    )


def _sentence(turn: Turn) -> str:
    what = "film" if turn.message.extra["kind"] == "video" else "photo"
    if turn.message.event == MEDIA_LOST:
        return f"{what}_lost"
    reason = turn.message.extra["reason"]
    if what == "film":
        return "film_too_large" if reason == "too_large" else "film_broken"
    return _SENTENCES.get(reason, "photo_broken")
