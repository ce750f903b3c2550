"""Gaps: what residents asked and the knowledge could not answer, put together and approved or dismissed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from typing import Literal

from sqlalchemy import Connection, Row, delete, func, select, update

from bot.storage.tables import inbox
from bot.transaction import ignoring_repeats
from faq.clusters import clusters_of
from faq.knowledge import Addition, Knowledge, mistakes_in, same_question
from faq.masking import masked, masks_in, without_masks
from faq.tables import gaps, knowledge_additions

Kind = Literal["unanswered", "clarified", "corrected"]

ANSWERED = "faq:"
"""How the note of a turn begins that gave an entry's answer; the entry's id follows, up to a blank."""

_LONGEST_WORDS = 300
_LONGEST_PHRASING = 60
"""Characters; a story is no phrasing."""
_SHORTEST_PHRASING = 2
_MOST_READ = 5000
_MOST_PHRASINGS = 12
_LIKELY = 0.3
"""From this mean probability of one entry on, a phrasing of it is suggested rather than a new entry."""
_LONGEST_ID = 32


@dataclass(frozen=True, slots=True)
class Gap:
    """One question as it is kept. ``words`` are masked here, whatever they held."""

    inbox_id: int
    conversation_id: int
    asked_at: datetime
    words: str
    kind: Kind
    entry_id: str | None
    confidence: float
    community_id: str | None = None
    ticket_id: int | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What approving a cluster adds: phrasings of an entry, or, with an ``answer``, a new entry.

    ``communities`` of a new entry: where its answer holds; empty for all.
    """

    entry_id: str
    phrasings: tuple[str, ...]
    answer: str | None = None
    communities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cluster:
    """Open gaps that ask the same. ``number``: the id of the first, by which it is approved or dismissed.

    ``sources`` counts conversations. ``suggestion`` is None where nothing is known that would answer.
    ``answer`` is what a person replied to one of them, masked. ``not_meant``: the entries that were said and were not
    what the resident meant.
    """

    number: int
    gap_ids: tuple[int, ...]
    sources: int
    kinds: Mapping[str, int]
    last_asked: datetime
    examples: tuple[str, ...]
    suggestion: Suggestion | None
    answer: str | None
    not_meant: tuple[str, ...] = ()


def record(connection: Connection, gap: Gap) -> None:
    """Keeps a question, once per message."""
    words = masked(gap.words)[:_LONGEST_WORDS]
    connection.execute(
        ignoring_repeats(connection, gaps),
        {
            "inbox_id": gap.inbox_id,
            "conversation_id": gap.conversation_id,
            "asked_at": gap.asked_at,
            "words": words,
            "kind": gap.kind,
            "entry_id": gap.entry_id,
            "confidence": gap.confidence,
            "community_id": gap.community_id,
            "ticket_id": gap.ticket_id,
            "status": "open",
        },
    )


def record_choice(connection: Connection, conversation_id: int, entry_id: str) -> None:
    """The resident said which entry her last question meant."""
    _change_last(connection, conversation_id, chosen_id=entry_id)


def record_hand_off(connection: Connection, conversation_id: int, ticket_id: int | None) -> None:
    """Asking back did not help: a person was asked to answer the last question."""
    _change_last(connection, conversation_id, kind="unanswered", ticket_id=ticket_id)


def record_correction(connection: Connection, conversation_id: int, before: int, community_id: str | None) -> None:
    """The answer to the message before this inbox row was not what was meant; nothing, if that was no answer."""
    query = select(inbox.c.id, inbox.c.received_at, inbox.c.text, inbox.c.note)
    query = query.where(inbox.c.conversation_id == conversation_id, inbox.c.id < before).order_by(inbox.c.id.desc())
    asked = connection.execute(query.limit(1)).first()
    if asked is not None and asked.note.startswith(ANSWERED):
        wrong = asked.note.removeprefix(ANSWERED).partition(" ")[0]
        gap = Gap(asked.id, conversation_id, asked.received_at, asked.text, "corrected", wrong, 0.0, community_id)
        record(connection, gap)


