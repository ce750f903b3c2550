"""Doors with rules of their own: accounts that may not speak unasked, menus, merged messages, and reply windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from bot.channels.capabilities import OFFICIAL_ACCOUNT, Capabilities, Window
from bot.channels.channel import Outgoing, Receipt
from bot.conversation import Turn
from bot.delivery import Delivery, Undelivered
from bot.effects import Effects
from bot.errors import BotError, OverRate, PlatformError, ResultUnknown
from bot.menu import Choice, Menu
from bot.offers import Answer
from bot.storage.tables import conversations, outbox
from bot.transaction import Transaction
from bot.turn import NamedHandler, Turns
from tests.bot.rig import Rig, Wakes, message

SPARING = replace(
    OFFICIAL_ACCOUNT, reply_margin=None, repeats="same_key", merges=True, menu_choices=10, sends=frozenset({"menu"})
)


class Door:
    """A channel that keeps what is sent through it, and fails as it is told."""

    name = "oa"
    acknowledgement = ""
    content_type = "text/plain"
    verify = receive = passive_reply = fetch = None

    def __init__(self, rules: Capabilities) -> None:
        self.capabilities = rules
        self.sent: list[Outgoing] = []
        self.failures: list[BotError] = []
        self.receipt: dict[str, Any] = {}

    def send(self, account: str, outgoing: Outgoing) -> Receipt:
        if self.failures:
            error = self.failures.pop(0)
            if isinstance(error, ResultUnknown):
                self.sent.append(outgoing)
            raise error
        self.sent.append(outgoing)
        return self.receipt

    def texts(self) -> list[str]:
        return [outgoing.text for outgoing in self.sent]


class House(Rig):
    """Turns and delivery around one door."""

    def __init__(self, store, clock, tmp_path, rules: Capabilities) -> None:
        super().__init__(store, clock, lambda turn: Effects(replies=(f"回：{turn.message.text}",)))
        self.door = Door(rules)
        self.undelivered: list[Undelivered] = []
        self.handler: Callable[..., Effects | None] = lambda turn: Effects(replies=(f"回：{turn.message.text}",))
        self.turns = Turns(
            store=store,
            clock=clock,
            capabilities={"oa": rules},
            handlers=[NamedHandler("only", lambda turn: self.handler(turn))],
            afterthoughts=[],
            on_failure=lambda turn: Effects(replies=("出了点问题",)),
            flood="太快了",
            workers=Wakes(),
        )
        self.delivery = Delivery(
            store=store,
            clock=clock,
            channels={"oa": self.door},  # type: ignore[dict-item]
            media_dir=tmp_path,
            on_undelivered=lambda tx, what: self.undelivered.append(what),
            wake=lambda tx: None,
        )

    def tell(self, text: str, **options: Any) -> None:
        """Somebody says something to Alice of their own accord."""
        with self.store.write() as connection:
            tx = Transaction(connection, self.clock.now(), 1, None, f"tell:{text}", {"oa": self.door.capabilities})
            tx.tell(1, text, **{"voice": "person", **options})

    def store_to_be_thought_about(self, *texts: str) -> None:
        """Alice's messages are fetched, and nobody has thought about them yet."""
        for text in texts:
            self.turns.keep(message(text, account="alice"))

    def follow(self) -> None:
        with self.store.write() as connection:
            Transaction(connection, self.clock.now(), 1, None, "follow", {}).follow(1, True)

    def deliver(self) -> None:
        self.delivery.deliver(1)

    def statuses(self) -> list[str]:
        return [row.status for row in self.outbox()]

    def errors(self) -> list[str | None]:
        return [row.error for row in self.outbox()]

    def window_left(self) -> int:
        with self.store.read() as connection:
            return int(connection.execute(select(conversations.c.window_left)).scalar_one())


@pytest.fixture
def house(store, clock, tmp_path) -> Callable[[Capabilities], House]:
    return lambda rules: House(store, clock, tmp_path, rules)


