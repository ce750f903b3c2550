"""A chat machine with handlers of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sqlalchemy import select

from bot.channels.capabilities import OFFICIAL_ACCOUNT, WECOM_APP
from bot.clock import Clock
from bot.conversation import Turn
from bot.effects import Effects
from bot.message import Media, Message
from bot.offers import Answer
from bot.storage.store import Store
from bot.storage.tables import inbox, outbox
from bot.turn import NamedHandler, Turns


class Wakes:
    """Collects what the workers would be told."""

    def __init__(self) -> None:
        self.conversations: list[int] = []
        self.jobs: list[int] = []

    def wake(self, conversations: Sequence[int], jobs: Sequence[int] = ()) -> None:
        self.conversations += conversations
        self.jobs += jobs


class Rig:
    """Turns over a real store; ``handle`` is the only handler."""

    def __init__(self, store: Store, clock: Clock, handle: Callable[[Turn], Effects | None]) -> None:
        self.store = store
        self.clock = clock
        self.wakes = Wakes()
        self.turns = Turns(
            store=store,
            clock=clock,
            capabilities={"oa": OFFICIAL_ACCOUNT, "app": WECOM_APP},
            handlers=[NamedHandler("only", handle)],
            afterthoughts=[],
            on_failure=lambda turn: Effects(replies=("出了点问题",)),
            flood="太快了",
            workers=self.wakes,
        )

    def say(self, text: str, *, account: str = "alice", key: str | None = None, seconds: float = 3.5) -> Answer:
        """A text message through the HTTP door."""
        return self.take(message(text, account=account, key=key), seconds=seconds)

    def take(self, incoming: Message, *, seconds: float = 3.5) -> Answer:
        return self.turns.take(incoming, answer_until=self.clock.monotonic() + seconds)

    def inbox(self) -> list:
        with self.store.read() as connection:
            return list(connection.execute(select(inbox).order_by(inbox.c.id)))

    def outbox(self) -> list:
        with self.store.read() as connection:
            return list(connection.execute(select(outbox).order_by(outbox.c.id)))


_count = iter(range(1, 1_000_000))


def message(
    text: str = "",
    *,
    account: str = "alice",
    key: str | None = None,
    kind: str = "text",
    media: Media | None = None,
    channel: str = "oa",
    event: str = "",
) -> Message:
    """A message as a channel would translate it, with a key of its own unless one is given."""
    return Message(
        channel=channel,
        account=account,
        dedupe_key=key or f"{account}:{next(_count)}",
        kind=kind,  # type: ignore[arg-type]
        sent_at=datetime.now(UTC),
        text=text,
        media=media,
        event=event,
    )
