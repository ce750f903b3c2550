from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from bot.channels import client
from bot.delivery import Delivery, Undelivered
from bot.due import due_conversations
from bot.effects import Effects
from bot.errors import PlatformError
from bot.message import Media
from bot.storage.tables import attachments, conversations, outbox
from bot.transaction import Transaction
from tests.bot.conftest import ALICE, LEADER
from tests.bot.rig import Rig, message

SEND = "message/custom/send"


class Post:
    """A rig whose replies go through the outbox, and what came back as undelivered."""

    def __init__(self, store, clock, channels, wechat, tmp_path) -> None:
        self.undelivered: list[Undelivered] = []
        self.wechat = wechat
        self.rig = Rig(store, clock, lambda turn: Effects(replies=(f"回：{turn.message.text}",)))
        self.delivery = Delivery(
            store=store,
            clock=clock,
            channels=channels,
            media_dir=tmp_path,
            on_undelivered=lambda tx, what: self.undelivered.append(what),
            wake=lambda tx: self.rig.wakes.wake(sorted(tx.woken)),
        )

    def write(self, text: str) -> int:
        """Alice writes; the reply has to go through the outbox."""
        self.wechat.person("alice").send(text)  # opens the platform's window; the bot behind it is not asked
        self.rig.take(message(text, account=ALICE), seconds=0)
        return self.rig.wakes.conversations[-1]

    def queue(self, conversation_id: int, text: str, **options) -> None:
        with self.rig.store.write() as connection:
            tx = Transaction(
                connection, self.rig.clock.now(), conversation_id, None, f"test:{text}", self._capabilities()
            )
            tx.tell(conversation_id, text, **{"voice": "bot", **options})

    def tell_leader(self, text: str) -> int:
        with self.rig.store.write() as connection:
            tx = Transaction(connection, self.rig.clock.now(), 0, None, f"test:{text}", self._capabilities())
            leader = tx.conversation_with("app", LEADER)
            tx.tell(leader, text, voice="notice", about="ticket:1")
        return leader

    def _capabilities(self):
        from bot.channels.capabilities import OFFICIAL_ACCOUNT, WECOM_APP

        return {"oa": OFFICIAL_ACCOUNT, "app": WECOM_APP}

    def seen(self, name: str = "alice") -> list[str]:
        return [bubble.text for bubble in self.wechat.person(name).chat() if bubble.speaker == "bot"]

    def statuses(self) -> list[str]:
        return [row.status for row in self.rig.outbox()]


@pytest.fixture
def post(store, clock, channels, wechat, tmp_path) -> Post:
    return Post(store, clock, channels, wechat, tmp_path)


def test_queued_replies_arrive_in_their_order(post: Post) -> None:
    conversation = post.write("一")
    post.queue(conversation, "二")
    post.queue(conversation, "三")
    post.delivery.deliver(conversation)
    assert post.seen() == ["回：一", "二", "三"]
    assert post.statuses() == ["sent"] * 3


def test_many_workers_at_once_send_each_message_once(post: Post) -> None:
    conversation = post.write("一")
    post.queue(conversation, "二")
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(post.delivery.deliver, [conversation] * 12))
    post.delivery.deliver(conversation)
    assert post.seen() == ["回：一", "二"]


def test_more_than_five_messages_in_the_window_are_not_sent_and_told(post: Post) -> None:
    conversation = post.write("一")
    for number in range(5):
        post.queue(conversation, f"第{number}", about="ticket:7")
    post.delivery.deliver(conversation)
    assert len(post.seen()) == 5
    assert [(what.error, what.about) for what in post.undelivered] == [("window_used_up", "ticket:7")]


def test_after_48_hours_nothing_is_sent_and_it_is_told(post: Post, clock) -> None:
    conversation = post.write("一")
    post.delivery.deliver(conversation)
    clock.advance(hours=49)
    post.queue(conversation, "迟到的话", voice="person", about="ticket:7")
    post.delivery.deliver(conversation)
    assert post.seen() == ["回：一"]
    assert [what.error for what in post.undelivered] == ["window_closed"]
    assert post.wechat.oa.calls(SEND) == 1