def _change_last(connection: Connection, conversation_id: int, **values: object) -> None:
    last = select(func.max(gaps.c.id)).where(gaps.c.conversation_id == conversation_id, gaps.c.status == "open")
    connection.execute(update(gaps).where(gaps.c.id == last.scalar_subquery()).values(**values))


def tickets_of(connection: Connection) -> frozenset[int]:
    """The numbers of the tickets whose answers may close an open gap."""
    query = select(gaps.c.ticket_id).where(gaps.c.status == "open", gaps.c.ticket_id.is_not(None))
    return frozenset(connection.execute(query).scalars())


def open_clusters(connection: Connection, knowledge: Knowledge, answers: Mapping[int, str]) -> list[Cluster]:
    """The open gaps, put together, those of the most residents first.

    ``answers``: what people replied, by ticket number. At most the first 5,000 open gaps are read.
    """
    query = select(gaps).where(gaps.c.status == "open").order_by(gaps.c.id).limit(_MOST_READ)
    rows = connection.execute(query).all()
    together = clusters_of([without_masks(row.words) for row in rows])
    found = [_cluster([rows[position] for position in positions], knowledge, answers) for positions in together]
    return sorted(found, key=lambda cluster: (-cluster.sources, -len(cluster.gap_ids), cluster.number))


def approve(connection: Connection, cluster: Cluster, suggestion: Suggestion, now: datetime) -> bool:
    """Adds what is suggested to the next snapshot; False when somebody has decided about the cluster before.

    Raises ValueError for an answer that could not be said, such as one with an unknown variable.
    """
    if suggestion.answer is not None:
        _check_answer(suggestion)
    if not _decide(connection, cluster, "approved", now):
        return False
    for number, phrasing in enumerate(suggestion.phrasings):
        row = {
            "entry_id": suggestion.entry_id,
            "phrasing": phrasing,
            "answer": suggestion.answer if number == 0 else None,
            "communities": list(suggestion.communities),
            "added_at": now,
        }
        connection.execute(ignoring_repeats(connection, knowledge_additions), row)
    return True


def dismiss(connection: Connection, cluster: Cluster, now: datetime) -> bool:
    """Takes a cluster off the list; False when somebody has decided about it before."""
    return _decide(connection, cluster, "dismissed", now)


def withdraw(connection: Connection, number: int, now: datetime) -> list[Addition] | None:
    """Takes back what approving this gap added, and dismisses it; None when nobody has approved it.

    What another approval added before stays.
    """
    decided = select(gaps.c.decided_at).where(gaps.c.id == number, gaps.c.status == "approved")
    at = connection.execute(decided).scalar()
    if at is None:
        return None
    together = gaps.c.status == "approved", gaps.c.decided_at == at
    connection.execute(update(gaps).where(*together).values(status="dismissed", decided_at=now))
    own = knowledge_additions.c.added_at == at
    taken = [_addition(row) for row in connection.execute(select(knowledge_additions).where(own))]
    connection.execute(delete(knowledge_additions).where(own))
    return taken


def additions(connection: Connection) -> tuple[Addition, ...]:
    """All that was approved, in the order in which it was."""
    query = select(knowledge_additions).order_by(knowledge_additions.c.id)
    return tuple(map(_addition, connection.execute(query)))


def _addition(row: Row) -> Addition:
    return Addition(row.entry_id, row.phrasing, row.answer, tuple(row.communities))


def additions_state(connection: Connection) -> tuple[int, datetime | None]:
    """Changes whenever ``additions`` does."""
    query = select(func.count(), func.max(knowledge_additions.c.added_at)).select_from(knowledge_additions)
    row = connection.execute(query).one()
    return row[0], row[1]


def of_entry(cluster: Cluster, entry_id: str) -> Suggestion:
    """The cluster as phrasings of an entry that somebody named. Raises ValueError when none of them can be one."""
    return Suggestion(entry_id, _phrasings_or_refuse(cluster))


def new_entry(cluster: Cluster, answer: str, knowledge: Knowledge, communities: tuple[str, ...] = ()) -> Suggestion:
    """The cluster as an entry of its own. Raises ValueError when its words make no question."""
    phrasings = _phrasings_or_refuse(cluster)
    return Suggestion(new_id(phrasings[0], knowledge.knows), phrasings, answer, communities)


