from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from bot.conversation import Turn
from bot.effects import Effects
from bot.message import Media
from bot.storage.tables import attachments, conversations, inbox, jobs, outbox
from bot.transaction import Transaction
from tests.bot.rig import Rig, message


def echo(turn: Turn) -> Effects:
    return Effects(replies=(f"回：{turn.message.text}",))


def count_up(turn: Turn) -> Effects:
    number = turn.conversation.state.get("count", 0) + 1
    return Effects(replies=(str(number),), state={"count": number})


def test_a_reply_in_time_is_offered_in_the_http_answer(store, clock) -> None:
    rig = Rig(store, clock, echo)
    answer = rig.say("在吗")
    assert answer.text == "回：在吗"
    assert [row.status for row in rig.outbox()] == ["offered"]
    assert rig.wakes.conversations == []


def test_a_reply_that_comes_too_late_for_the_http_answer_goes_through_the_outbox(store, clock) -> None:
    rig = Rig(store, clock, echo)
    assert rig.say("在吗", seconds=0).text is None
    assert [row.status for row in rig.outbox()] == ["queued"]
    assert len(rig.wakes.conversations) == 1


def test_a_reply_never_overtakes_an_earlier_one_that_still_waits(store, clock) -> None:
    rig = Rig(store, clock, echo)
    rig.say("一", seconds=0)
    assert rig.say("二").text is None
    assert [row.status for row in rig.outbox()] == ["queued", "queued"]


def test_a_repeated_message_gets_the_first_answer_and_has_no_second_effect(store, clock) -> None:
    rig = Rig(store, clock, count_up)
    first = rig.say("一", key="k1")
    again = rig.say("一", key="k1")
    assert (first.text, again.text, again.repeat) == ("1", "1", True)
    assert len(rig.inbox()) == 1
    assert len(rig.outbox()) == 1


def test_a_repeat_of_a_message_answered_through_the_outbox_is_only_acknowledged(store, clock) -> None:
    rig = Rig(store, clock, echo)
    rig.say("一", key="k1", seconds=0)
    with store.write() as connection:
        connection.execute(update(outbox).values(status="sent", attempts=1))
    assert rig.say("一", key="k1").text is None


def test_the_same_callback_in_parallel_has_one_outcome(store, clock) -> None:
    rig = Rig(store, clock, count_up)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: rig.say("一", key="same").text, range(8)))
    assert answers == ["1"] * 8
    assert len(rig.inbox()) == 1


def test_turns_of_one_conversation_in_parallel_each_see_the_state_before_them(store, clock) -> None:
    rig = Rig(store, clock, count_up)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: rig.say("嗯", key=f"k{n}").text, range(16)))
    said = [int(row.payload["text"]) for row in rig.outbox()]
    assert sorted(said) == list(range(1, 17))
    assert len([answer for answer in answers if answer]) >= 1


def test_a_handler_that_breaks_keeps_the_message_and_answers(store, clock) -> None:
    def breaks(turn: Turn) -> Effects:
        raise RuntimeError("broken")

    rig = Rig(store, clock, breaks)
    assert rig.say("在吗").text == "出了点问题"
    assert [(row.outcome, row.error) for row in rig.inbox()] == [("failed", "RuntimeError")]


def test_a_record_that_breaks_leaves_nothing_of_itself_and_the_message_is_kept(store, clock) -> None:
    def record(tx: Transaction) -> None:
        tx.reply("不该出现")
        raise RuntimeError("broken")

    rig = Rig(store, clock, lambda turn: Effects(replies=("甲",), records=(record,)))
    assert rig.say("在吗").text == "出了点问题"
    assert [(row.outcome, row.error) for row in rig.inbox()] == [("failed", "RuntimeError")]
    assert [row.payload["text"] for row in rig.outbox()] == ["出了点问题"]


def test_what_a_record_says_follows_the_replies(store, clock) -> None:
    rig = Rig(store, clock, lambda turn: Effects(replies=("甲",), records=(lambda tx: tx.reply("乙"),)))
    assert rig.say("在吗").text == "甲\n乙"


