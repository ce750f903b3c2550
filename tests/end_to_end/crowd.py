"""People who write all at once and do not give up, the processes they write to, and the accounts kept of it all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Row, Table, select

from bot.storage.store import Store
from bot.storage.tables import conversations, inbox, jobs, outbox
from escalation.tables import tickets
from escalation.tickets import label
from playground.phones import Person
from playground.stage import Stage
from tests.commands.processes import descendants

PATIENCE = 30.0  # seconds; everything that is waited for ends the wait
LEASE = 60.0  # seconds after which a dead worker's rows are free again
FINAL = {"sent", "uncertain", "dead", "expired", "withdrawn"}
LOOK_EVERY = 0.05


def wait_until(happened: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Looks again and again at something that nobody announces, such as a row or a process."""
    deadline = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < deadline, f"within {patience:g} s it did not come to be that {what}"
        time.sleep(LOOK_EVERY)


def say(person: Person, text: str) -> None:
    """Sends a message; while the bot does not take it, the platform delivers the same one again."""
    if not person.send(text).accepted:
        wait_until(lambda: person.repeat().accepted, f"the bot took the message of {person.name}")


def all_say(people: Iterable[Person], text: str) -> None:
    """Everybody writes at the same moment; returns when the bot has taken every message."""
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda person: say(person, text), people))


def process_of(stage: Stage, command: str) -> int | None:
    """The process under ``up`` that was started with these words; of the web's two, the one that serves."""
    found = []
    for pid in descendants(stage.pid):
        with suppress(FileNotFoundError, ProcessLookupError):
            if command in Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode():
                found.append(pid)
    return max(found, default=None)


def heard_by_staff(stage: Stage) -> list[str]:
    """Everything that the bot has told leaders, agents and supervisors."""
    staff = [person for person in stage.wechat.people.values() if person.role != "resident"]
    return [bubble.text for person in staff for bubble in person.chat() if bubble.speaker == "bot"]


class Accounts:
    """What the database says of everything that happened on a stage with SQLite."""

    def __init__(self, stage: Stage) -> None:
        self._world = stage.wechat.world
        self._store = Store(f"sqlite:///{stage.data_dir / 'qunda.db'}")

    def close(self) -> None:
        self._store.close()

    def rows(self, table: Table) -> list[Row]:
        with self._store.read() as connection:
            return list(connection.execute(select(table).order_by(table.c.id)))

    def settle(self, patience: float) -> None:
        """Waits until nothing is to be sent or done any more."""
        wait_until(lambda: {row.status for row in self.rows(outbox)} <= FINAL, "every message was sent", patience)
        wait_until(lambda: {row.status for row in self.rows(jobs)} <= {"done"}, "every job was done", patience)

    def check_announcements(self, heard: list[str]) -> None:
        """Staff have heard of every ticket, and of each once."""
        for ticket in self.rows(tickets):
            times = sum(label(ticket.id) in text for text in heard)
            assert times == 1, f"{label(ticket.id)} was announced {times} times"

    def check_conversations(self) -> None:
        """Every message was taken once, nothing was said out of order, and no notice was seen twice."""
        for conversation in self.rows(conversations):
            chat = self._world.chat(conversation.channel, conversation.account)
            taken = [row.text for row in self._of(inbox, conversation) if not row.dedupe_key.startswith("job:")]
            assert taken == [bubble.text for bubble in chat if bubble.speaker == "person"]
            said = [_named(row.kind, row.payload["text"]) for row in self._of(outbox, conversation)]
            heard = [_named(bubble.kind, bubble.text) for bubble in chat if bubble.speaker == "bot"]
            if conversation.channel == "oa":
                # Words whose HTTP answer the web process took with it may be heard twice; the first time counts.
                heard = list(dict.fromkeys(heard))
            assert heard == said

    def _of(self, table: Table, conversation: Row) -> list[Row]:
        return [row for row in self.rows(table) if row.conversation_id == conversation.id]


def _named(kind: str, text: str) -> str:
    """A card shows the ticket that its text tells of in other words, under the same heading."""
    return text.partition("】")[0] if kind in ("card", "template_card") else text