class TestAnAccountThatMayNotSpeakUnasked:
    rules = replace(OFFICIAL_ACCOUNT, pushes=False)

    def test_words_wait_for_the_next_message_and_come_with_its_answer(self, house) -> None:
        here = house(self.rules)
        here.say("在吗")
        here.tell("我是团长，已经在查了")
        here.deliver()
        assert here.say("好").text == "我是团长，已经在查了\n回：好"
        assert here.door.sent == []

    def test_whoever_spoke_is_told_once_that_the_words_wait(self, house) -> None:
        here = house(self.rules)
        confirm(here, here.say("在吗"))
        here.tell("我来了", about="ticket:1")
        here.deliver()
        here.deliver()
        assert [(each.about, each.error) for each in here.undelivered] == [("ticket:1", "kept")]

    def test_all_words_that_wait_are_reported_at_once(self, house) -> None:
        here = house(self.rules)
        confirm(here, here.say("在吗"))
        here.tell("一", about="ticket:1")
        here.tell("二", about="ticket:2")
        here.deliver()
        assert [each.about for each in here.undelivered] == ["ticket:1", "ticket:2"]

    def test_words_that_were_said_are_not_said_again(self, house) -> None:
        here = house(self.rules)
        here.say("在吗")
        here.tell("我来了")
        answer = here.say("好")
        confirm(here, answer)
        assert here.say("谢谢").text == "回：谢谢"

    def test_a_repeat_of_the_callback_does_not_lose_the_answer(self, house) -> None:
        here = house(self.rules)
        here.say("在吗", key="k1")
        assert here.say("在吗", key="k1").text == "回：在吗"

    def test_what_does_not_fit_waits_for_the_message_after(self, house) -> None:
        here = house(replace(self.rules, text_bytes=60))
        here.say("在吗")
        here.tell("第一句话，有十个字呢")
        here.tell("第二句话，有十个字呢")
        first = here.say("好")
        confirm(here, first)
        assert (first.text, here.say("嗯").text) == ("第一句话，有十个字呢\n回：好", "第二句话，有十个字呢\n回：嗯")

    def test_words_that_nobody_came_for_expire_and_are_reported(self, house, clock) -> None:
        here = house(self.rules)
        confirm(here, here.say("在吗"))
        here.tell("我来了")
        here.deliver()
        clock.advance(hours=49)
        here.deliver()
        assert [each.error for each in here.undelivered] == ["kept", "expired"]


def confirm(here: House, answer: Answer) -> None:
    with here.store.write() as connection:
        connection.execute(update(outbox).where(outbox.c.id.in_(answer.outbox_ids)).values(status="sent"))