@pytest.mark.parametrize(("code", "cause"), [(45015, "window_closed"), (45047, "window_used_up"), (43004, "43004")])
def test_a_resident_who_cannot_be_reached_is_told_once_and_not_tried_again(post: Post, code: int, cause: str) -> None:
    conversation = post.write("一")
    post.wechat.oa.faults.answer(code, to=SEND)
    post.delivery.deliver(conversation)
    assert [what.error for what in post.undelivered] == [cause]
    assert post.statuses() == ["dead"]
    assert post.wechat.oa.calls(SEND) == 1


def test_a_busy_platform_is_tried_again_later(post: Post, clock) -> None:
    conversation = post.write("一")
    post.wechat.oa.faults.answer(45009, to=SEND)
    post.delivery.deliver(conversation)
    assert post.statuses() == ["queued"]
    clock.advance(seconds=5)
    with post.rig.store.read() as connection:
        assert due_conversations(connection, clock.now()) == [conversation]
    post.delivery.deliver(conversation)
    assert post.seen() == ["回：一"]


def test_a_refused_connection_is_tried_again_and_spends_no_budget(post: Post, clock) -> None:
    conversation = post.write("一")
    post.wechat.oa.server.refuse()
    post.delivery.deliver(conversation)
    assert post.statuses() == ["queued"]
    with post.rig.store.read() as connection:
        assert connection.execute(select(conversations.c.window_left)).scalar() == 5
    post.wechat.oa.server.accept()
    clock.advance(seconds=5)
    post.delivery.deliver(conversation)
    assert post.seen() == ["回：一"]


def test_a_send_with_an_unknown_result_is_uncertain_and_never_repeated(post: Post, clock, monkeypatch) -> None:
    monkeypatch.setattr(client, "READ_SECONDS", 0.3)
    conversation = post.write("一")
    post.wechat.oa.faults.hang_after_accepting(to=SEND)
    post.delivery.deliver(conversation)
    post.wechat.oa.faults.clear()
    clock.advance(minutes=10)
    post.delivery.deliver(conversation)
    assert post.seen() == ["回：一"]
    assert post.statuses() == ["uncertain"]
    assert [what.status for what in post.undelivered] == ["uncertain"]


def test_where_the_platform_drops_repeats_an_unknown_result_is_sent_again(post: Post, clock, monkeypatch) -> None:
    monkeypatch.setattr(client, "READ_SECONDS", 0.3)
    leader = post.tell_leader("工单来了")
    post.wechat.wecom.faults.hang_after_accepting(to="message/send")
    post.delivery.deliver(leader)
    assert post.statuses() == ["queued"]
    clock.advance(seconds=5)
    post.delivery.deliver(leader)
    assert post.statuses() == ["sent"]
    assert post.seen("zhang") == ["工单来了"]
    assert post.wechat.wecom.calls("message/send") == 2


def test_a_worker_that_died_while_sending_leaves_an_uncertain_message(post: Post, clock) -> None:
    conversation = post.write("一")
    with post.rig.store.write() as connection:
        connection.execute(update(outbox).values(status="sending", attempts=1, lease_until=clock.now()))
    clock.advance(seconds=1)
    post.delivery.deliver(conversation)
    assert post.statuses() == ["uncertain"]
    assert post.wechat.oa.calls(SEND) == 0


def test_an_offer_whose_process_died_goes_out_after_twenty_seconds(post: Post, clock) -> None:
    post.wechat.person("alice").send("一")
    answer = post.rig.take(message("一", account=ALICE))
    assert answer.conversation_id is not None
    post.delivery.deliver(answer.conversation_id)
    assert post.seen() == []
    clock.advance(seconds=21)
    with post.rig.store.read() as connection:
        assert due_conversations(connection, clock.now()) == [answer.conversation_id]
    post.delivery.deliver(answer.conversation_id)
    assert post.seen() == ["回：一"]


def test_a_worker_whose_lease_ran_out_does_not_overrule_the_one_who_took_over(post: Post, clock) -> None:
    leader = post.tell_leader("工单来了")
    late = post.delivery._claim(leader)  # sends, and is then stuck for longer than its lease
    clock.advance(minutes=2)
    post.delivery.deliver(leader)
    assert post.statuses() == ["sent"]
    post.delivery._finish(late, PlatformError(81013, permanent=True))  # type: ignore[arg-type]
    assert post.statuses() == ["sent"]
    assert post.undelivered == []


