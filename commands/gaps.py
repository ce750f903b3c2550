"""What residents asked and the knowledge could not answer: listed, approved, dismissed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, select

from commands.errors import CommandRefused
from commands.knowledge import TAKEN_IN, knowledge_in_use, opened_store
from config.settings import Settings
from escalation.tables import ticket_events
from faq import gaps
from faq.gaps import Cluster, Suggestion
from faq.knowledge import Addition, Entry, Knowledge
from faq.references import missing_of
from shop.policy import Policy

_MOST_LISTED = 30
_SHOWN_PHRASINGS = 4


def list_open() -> None:
    """Prints what residents asked and the knowledge could not answer, what most of them asked first."""
    settings = Settings.load(os.environ, make_secret=True)
    with opened_store(settings) as store, store.read() as connection:
        knowledge = knowledge_in_use(settings, connection)
        clusters = _clusters(connection, knowledge)
    for cluster in clusters[:_MOST_LISTED]:
        print(_in_words(cluster, knowledge, settings))
    rest = f", the first {_MOST_LISTED} of them above" if len(clusters) > _MOST_LISTED else ""
    print(f"{len(clusters)} gaps{rest}; {sum(len(cluster.gap_ids) for cluster in clusters)} questions")


def approve(number: int, *, entry_id: str | None, answer: str | None, everywhere: bool) -> None:
    """Adds a gap to the knowledge, as suggested or as told; the running processes take it in by themselves.

    ``everywhere``: an answer that a person gave in one community is said in all. Raises CommandRefused.
    """
    settings = Settings.load(os.environ, make_secret=True)
    with opened_store(settings) as store, store.write() as connection:
        knowledge = knowledge_in_use(settings, connection)
        cluster = _find(connection, knowledge, number)
        try:
            suggestion = _chosen(cluster, knowledge, entry_id, answer, everywhere)
            gaps.approve(connection, cluster, suggestion, datetime.now(UTC))
            _refuse_missing(suggestion, settings)
        except ValueError as error:
            raise CommandRefused(
                f"gap {number}: {error}", "give another --answer or --entry, or --dismiss it"
            ) from None
    what = "a new entry" if suggestion.answer else "phrasings"
    print(f"Added {what}, {suggestion.entry_id}: {'; '.join(suggestion.phrasings)}")
    if suggestion.answer:
        where = f" (only in {', '.join(suggestion.communities)})" if suggestion.communities else ""
        print(f"Answer{where}: {suggestion.answer}")
    print(f"{TAKEN_IN} ./qunda faq gaps --dismiss {number} takes it back.")


def dismiss(number: int) -> None:
    """Takes a gap off the list, or takes back what approving it has added. Raises CommandRefused for another number."""
    settings = Settings.load(os.environ, make_secret=True)
    now = datetime.now(UTC)
    with opened_store(settings) as store, store.write() as connection:
        added = gaps.withdraw(connection, number, now)
        if added is None:
            cluster = _find(connection, knowledge_in_use(settings, connection), number)
            gaps.dismiss(connection, cluster, now)
            print(f"Dismissed: {'; '.join(cluster.examples[:_SHOWN_PHRASINGS])}")
            return
    _tell_taken_back(added, Knowledge.load(settings.files("faq"), settings.environ))


def _tell_taken_back(added: Sequence[Addition], files: Knowledge) -> None:
    """An export that was imported since has put them into the files."""
    for each in added:
        print(f"Taken back from {each.entry_id}: {each.phrasing}")
        if files.knows(each.entry_id) and each.phrasing in files[each.entry_id].phrasings:
            print(f"   {files[each.entry_id].file} holds it as well: take it out there")
    if not added:
        print("Dismissed; nothing is left of what it added.")


def _clusters(connection: Connection, knowledge: Knowledge) -> list[Cluster]:
    """The open gaps with the longest reply that a person gave to each: "稍等" is none yet."""
    asked = gaps.tickets_of(connection)
    query = select(ticket_events.c.ticket_id, ticket_events.c.note).where(ticket_events.c.kind == "replied")
    replies: dict[int, str] = {}
    for row in connection.execute(query):
        if row.ticket_id in asked and len(row.note) > len(replies.get(row.ticket_id, "")):
            replies[row.ticket_id] = row.note
    return gaps.open_clusters(connection, knowledge, replies)


def _find(connection: Connection, knowledge: Knowledge, number: int) -> Cluster:
    for cluster in _clusters(connection, knowledge):
        if number in cluster.gap_ids:
            return cluster
    raise CommandRefused(f"there is no open gap {number}", "./qunda faq gaps lists them with their numbers")


def _chosen(
    cluster: Cluster, knowledge: Knowledge, entry_id: str | None, answer: str | None, everywhere: bool
) -> Suggestion:
    if entry_id is not None:
        if not knowledge.knows(entry_id):
            raise ValueError(f"there is no entry {entry_id}")
        return gaps.of_entry(cluster, entry_id)
    if answer is not None:
        return gaps.new_entry(cluster, answer.strip(), knowledge)
    suggestion = cluster.suggestion
    if suggestion is None:
        raise ValueError("nothing is known that would answer it")
    return gaps.new_entry(cluster, suggestion.answer, knowledge) if everywhere and suggestion.answer else suggestion


def _refuse_missing(suggestion: Suggestion, settings: Settings) -> None:
    """Raises ValueError for an answer that names what the policy does not hold: the next snapshot would be refused."""
    figures = Policy.load(settings.file("policy.yaml"), settings.environ).figures
    entry = Entry(suggestion.entry_id, suggestion.phrasings[0], answer=suggestion.answer)
    for problem, remedy in missing_of(entry, (), figures):
        raise ValueError(f"{problem}; {remedy}")


def _in_words(cluster: Cluster, knowledge: Knowledge, settings: Settings) -> str:
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(cluster.kinds.items()))
    last = cluster.last_asked.astimezone(settings.timezone).strftime("%Y-%m-%d %H:%M")
    lines = [
        f"{cluster.number}: {len(cluster.gap_ids)} times in {cluster.sources} conversations ({kinds}), last {last}",
        f"   {' · '.join(cluster.examples[:_SHOWN_PHRASINGS])}",
    ]
    suggestion = cluster.suggestion
    if suggestion is None:
        lines.append(f"   no suggestion: --approve {cluster.number} --answer '…', or --entry ID")
    elif suggestion.answer:
        where = f" in {', '.join(suggestion.communities)} (--everywhere for all)" if suggestion.communities else ""
        lines.append(f"   suggested: a new entry{where} with the answer a person gave: {suggestion.answer}")
    else:
        question = knowledge.question_of(suggestion.entry_id)
        lines.append(f"   suggested: phrasings of {suggestion.entry_id} ({question})")
    for entry_id in filter(knowledge.knows, cluster.not_meant):
        lines.append(f"   the answer that was not meant: {entry_id} ({knowledge.question_of(entry_id)})")
    if cluster.answer and not (suggestion and suggestion.answer):
        lines.append(f"   a person answered: {cluster.answer}")
    return "\n".join(lines)