class TestSparingTheWindow:
    def test_texts_that_wait_leave_as_one_message(self, house) -> None:
        here = house(SPARING)
        for text in ("一", "二", "三"):
            here.take(message(text, account="alice"))
        here.deliver()
        assert here.door.texts() == ["回：一\n回：二\n回：三"]
        assert (here.statuses(), here.window_left()) == (["sent"] * 3, 4)

    def test_an_answer_waits_for_those_to_what_else_the_person_wrote(self, house) -> None:
        here = house(replace(SPARING, pulled=True))
        here.take(message("零", account="alice"))
        here.deliver()
        here.store_to_be_thought_about("一", "二", "三")

        def answered_while_others_deliver(turn: Turn) -> Effects:
            here.deliver()
            return Effects(replies=(f"回：{turn.message.text}",))

        here.handler = answered_while_others_deliver
        here.turns.think(1)
        here.deliver()
        assert here.door.texts() == ["回：零", "回：一\n回：二\n回：三"]

    def test_an_answer_does_not_wait_for_long(self, house, clock) -> None:
        here = house(replace(SPARING, pulled=True))
        here.take(message("一", account="alice"))
        here.store_to_be_thought_about("二")
        here.deliver()
        assert here.door.texts() == []
        clock.advance(seconds=11)
        here.deliver()
        assert here.door.texts() == ["回：一"]

    def test_a_merged_message_is_repeated_as_it_was_with_the_same_key(self, house, clock) -> None:
        here = house(SPARING)
        here.take(message("一", account="alice"))
        here.tell("二")
        here.door.failures = [ResultUnknown("lost")]
        here.deliver()
        here.tell("三")
        clock.advance(seconds=5)
        here.deliver()
        first, again, later = here.door.sent
        assert (first.text, first.key) == (again.text, again.key) == ("回：一\n二", first.key)
        assert (later.text, here.window_left()) == ("三", 3)

    def test_texts_that_were_refused_for_now_leave_as_one_message_after_all(self, house, clock) -> None:
        here = house(SPARING)
        for text in ("一", "二"):
            here.take(message(text, account="alice"))
        here.door.failures = [PlatformError(45009, permanent=False)]
        here.deliver()
        here.tell("三")
        clock.advance(seconds=5)
        here.deliver()
        assert (here.door.texts(), here.window_left()) == (["回：一\n回：二\n三"], 4)

    def test_what_may_have_left_stays_as_it_was_however_often_it_is_refused_later(self, house, clock) -> None:
        here = house(SPARING)
        here.take(message("一", account="alice"))
        here.tell("二")
        here.door.failures = [ResultUnknown("lost"), PlatformError(45009, permanent=False)]
        here.deliver()
        here.tell("三")
        for _ in range(2):
            clock.advance(seconds=5)
            here.deliver()
        first, again, later = here.door.sent
        assert (first.text, first.key) == (again.text, again.key) == ("回：一\n二", first.key)
        assert (later.text, here.window_left()) == ("三", 3)

    def test_what_may_have_left_and_is_refused_for_good_later_is_uncertain(self, house, clock) -> None:
        here = house(SPARING)
        here.take(message("一", account="alice"))
        here.door.failures = [ResultUnknown("lost"), PlatformError(40008, permanent=True)]
        here.deliver()
        clock.advance(seconds=5)
        here.deliver()
        assert (here.statuses(), here.window_left()) == (["uncertain"], 4)

    def test_a_refused_message_gives_its_place_back_to_no_window_that_was_opened_meanwhile(self, house) -> None:
        here = house(SPARING)
        here.take(message("一", account="alice"))
        refused = PlatformError(45009, permanent=False)

        def refuse_while_she_writes(account: str, outgoing: Outgoing) -> Receipt:
            here.take(message("二", account="alice"))
            raise refused

        here.door.send = refuse_while_she_writes
        here.deliver()
        assert here.window_left() == 5

    def test_the_last_message_is_kept_for_how_the_matter_ends(self, house) -> None:
        here = house(replace(SPARING, merges=False))
        here.take(message("坏了", account="alice"))
        here.follow()
        for number in range(5):
            here.tell(f"第{number}句")
        here.tell("给您退了", outcome=True)
        here.deliver()
        assert here.door.texts() == ["回：坏了", "第0句", "第1句", "第2句", "给您退了"]
        assert [each.error for each in here.undelivered] == ["window_kept", "window_kept"]

    def test_a_full_window_that_the_platform_reports_ends_the_sending(self, house) -> None:
        here = house(SPARING)
        here.take(message("一", account="alice"))
        here.door.failures = [PlatformError(95001, permanent=True, code="window_used_up")]
        here.deliver()
        here.tell("二")
        here.deliver()
        assert (here.errors(), here.door.sent) == (["window_used_up", "window_used_up"], [])

    def test_what_is_over_the_rate_is_tried_later_and_costs_nothing(self, house, clock) -> None:
        here = house(SPARING)
        here.take(message("一", account="alice"))
        here.door.failures = [OverRate(20.0)]
        here.deliver()
        assert (here.statuses(), here.window_left()) == (["queued"], 5)
        clock.advance(seconds=21)
        here.deliver()
        assert here.door.texts() == ["回：一"]

    def test_messages_that_all_came_before_the_first_answer_share_one_window(self, store, clock, house) -> None:
        here = house(replace(SPARING, pulled=True, merges=False))
        sent_at = clock.now() - timedelta(hours=3)
        for number in range(8):
            old = replace(message(f"{number}", account="alice"), sent_at=sent_at)
            here.turns.take(old)
            here.deliver()
        assert len(here.door.sent) == 5

    def test_words_that_may_have_left_with_others_are_neither_said_again_nor_called_unsent(self, house, clock) -> None:
        here = house(SPARING)
        here.take(message("一", account="alice"))
        here.tell("已退款", about="ticket:1")
        here.door.failures = [ResultUnknown("lost")]
        here.deliver()
        with here.store.write() as connection:
            Transaction(connection, clock.now(), 1, None, "hold", {}).hold(1, "zhang")
        clock.advance(seconds=5)
        here.deliver()
        assert here.door.texts() == ["回：一\n已退款"]
        assert here.statuses() == ["uncertain", "uncertain"]

    def test_what_left_after_a_message_that_is_pulled_later_counts_for_its_window(self, house, clock) -> None:
        here = house(replace(SPARING, pulled=True, merges=False))
        here.turns.take(message("一", account="alice"))
        here.deliver()
        clock.advance(minutes=5)
        written = clock.now()
        clock.advance(seconds=15)
        here.tell("我先说一句")
        here.deliver()
        clock.advance(seconds=30)
        here.turns.take(replace(message("二", account="alice"), sent_at=written))
        assert here.window_left() == 4

    def test_a_message_that_was_taken_and_failed_is_known_while_its_answer_is_still_unknown(self, house) -> None:
        here = house(SPARING)
        here.take(message("一", account="alice"))
        here.door.failures = [ResultUnknown("lost")]
        here.deliver()
        with here.store.write() as connection:
            tx = Transaction(connection, here.clock.now(), 1, None, "event", {"oa": SPARING})
            assert here.delivery.failed_later(tx, here.door.sent[0].key, "refused_by_person")
        assert here.statuses() == ["dead"]