def test_a_long_reply_is_split_within_the_channels_limit_and_keeps_its_order(store, clock) -> None:
    sentence = "这是一句很长的话，说了又说。"
    rig = Rig(store, clock, lambda turn: Effects(replies=(sentence * 100,)))
    answer = rig.say("讲")
    rows = rig.outbox()
    assert answer.more
    assert [row.status for row in rows] == ["offered"] + ["queued"] * (len(rows) - 1)
    assert all(len(row.payload["text"].encode()) <= 2048 for row in rows)
    assert "".join(row.payload["text"] for row in rows) == sentence * 100


def test_a_picture_becomes_an_attachment_and_a_job_in_the_same_commit(store, clock) -> None:
    rig = Rig(store, clock, lambda turn: None)
    rig.take(message(kind="image", media=Media("image", "media-1")))
    with store.read() as connection:
        assert [row.status for row in connection.execute(select(attachments))] == ["pending"]
        assert [row.kind for row in connection.execute(select(jobs))] == ["fetch_media"]
    assert len(rig.wakes.jobs) == 1


def test_fifty_messages_in_a_moment_are_all_kept_and_answered_within_a_budget(store, clock) -> None:
    rig = Rig(store, clock, echo)
    answers = [rig.say(f"第{n}条", key=f"k{n}").text for n in range(50)]
    assert len(rig.inbox()) == 50
    assert [answer for answer in answers if answer] == [f"回：第{n}条" for n in range(20)] + ["太快了"]
    clock.advance(seconds=11)
    assert rig.say("再问一次").text == "回：再问一次"


def test_somebody_elses_flood_harms_nobody(store, clock) -> None:
    rig = Rig(store, clock, echo)
    for n in range(30):
        rig.say(f"第{n}条", account="mallory")
    assert rig.say("在吗", account="alice").text == "回：在吗"


def window(store) -> tuple:
    """How long the window stays open after the newest message that opened it, and what it holds."""
    query = select(conversations.c.window_closes_at, conversations.c.window_left)
    with store.read() as connection:
        closes_at, left = connection.execute(query).one()
        opened = connection.execute(select(inbox.c.received_at).where(inbox.c.kind != "event")).scalars().all()
        first = connection.execute(select(inbox.c.received_at).order_by(inbox.c.id)).scalars().first()
    return closes_at and timedelta(seconds=round((closes_at - (opened[-1] if opened else first)).total_seconds())), left


def test_a_message_opens_a_long_window_and_following_a_short_one(store, clock) -> None:
    rig = Rig(store, clock, echo)
    rig.take(message(kind="event", event="subscribe"))
    assert window(store) == (timedelta(minutes=1), 3)
    rig.say("在吗")
    assert window(store) == (timedelta(hours=48), 5)
    rig.take(message(kind="event", event="click"))
    assert window(store) == (timedelta(hours=48), 5)


def test_an_event_that_the_platform_does_not_count_opens_no_window(store, clock) -> None:
    rig = Rig(store, clock, echo)
    rig.take(message(kind="event", event="location"))
    assert window(store) == (None, 0)


def test_one_account_on_two_channels_has_two_conversations(store, clock) -> None:
    rig = Rig(store, clock, count_up)
    rig.take(message("一", channel="oa"))
    assert rig.take(message("一", channel="app")).text == "1"
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(conversations)).scalar() == 2


@pytest.mark.parametrize("text", ["🍎🍎🍎", "a" * 10_000, "\x07\x1b[31m", "\u200b", "{}{0}%s"])
def test_odd_texts_are_answered_like_any_other(store, clock, text: str) -> None:
    rig = Rig(store, clock, echo)
    assert rig.say(text).text is not None


def test_a_repeat_confirms_the_offer_of_a_process_that_died(store, clock) -> None:
    rig = Rig(store, clock, echo)
    first = rig.say("一", key="k1")  # its process dies before the answer is written
    again = rig.say("一", key="k1")
    assert (again.text, again.outbox_ids) == (first.text, first.outbox_ids)
    with store.write() as connection:
        connection.execute(update(outbox).values(status="sent"))
    assert rig.say("一", key="k1").outbox_ids == ()


def test_somebody_who_is_read_along_with_is_never_cut_off(store, clock) -> None:
    rig = Rig(store, clock, echo)
    rig.say("在吗")
    with store.write() as connection:
        connection.execute(update(conversations).values(holder="zhang"))
    answers = [rig.say(f"第{n}条").text for n in range(25)]
    assert all(answer and answer.startswith("回：") for answer in answers)
