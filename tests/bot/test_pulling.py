"""Messages that are fetched: a channel of the test's own hands out its pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.channels.capabilities import OFFICIAL_ACCOUNT
from bot.channels.channel import Page
from bot.due import due_pulls, due_thoughts
from bot.effects import Effects
from bot.errors import PlatformUnreachable
from bot.pulling import PULL_EVERY, Pulling
from bot.storage.tables import conversations, cursors, inbox, outbox
from bot.turn import NamedHandler, Turns
from tests.bot.rig import Wakes, message

RULES = replace(OFFICIAL_ACCOUNT, pulled=True, reply_margin=None, merges=True)


class Shelf:
    """A pulled channel: its messages stand in a row, and a cursor is a place in it."""

    name = "kf"
    capabilities = RULES
    acknowledgement = ""
    content_type = "text/plain"

    def __init__(self, clock, size: int = 2) -> None:
        self.clock = clock
        self.size = size
        self.messages: list = []
        self.empty_pages = 0
        self.tokens: list[str] = []
        self.broken = 0

    def put(self, *texts: str, account: str = "wmAlice", age: timedelta = timedelta()) -> None:
        for text in texts:
            key = f"m{len(self.messages)}"
            letter = message(text, account=account, key=key, channel="kf")
            self.messages.append(replace(letter, sent_at=self.clock.now() - age))

    def pull(self, cursor: str, token: str) -> Page:
        self.tokens.append(token)
        if self.broken:
            self.broken -= 1
            raise PlatformUnreachable("away")
        if self.empty_pages:
            self.empty_pages -= 1
            return Page((), f"{cursor}.", more=True)
        start = int(cursor.rstrip(".") or 0)
        found = tuple(self.messages[start : start + self.size])
        return Page(found, str(start + len(found)), more=start + len(found) < len(self.messages))

    verify = receive = passive_reply = send = fetch = None


class Post:
    def __init__(self, store, clock) -> None:
        self.store, self.clock = store, clock
        self.shelf = Shelf(clock)
        self.woken: list[int] = []
        self.poked: list[str] = []
        self.pulling = Pulling(
            store=store,
            clock=clock,
            channels={"kf": self.shelf},  # type: ignore[dict-item]
            wake=self.woken.extend,
            wake_pull=self.poked.extend,
        )
        self.turns = Turns(
            store=store,
            clock=clock,
            capabilities={"kf": RULES},
            handlers=[NamedHandler("echo", lambda turn: Effects(replies=(f"回：{turn.message.text}",)))],
            afterthoughts=[],
            on_failure=lambda turn: Effects(replies=("出了点问题",)),
            flood="太快了",
            workers=Wakes(),
        )
        self.pulling.prepare()

    def inbox(self) -> list:
        with self.store.read() as connection:
            return list(connection.execute(select(inbox).order_by(inbox.c.id)))

    def replies(self) -> list[str]:
        with self.store.read() as connection:
            return [row.payload["text"] for row in connection.execute(select(outbox).order_by(outbox.c.id))]

    def cursor(self) -> str:
        with self.store.read() as connection:
            return str(connection.execute(select(cursors.c.cursor)).scalar_one())

    def think(self) -> None:
        for conversation in sorted(set(self.woken)):
            self.turns.think(conversation)


@pytest.fixture
def post(store, clock) -> Post:
    return Post(store, clock)


def test_every_message_of_every_page_is_stored_and_answered_once_in_its_order(post: Post) -> None:
    post.shelf.put("一", "二", "三", "四", "五")
    post.pulling.pull("kf")
    post.think()
    assert post.replies() == ["回：一", "回：二", "回：三", "回：四", "回：五"]
    assert {row.outcome for row in post.inbox()} == {"handled"}


def test_thinking_begins_when_all_pages_are_there(post: Post) -> None:
    post.shelf.put("一", "二", "三", "四", "五")
    pages = post.shelf.pull

    def nobody_was_told_yet(cursor: str, token: str) -> Page:
        assert post.woken == []
        return pages(cursor, token)

    post.shelf.pull = nobody_was_told_yet  # type: ignore[method-assign]
    post.pulling.pull("kf")
    assert len(post.woken) == 1


def test_empty_pages_do_not_end_the_pulling(post: Post) -> None:
    post.shelf.put("一")
    post.shelf.empty_pages = 3
    post.pulling.pull("kf")
    assert [row.text for row in post.inbox()] == ["一"]


def test_a_page_that_comes_again_is_stored_once(post: Post) -> None:
    post.shelf.put("一", "二")
    post.pulling.pull("kf")
    with post.store.write() as connection:
        connection.execute(cursors.update().values(cursor=""))
    post.pulling.poked("kf", "")
    post.pulling.pull("kf")
    assert [row.text for row in post.inbox()] == ["一", "二"]


def test_what_was_stored_before_the_platform_went_away_stays_and_the_rest_follows(post: Post) -> None:
    post.shelf.put("一", "二", "三")
    pages = post.shelf.pull
    answers = iter([pages, _away])
    post.shelf.pull = lambda cursor, token: next(answers, pages)(cursor, token)  # type: ignore[method-assign]
    post.pulling.pull("kf")
    assert ([row.text for row in post.inbox()], post.cursor()) == (["一", "二"], "2")
    assert len(post.woken) == 1
    post.clock.advance(seconds=6)
    post.pulling.pull("kf")
    assert [row.text for row in post.inbox()] == ["一", "二", "三"]


def _away(cursor: str, token: str) -> Page:
    raise PlatformUnreachable("away")


def test_a_poke_brings_its_token_and_an_old_token_is_left_out(post: Post, clock) -> None:
    post.pulling.pull("kf")
    post.pulling.poked("kf", "fresh")
    post.pulling.pull("kf")
    clock.advance(seconds=601)
    post.pulling.pull("kf")
    assert (post.shelf.tokens, post.poked) == (["", "fresh", ""], ["kf"])


def test_without_a_poke_the_channel_is_due_every_minute(post: Post, clock, store) -> None:
    post.pulling.pull("kf")
    with store.read() as connection:
        assert due_pulls(connection, clock.now()) == []
        assert due_pulls(connection, clock.now() + PULL_EVERY) == ["kf"]


def test_a_poke_during_the_pulling_is_not_lost(post: Post) -> None:
    pages = post.shelf.pull

    def poked_meanwhile(cursor: str, token: str) -> Page:
        page = pages(cursor, token)
        if not post.shelf.messages:
            post.shelf.put("刚到")
            post.pulling.poked("kf", "")
        return page

    post.shelf.pull = poked_meanwhile  # type: ignore[method-assign]
    post.pulling.pull("kf")
    assert [row.text for row in post.inbox()] == ["刚到"]


def test_stored_messages_whose_worker_died_are_found_again(post: Post, clock, store) -> None:
    post.shelf.put("一")
    post.pulling.pull("kf")
    with store.read() as connection:
        assert due_thoughts(connection, clock.now()) == []
        assert due_thoughts(connection, clock.now() + timedelta(seconds=3)) == post.woken


def test_an_old_message_opens_only_what_is_left_of_its_window(post: Post, clock, store) -> None:
    post.shelf.put("昨天的", age=timedelta(hours=47))
    post.pulling.pull("kf")
    post.think()
    with store.read() as connection:
        closes_at = connection.execute(select(conversations.c.window_closes_at)).scalar_one()
    assert timedelta(minutes=59) < closes_at - clock.now() <= timedelta(hours=1)


def test_many_messages_after_a_day_offline_are_not_taken_for_a_flood(post: Post) -> None:
    for hour in range(30):
        post.shelf.put(f"第{hour}条", age=timedelta(hours=40 - hour))
    post.pulling.pull("kf")
    post.think()
    assert {row.outcome for row in post.inbox()} == {"handled"}


def test_a_channel_that_is_gone_is_not_pulled_for_ever(post: Post, clock, store) -> None:
    post.pulling._channels = {}
    post.pulling.pull("kf")
    with store.read() as connection:
        assert due_pulls(connection, clock.now() + PULL_EVERY) == []