class TestSessionsOnThePlatform:
    def test_a_session_is_not_handed_to_whoever_has_solved_the_matter_meanwhile(self, house) -> None:
        here = house(SPARING)
        here.take(message("一", account="alice"))
        with here.store.write() as connection:
            tx = Transaction(connection, here.clock.now(), 1, None, "take", {"oa": SPARING})
            tx.put(1, "session", {"to": "person", "staff": "ZhangLeader"}, voice="notice")
        here.deliver()
        assert [sent.kind for sent in here.door.sent] == ["text"]
        assert here.statuses() == ["sent", "withdrawn"]

    def test_the_bot_is_silent_while_a_person_speaks_in_the_platforms_client(self, house) -> None:
        here = house(SPARING)
        here.door.receipt = {"session": "person"}
        here.take(message("一", account="alice"))
        here.deliver()
        here.door.receipt = {}
        here.take(message("二", account="alice"))
        here.tell("我说", about="ticket:1")
        here.deliver()
        assert here.door.texts() == ["回：一"]
        assert (here.statuses(), here.errors()[1:]) == (["sent", "withdrawn", "dead"], ["held", "session_person"])

    def test_a_delivery_that_fails_later_is_reported_with_its_cause(self, house) -> None:
        here = house(SPARING)
        here.take(message("一", account="alice"))
        here.deliver()
        with here.store.write() as connection:
            tx = Transaction(connection, here.clock.now(), 1, None, "event", {"oa": SPARING})
            assert here.delivery.failed_later(tx, here.door.sent[0].key, "refused_by_person")
            assert not here.delivery.failed_later(tx, "0" * 32, "refused_by_person")
        assert (here.statuses(), here.undelivered[0].error) == (["dead"], "refused_by_person")


class TestMenus:
    menu = Menu("您想问的是？", (Choice("a", "几点取货"), Choice("b", "怎么退款")), "点一下就行")

    def test_a_menu_takes_the_words_before_it_along(self, house) -> None:
        here = house(SPARING)
        here.handler = lambda turn: Effects(replies=("您好。", self.menu))
        here.take(message("嗯", account="alice"))
        here.deliver()
        (sent,) = here.door.sent
        assert (sent.kind, sent.data["head"]) == ("menu", "您好。\n您想问的是？")
        assert sent.data["choices"] == [["a", "几点取货"], ["b", "怎么退款"]]

    def test_without_menus_it_is_a_numbered_text(self, house) -> None:
        here = house(OFFICIAL_ACCOUNT)
        here.handler = lambda turn: Effects(replies=("您好。", self.menu))
        assert here.say("嗯").text == "您好。\n您想问的是？\n1. 几点取货\n2. 怎么退款\n点一下就行"


def test_a_person_reaches_somebody_by_notification_when_the_window_has_closed(house, clock) -> None:
    here = house(replace(OFFICIAL_ACCOUNT, notifies=True))
    confirm(here, here.say("坏了"))
    clock.advance(hours=50)
    here.tell("给您退了")
    here.tell("机器人的话", voice="bot")
    here.deliver()
    assert [(sent.kind, sent.text) for sent in here.door.sent] == [("notification", "给您退了")]
    assert [(each.voice, each.error) for each in here.undelivered] == [("person", "notified"), ("bot", "window_closed")]


def test_rows_of_a_channel_that_is_gone_come_to_an_end(house) -> None:
    here = house(OFFICIAL_ACCOUNT)
    here.take(message("一", account="alice"), seconds=0)
    here.delivery._channels = {}
    here.deliver()
    assert (here.statuses(), here.errors()) == (["dead"], ["channel_gone"])


def test_a_code_answers_an_event_outside_of_every_window(house) -> None:
    here = house(SPARING)
    here.take(replace(message(account="alice", kind="event", event="entered"), reply_code="once"))
    here.deliver()
    assert [(sent.text, sent.reply_code) for sent in here.door.sent] == [("回：", "once")]


def test_the_window_of_one_answer_per_message_is_used_once(house) -> None:
    here = house(replace(OFFICIAL_ACCOUNT, window=Window(timedelta(hours=1), 1), merges=True))
    confirm(here, here.take(replace(message("问", account="alice"), reply_address="https://here.example/once")))
    here.tell("我是团长")
    here.deliver()
    here.tell("还有一句")
    here.deliver()
    assert [(sent.text, sent.reply_address) for sent in here.door.sent] == [("我是团长", "https://here.example/once")]
    assert [each.error for each in here.undelivered] == ["window_used_up"]