def new_id(question: str, is_taken: Callable[[str], bool]) -> str:
    """An id made from a question: its own letters, and a number where another entry has them already."""
    base = same_question(question)[:_LONGEST_ID] or "entry"
    numbered = (base if number == 1 else f"{base}-{number}" for number in count(1))
    return next(name for name in numbered if not is_taken(name))


def _decide(connection: Connection, cluster: Cluster, status: str, now: datetime) -> bool:
    query = update(gaps).where(gaps.c.id.in_(cluster.gap_ids), gaps.c.status == "open")
    return connection.execute(query.values(status=status, decided_at=now)).rowcount > 0


def _cluster(rows: Sequence[Row], knowledge: Knowledge, answers: Mapping[int, str]) -> Cluster:
    replied = [answers[row.ticket_id] for row in rows if row.ticket_id in answers]
    answer = masked(max(replied, key=len)) if replied else None
    cluster = Cluster(
        number=rows[0].id,
        gap_ids=tuple(row.id for row in rows),
        sources=len({row.conversation_id for row in rows}),
        kinds=Counter(row.kind for row in rows),
        last_asked=max(row.asked_at for row in rows),
        examples=_examples(rows),
        suggestion=None,
        answer=answer,
        not_meant=tuple(dict.fromkeys(row.entry_id for row in rows if row.kind == "corrected" and row.entry_id)),
    )
    suggestion = _suggested(cluster, rows, knowledge)
    return replace(cluster, suggestion=suggestion)


def _examples(rows: Sequence[Row]) -> tuple[str, ...]:
    """The distinct wordings, the most frequent first and of those the shortest."""
    counted = Counter(without_masks(row.words) for row in rows)
    return tuple(sorted(counted, key=lambda words: (-counted[words], len(words), words)))[:_MOST_PHRASINGS]


def _suggested(cluster: Cluster, rows: Sequence[Row], knowledge: Knowledge) -> Suggestion | None:
    """What the resident chose is right; else what a person replied; else the nearest entry when it is near enough."""
    if not _phrasings(cluster):
        return None
    chosen = Counter(row.chosen_id for row in rows if knowledge.knows(row.chosen_id))
    if chosen:
        return of_entry(cluster, chosen.most_common(1)[0][0])
    if cluster.answer is not None:
        return new_entry(cluster, cluster.answer, knowledge, _communities(rows))
    likely: dict[str, float] = defaultdict(float)
    for row in rows:
        if row.kind != "corrected" and knowledge.knows(row.entry_id):
            likely[row.entry_id] += row.confidence
    best = max(likely, key=likely.__getitem__, default=None)
    if best is None or likely[best] / len(rows) < _LIKELY:
        return None
    return of_entry(cluster, best)


def _communities(rows: Sequence[Row]) -> tuple[str, ...]:
    """A person's reply is known to hold only where it was given."""
    asked_in = {row.community_id for row in rows if row.ticket_id is not None}
    return tuple(sorted(asked_in)) if None not in asked_in else ()


def _phrasings(cluster: Cluster) -> tuple[str, ...]:
    fit = (words for words in cluster.examples if len(same_question(words)) >= _SHORTEST_PHRASING)
    return tuple(words for words in fit if len(words) <= _LONGEST_PHRASING)


def _phrasings_or_refuse(cluster: Cluster) -> tuple[str, ...]:
    phrasings = _phrasings(cluster)
    if not phrasings:
        raise ValueError(
            f"none of its wordings is between {_SHORTEST_PHRASING} and {_LONGEST_PHRASING} characters long"
        )
    return phrasings


def _check_answer(suggestion: Suggestion) -> None:
    if masks := masks_in(suggestion.answer or ""):
        raise ValueError(f"the answer holds {masks[0]} in the place of something private; say what all may read")
    texts = {"id": suggestion.entry_id, "question": suggestion.phrasings[0], "answer": suggestion.answer}
    for problem, remedy, _ in mistakes_in({**texts, "elder": None, "group": None, "skill": None}):
        raise ValueError(f"{problem}; {remedy}")