def test_a_picture_that_is_gone_does_not_hold_up_what_comes_after_it(post: Post) -> None:
    conversation = post.write("一")
    post.rig.take(message(kind="image", media=Media("image", "m1"), account=ALICE))
    with post.rig.store.write() as connection:
        connection.execute(update(attachments).values(status="stored", sha256="0" * 64, content_type="image/jpeg"))
        attachment: int = connection.execute(select(attachments.c.id)).scalar_one()
        tx = Transaction(connection, post.rig.clock.now(), conversation, None, "test", post._capabilities())
        tx.show(conversation, attachment, key="show:1")
    post.queue(conversation, "之后的话", voice="person")
    post.delivery.deliver(conversation)
    assert post.seen()[-1] == "之后的话"
    assert [what.error for what in post.undelivered] == ["media_gone"]


def test_the_bots_words_are_withdrawn_when_a_person_has_taken_over_meanwhile(post: Post) -> None:
    conversation = post.write("一")
    with post.rig.store.write() as connection:
        connection.execute(update(conversations).values(holder="zhang"))
    post.queue(conversation, "团长说的话", voice="person")
    post.delivery.deliver(conversation)
    assert post.seen() == ["团长说的话"]
    assert post.statuses() == ["withdrawn", "sent"]


def test_a_message_that_waited_too_long_expires(post: Post, clock) -> None:
    leader = post.tell_leader("工单来了")
    clock.advance(hours=25)
    post.delivery.deliver(leader)
    assert post.statuses() == ["expired"]
    assert [what.about for what in post.undelivered] == ["ticket:1"]


@pytest.mark.parametrize("code", [40001, 40014, 42001])
def test_a_refused_token_is_replaced_once_and_the_message_sent_once(post: Post, code: int) -> None:
    conversation = post.write("一")
    post.wechat.oa.faults.answer(code, to=SEND)
    post.delivery.deliver(conversation)
    assert post.seen() == ["回：一"]
    assert post.wechat.oa.calls(SEND) == 2


@pytest.mark.parametrize("code", [40001, 40014, 42001])
def test_a_message_whose_new_token_is_refused_as_well_waits_for_its_next_try(post: Post, clock, code: int) -> None:
    conversation = post.write("一")
    post.wechat.oa.faults.answer(code, to=SEND, times=2)
    post.delivery.deliver(conversation)
    assert (post.statuses(), post.wechat.oa.calls(SEND)) == (["queued"], 2)
    clock.advance(seconds=10)
    post.delivery.deliver(conversation)
    assert post.seen() == ["回：一"]


def test_a_member_outside_the_apps_range_is_told(post: Post) -> None:
    with post.rig.store.write() as connection:
        tx = Transaction(connection, post.rig.clock.now(), 0, None, "test", post._capabilities())
        nobody = tx.conversation_with("app", "Nobody")
        tx.tell(nobody, "工单来了", voice="notice", about="ticket:1")
    post.delivery.deliver(nobody)
    assert [what.error for what in post.undelivered] == ["81013"]


def test_errors_never_hold_a_secret_or_a_token(post: Post, channels, monkeypatch) -> None:
    from bot.channels.channel import Outgoing
    from bot.errors import BotError

    monkeypatch.setattr(client, "READ_SECONDS", 0.2)
    told = []
    for fault in (
        lambda: post.wechat.oa.server.refuse(),
        lambda: post.wechat.oa.faults.hang(seconds=1),
        lambda: post.wechat.oa.faults.answer(40013),
    ):
        fault()
        with pytest.raises(BotError) as caught:
            channels["oa"].send(ALICE, Outgoing("text", text="x"))
        told.append(f"{caught.value!r} {caught.value.__context__ if not caught.value.__suppress_context__ else ''}")
        post.wechat.oa.server.accept()
        post.wechat.oa.faults.clear()
    for text in told:
        assert "secret" not in text
        assert "access_token" not in text
        assert "http://" not in text
