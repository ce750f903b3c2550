"""The smart bot's channel against the playground's platform: answers, later answers, files, forged callbacks."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from bot.channels import wecom_aibot
from bot.channels.capabilities import WECOM_AIBOT
from bot.channels.channel import Inbound, Outgoing
from bot.channels.wecom_aibot import WecomAibot, without_markup
from bot.conversation import Turn
from bot.delivery import Delivery, Undelivered
from bot.effects import Effects
from bot.errors import BotError, ForgedCallback, MalformedCallback, MediaTooLarge, PlatformError
from bot.menu import Choice, Menu
from bot.message import Media, Message
from bot.metrics import make_registry
from bot.offers import OfferConfirmer
from bot.pulling import Pulling
from bot.storage.tables import conversations, inbox, outbox
from bot.transaction import Transaction
from bot.turn import NamedHandler, Turns
from bot.web import Callbacks, make_blueprint
from config.channels import WecomAibotConfig
from config.texts import Public
from playground.groups import Group
from playground.phones import Person
from playground.platform.server import Server
from playground.wechat import Cast, WeChat
from tests.bot.conftest import CREDENTIALS, KEY
from tests.bot.rig import Wakes
from tests.end_to_end.crowd import wait_until

CHAT = "wrkSFfCgAA0000000000000000000001"
STAFF = {"张团长": ("leader", "ZhangLeader"), "李团长": ("leader", "LiLeader")}
URL = "https://qyapi.weixin.qq.com/cgi-bin/aibot/response?response_code=secret"


class Door:
    """The HTTP side with the smart bot's channel; ``handle`` is the only handler, an echo at first."""

    def __init__(self, store: Any, clock: Any, redis: Any, tmp_path: Any, margin: float = 3.5) -> None:
        self.store, self.clock, self.wakes = store, clock, Wakes()
        self.handle: Callable[[Turn], Effects | None] = lambda turn: Effects((Public(f"回：{turn.message.text}"),))
        credentials = replace(CREDENTIALS, bot_token="bot-token", bot_aes_key=KEY)
        cast = Cast({}, STAFF, groups={"服务群": (CHAT, tuple(STAFF))})
        self.wechat = WeChat(credentials, cast, time_source=clock.now, poll_every=0.02)
        self.wechat.open()
        base = self.wechat.aibot.server.url
        config = WecomAibotConfig("group-bot", "bot-token", KEY, api_base=base, bot_name="群答")
        self.channel = WecomAibot(config, redis, clock)
        self.channel.capabilities = replace(WECOM_AIBOT, reply_margin=margin)
        channels = {"group-bot": self.channel}
        self.turns = Turns(
            store=store,
            clock=clock,
            capabilities={"group-bot": self.channel.capabilities},
            handlers=[NamedHandler("only", lambda turn: self.handle(turn))],
            afterthoughts=[],
            on_failure=lambda turn: Effects((Public("出了点问题"),)),
            flood="太快了",
            workers=self.wakes,
        )
        self.undelivered: list[Undelivered] = []
        self.delivery = Delivery(
            store=store,
            clock=clock,
            channels=channels,
            media_dir=tmp_path,
            on_undelivered=lambda tx, undelivered: self.undelivered.append(undelivered),
            wake=lambda tx: None,
        )
        pulling = Pulling(
            store=store, clock=clock, channels=channels, wake=self.wakes.wake, wake_pull=lambda names: None
        )
        self.offers = OfferConfirmer(store, clock, self.wakes.wake)
        registry = make_registry(store)
        callbacks = Callbacks(
            channels=channels, turns=self.turns, pulling=pulling, offers=self.offers, clock=clock, registry=registry
        )
        app = Flask("door")
        app.register_blueprint(make_blueprint(callbacks, {}, registry))
        self.server = Server(app)
        self.wechat.connect(self.server.url)
        self.group: Group = self.wechat.group("服务群")
        self.single: Person = self.wechat.beside_bot("张团长")

    def close(self) -> None:
        self.wechat.close()
        self.server.close()
        self.offers.close()

    def rows(self, table: Any) -> list[Any]:
        with self.store.read() as connection:
            return list(connection.execute(select(table).order_by(table.c.id)))

    def wait_until_written(self) -> None:
        """The platform has an answer a moment before the bot's own side knows that it is out."""
        wait_until(lambda: all(row.status != "offered" for row in self.rows(outbox)), "every answer was written")

    def tell(self, text: str, conversation: int = 1, *, key: str | None = None) -> None:
        """Somebody says something later, in the first conversation, once its answers are known to be out."""
        self.wait_until_written()
        with self.store.write() as connection:
            capabilities = {"group-bot": self.channel.capabilities}
            tx = Transaction(connection, self.clock.now(), conversation, None, f"later:{text}", capabilities)
            tx.tell(conversation, text, voice="person", key=key)
        self.delivery.deliver(conversation)


@pytest.fixture
def opened(store, clock, redis_connection, tmp_path) -> Iterator[Callable[..., Door]]:
    doors: list[Door] = []

    def make(**options: Any) -> Door:
        doors.append(Door(store, clock, redis_connection, tmp_path, **options))
        return doors[-1]

    yield make
    for each in doors:
        each.close()


@pytest.fixture
def door(opened) -> Door:
    return opened()


def said(chat: Any) -> list[str]:
    return [bubble.text for bubble in chat.chat() if bubble.speaker == "bot"]


def settled(bubble: Any) -> bool:
    return bubble.state in ("delivered", "failed")


# --- answers


def test_the_address_is_verified(door: Door) -> None:
    assert door.wechat.aibot.verify()


def test_a_call_in_a_group_is_answered_there_at_once(door: Door) -> None:
    delivery = door.group.say("张团长", "几点能取货")

    assert delivery is not None
    assert delivery.accepted
    assert said(door.group) == ["回：几点能取货"]
    assert (door.group.chat()[-1].kind, door.group.chat()[-1].state) == ("stream", "delivered")
    door.wait_until_written()
    assert [row.status for row in door.rows(outbox)] == ["sent"]


def test_each_member_of_a_group_has_a_conversation_of_her_own_beside_her_single_chat(door: Door) -> None:
    door.group.say("张团长", "一")
    door.group.say("李团长", "二")
    door.single.send("三")

    found = {(row.account, row.chat) for row in door.rows(conversations)}
    assert found == {("ZhangLeader", CHAT), ("LiLeader", CHAT), ("ZhangLeader", "")}


def test_a_long_thought_leaves_the_answer_open_and_the_platform_asks_again(opened) -> None:
    door, go_on = opened(margin=0.0), threading.Event()
    door.handle = lambda turn: Effects((Public("想好了"),)) if go_on.wait(10) else None

    door.group.say("张团长", "到了吗")
    bubble = door.group.wait_for(lambda bubble: bubble.speaker == "bot")
    assert (bubble.text, bubble.state) == ("…", "sending")
    go_on.set()

    assert door.group.wait_for_change(bubble, settled).state == "delivered"
    assert said(door.group) == ["想好了"]
    door.wait_until_written()
    assert [row.status for row in door.rows(outbox)] == ["sent"]


def test_an_answer_that_was_left_open_ends_when_there_is_nothing_to_say(opened) -> None:
    door, go_on = opened(margin=0.0), threading.Event()
    door.handle = lambda turn: Effects(note="silent") if go_on.wait(10) else None

    door.group.say("张团长", "到了吗")
    bubble = door.group.wait_for(lambda bubble: bubble.speaker == "bot")
    go_on.set()

    assert door.group.wait_for_change(bubble, settled).state == "delivered"


def test_a_repeated_callback_gets_the_same_answer_and_is_thought_about_once(door: Door) -> None:
    door.group.say("张团长", "几点能取货")
    assert door.group.repeat().accepted

    assert said(door.group) == ["回：几点能取货"]
    assert len(door.rows(inbox)) == 1


def test_nothing_to_say_is_an_empty_answer(door: Door) -> None:
    door.handle = lambda turn: Effects(note="silent")
    delivery = door.group.say("张团长", "嗯")

    assert delivery is not None
    assert (delivery.accepted, said(door.group)) == (True, [])


def test_what_waits_in_the_outbox_does_not_hold_an_answer_up(door: Door) -> None:
    door.single.send("一")
    with door.store.write() as connection:
        connection.execute(update(outbox).values(status="queued", due_at=door.clock.now()))
    door.single.send("二")

    assert said(door.single) == ["回：一", "回：二"]


def test_somebody_who_opens_the_chat_is_welcomed(door: Door) -> None:
    door.handle = lambda turn: Effects((f"欢迎 {turn.message.event}",))
    door.wechat.aibot.enter("ZhangLeader")

    assert said(door.single) == ["欢迎 enter_chat"]


def test_a_judgement_of_an_answer_is_kept_with_the_message_it_is_about(door: Door) -> None:
    door.group.say("张团长", "几点能取货")
    door.handle = lambda turn: Effects(note="kept")
    delivery = door.group.judge("李团长", door.group.chat()[-1], 2, "不清楚", [2])

    asked, judged = door.rows(inbox)
    assert delivery.accepted
    assert judged.payload["extra"] == {"answer": asked.dedupe_key, "kind": "bad", "remark": "不清楚", "reasons": [2]}


def test_words_cannot_become_markup_but_addresses_stay(door: Door) -> None:
    door.handle = lambda turn: Effects((turn.message.text,))
    door.single.send("# 大 **粗** [点我](https://evil.example/a_b?c=*d) <@all> `x`")

    assert said(door.single) == ["＃ 大 ＊＊粗＊＊ ［点我］(https://evil.example/a_b?c=*d) ＜@all＞ ｀x｀"]
    assert without_markup("https://a.cn/x_y#z 和_这_") == "https://a.cn/x_y#z 和＿这＿"


# --- menus


def asking(*labels: str, public: bool = True) -> Menu:
    """A menu as a handler makes it; ``public``: in words that were written for everybody."""
    form: type[str] = Public if public else str
    choices = tuple(Choice(f"faq:{number}", form(label)) for number, label in enumerate(labels))
    return Menu(form("您想问的是？"), choices, tail=form("都不是就回“都不是”。"), by_number=form("回复数字就行："))


def menus(door: Door, *labels: str) -> None:
    """Lets the bot ask with a menu when it is asked "问", and repeat whatever else it hears."""
    door.handle = lambda turn: Effects(
        (asking(*labels) if turn.message.text == "问" else Public(f"回：{turn.message.text} {turn.message.choice}"),)
    )


def card_in(chat: Any) -> Any:
    return next(bubble for bubble in reversed(chat.chat()) if bubble.card is not None)


def deliver(door: Door) -> None:
    """What workers do: everything that waits goes out, once the answers before it are."""
    door.wait_until_written()
    for row in door.rows(conversations):
        door.delivery.deliver(row.id)


def test_a_menu_is_words_with_numbers_and_a_card_of_buttons_below(door: Door) -> None:
    menus(door, "退款多久到账？", "我下单的东西什么时候能到？")
    door.single.send("问")

    words, bubble = [bubble for bubble in door.single.chat() if bubble.speaker == "bot"]
    card = bubble.card
    assert card is not None
    assert words.text.splitlines() == [
        "您想问的是？回复数字就行：",
        "1. 退款多久到账？",
        "2. 我下单的东西什么时候能到？",
        "都不是就回“都不是”。",
    ]
    assert (card.title, [button.text for button in card.buttons]) == (
        "您想问的是？",
        ["1.退款多久到账？", "2.我下单的东西什…"],
    )


def test_a_tap_does_what_typing_the_choice_does(door: Door) -> None:
    menus(door, "退款多久到账？", "几点能取货？")
    door.single.send("问")
    delivery = door.single.tap_button(card_in(door.single), "faq:1#几点能取货？")
    deliver(door)

    assert (delivery.accepted, delivery.tries) == (True, 1)
    assert said(door.single)[-1] == "回：几点能取货？ faq:1"
    asked = door.rows(inbox)[-1]
    assert door.wechat.aibot.inbox_key(delivery.callback.key, delivery.callback.body) == asked.dedupe_key
    assert (asked.kind, asked.text, asked.payload["choice"]) == ("text", "几点能取货？", "faq:1")


def test_whoever_has_tapped_sees_her_choice_in_the_cards_place(door: Door) -> None:
    menus(door, "退款多久到账？", "几点能取货？")
    door.group.say("张团长", "问")
    bubble = card_in(door.group)
    door.group.tap_button("张团长", bubble, "faq:0#退款多久到账？")

    hers, others = (door.wechat.world.card("group-bot", CHAT, bubble.id, who) for who in ("ZhangLeader", "LiLeader"))
    assert (hers.title, [button.text for button in hers.buttons]) == ("退款多久到账？", ["✓"])
    assert (others.title, len(others.buttons)) == ("您想问的是？", 2)


def test_tapping_twice_is_one_choice_and_another_choice_is_another(door: Door) -> None:
    menus(door, "退款多久到账？", "几点能取货？")
    door.group.say("张团长", "问")
    card = card_in(door.group)
    for _ in range(2):
        assert door.group.tap_button("张团长", card, "faq:0#退款多久到账？").accepted
    door.group.tap_button("李团长", card, "faq:0#退款多久到账？")
    door.group.tap_button("李团长", card_in(door.group), "faq:0#退款多久到账？")
    deliver(door)

    assert [row.text for row in door.rows(inbox)] == ["问", "退款多久到账？", "退款多久到账？"]
    assert said(door.group)[2:] == ["回：退款多久到账？ faq:0"] * 2


def test_the_answer_to_a_tap_in_a_group_quotes_the_card_and_is_held_to_public_words(door: Door) -> None:
    menus(door, "退款多久到账？")
    door.group.say("张团长", "问")
    door.group.tap_button("张团长", card_in(door.group), "faq:0#退款多久到账？")
    deliver(door)
    assert door.group.chat()[-1].kind == "markdown"

    door.handle = lambda turn: Effects(("您的订单尾号 1234",))
    door.group.tap_button("李团长", card_in(door.group), "faq:0#退款多久到账？")
    deliver(door)
    assert said(door.group)[-1] == "出了点问题"


def test_a_menu_of_words_that_were_not_written_for_everybody_never_reaches_a_group(door: Door) -> None:
    door.handle = lambda turn: Effects((asking("红富士苹果 5斤", public=False),))
    door.group.say("张团长", "问")
    door.single.send("问")

    assert said(door.group) == ["出了点问题"]
    assert "红富士苹果" in said(door.single)[0]


def test_a_repeated_callback_gets_the_same_menu_and_shows_it_once(door: Door) -> None:
    menus(door, "退款多久到账？")
    door.group.say("张团长", "问")
    again = door.group.repeat()

    assert again.reply is not None
    assert again.reply.card == card_in(door.group).card
    assert [bubble.kind for bubble in door.group.chat()] == ["text", "stream", "template_card"]


def test_an_answer_that_was_left_open_ends_with_its_card(opened) -> None:
    door, go_on = opened(margin=0.0), threading.Event()
    door.handle = lambda turn: Effects((asking("退款多久到账？"),)) if go_on.wait(10) else None
    door.group.say("张团长", "到了吗")
    bubble = door.group.wait_for(lambda bubble: bubble.speaker == "bot")
    go_on.set()

    assert door.group.wait_for_change(bubble, settled).state == "delivered"
    assert card_in(door.group).card.task_id.startswith("menu-")


def test_a_menu_of_more_than_six_choices_is_words_alone(door: Door) -> None:
    menus(door, *(f"第{number}个问题" for number in range(7)))
    door.single.send("问")

    assert [bubble.card for bubble in door.single.chat()] == [None, None]
    assert "7. 第6个问题" in said(door.single)[0]


def test_a_choice_that_is_too_long_for_a_button_leaves_the_words_alone(door: Door) -> None:
    menus(door, "长" * 400)
    door.single.send("问")

    assert [bubble.card for bubble in door.single.chat()] == [None, None]
    assert said(door.single)[0].count("长") == 400


def test_a_card_of_another_kind_stays_as_it_is_when_it_is_tapped(door: Door) -> None:
    event = {"eventtype": "template_card_event", "template_card_event": {"event_key": "接单 0123", "task_id": "t-1"}}
    about = {"msgid": "m1", "chattype": "single", "from": {"userid": "ZhangLeader"}, "msgtype": "event"}
    told = door.channel.receive(*_sealed(door, {**about, "event": event}), door.clock.now())

    assert told.message is not None
    assert (told.message.event, told.message.choice, told.acknowledgement) == ("card", "接单 0123", "")


# --- what may be said to everybody


def test_words_that_were_not_written_for_everybody_never_reach_a_group(door: Door) -> None:
    door.handle = lambda turn: Effects(("取货码 A012",))
    door.group.say("张团长", "到了吗")

    assert said(door.group) == ["出了点问题"]
    assert [row.outcome for row in door.rows(inbox)] == ["failed"]


def test_what_is_told_later_is_held_to_the_same(door: Door) -> None:
    door.group.say("张团长", "到了吗")
    with pytest.raises(BotError, match="everybody"):
        door.tell("取货码 A012")

    door.tell(Public("有回音了"))
    assert said(door.group) == ["回：到了吗", "有回音了"]


def test_only_words_may_be_put_into_a_group(door: Door) -> None:
    door.group.say("张团长", "到了吗")
    with door.store.write() as connection:
        rules = {"group-bot": door.channel.capabilities}
        tx = Transaction(connection, door.clock.now(), 1, None, "later", rules)
        with pytest.raises(BotError, match="only words"):
            tx.show(1, 1, key="picture")


# --- the one later answer


def test_a_message_has_one_later_answer(door: Door) -> None:
    door.single.send("在吗")
    door.tell("团长来了")
    door.tell("再说一句")

    assert said(door.single) == ["回：在吗", "团长来了"]
    assert [each.error for each in door.undelivered] == ["window_used_up"]


def test_after_an_hour_nothing_can_be_said(door: Door, clock) -> None:
    door.single.send("在吗")
    clock.advance(minutes=61)
    door.tell("团长来了")

    assert [each.error for each in door.undelivered] == ["window_closed"]


def test_the_next_message_may_be_answered_again(door: Door) -> None:
    door.single.send("在吗")
    door.tell("团长来了")
    door.single.send("好的")
    door.tell("再说一句")

    assert said(door.single) == ["回：在吗", "团长来了", "回：好的", "再说一句"]


@pytest.mark.parametrize(
    "address",
    [
        "http://qyapi.weixin.qq.com/cgi-bin/aibot/response?response_code=x",
        "https://qyapi.weixin.qq.com.evil.example/cgi-bin/aibot/response?response_code=x",
        "https://qyapi.weixin.qq.com@evil.example/cgi-bin/aibot/response?response_code=x",
        "https://169.254.169.254/cgi-bin/aibot/response?response_code=x",
        "https://qyapi.weixin.qq.com/cgi-bin/message/send?x=1",
        "https://[::1/cgi-bin/aibot/response?response_code=x",
        "file:///etc/passwd",
    ],
)
def test_an_address_that_is_not_the_platforms_is_never_called(door: Door, address: str) -> None:
    with pytest.raises(BotError) as caught:
        door.channel.send("ZhangLeader", Outgoing("text", "在", reply_address=address))

    assert caught.value.code == "window_closed"


def test_such_an_address_is_not_even_kept(door: Door) -> None:
    kept = _told("https://evil.example/cgi-bin/aibot/response?response_code=x")
    assert _received(door, kept).reply_address == ""
    assert _received(door, _told(URL)).reply_address == URL


# --- files


def test_a_picture_is_fetched_and_decrypted(door: Door) -> None:
    media = Media("image", door.wechat.aibot.file_url(b"picture" * 999))
    assert door.channel.fetch(media, 10_000) == b"picture" * 999


def test_a_file_is_gone_after_five_minutes(door: Door) -> None:
    media = Media("image", door.wechat.aibot.file_url(b"picture"))
    door.wechat.clock.advance(minutes=5)
    with pytest.raises(PlatformError) as caught:
        door.channel.fetch(media, 10_000)
    assert caught.value.permanent


def test_a_file_that_is_too_large_is_refused(door: Door) -> None:
    media = Media("image", door.wechat.aibot.file_url(b"x" * 1001))
    with pytest.raises(MediaTooLarge):
        door.channel.fetch(media, 1000)


@pytest.mark.parametrize(
    "address",
    [
        "http://ww-aibot-img-1258476243.cos.ap-guangzhou.myqcloud.com/x",
        "https://other-1258476243.cos.ap-guangzhou.myqcloud.com/x",
        "https://ww-aibot-img-1258476243.cos.ap-guangzhou.myqcloud.com:8443/x",
        "https://user@ww-aibot-img-1258476243.cos.ap-guangzhou.myqcloud.com/x",
        "http://127.0.0.1/x",
    ],
)
def test_a_file_elsewhere_is_never_fetched(door: Door, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wecom_aibot, "Transport", _no_transport)
    with pytest.raises(PlatformError, match="keeps none"):
        door.channel.fetch(Media("image", address), 1000)


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 64])
def test_a_file_that_is_not_encrypted_for_us_is_refused(door: Door, content: bytes) -> None:
    with pytest.raises(PlatformError, match="encrypted"):
        door.channel._opened(content)


# --- forged and broken callbacks


def test_a_callback_for_somebody_else_or_in_another_form_is_refused(door: Door) -> None:
    query, body = _sealed(door, {"msgtype": "text"})
    for broken in (b"", b"[]", b"{}", b'{"encrypt": 3}', b"<xml></xml>", b"[" * 100_000):
        with pytest.raises((ForgedCallback, MalformedCallback)):
            door.channel.receive(query, broken, door.clock.now())
    with pytest.raises(ForgedCallback):
        door.channel.receive({**query, "msg_signature": "0" * 40}, body, door.clock.now())
    with pytest.raises(MalformedCallback):
        door.channel.receive(query, body, door.clock.now())


def _no_transport(base: str) -> None:
    raise AssertionError("nothing is to be called")


def _told(address: str) -> Message:
    return Message("group-bot", "ZhangLeader", "k", "text", sent_at=None, reply_address=address)  # type: ignore[arg-type]


def _received(door: Door, told: Message) -> Message:
    about = {"msgid": "m1", "chattype": "single", "from": {"userid": told.account}, "response_url": told.reply_address}
    found: Inbound = door.channel.receive(
        *_sealed(door, {**about, "msgtype": "text", "text": {"content": "在吗"}}), door.clock.now()
    )
    assert found.message is not None
    return found.message


def _sealed(door: Door, fields: dict[str, Any]) -> tuple[dict[str, str], bytes]:
    timestamp = str(int(door.clock.now().timestamp()))
    encrypted, signature = door.channel._envelope.sealed_text(json.dumps(fields), "77", timestamp)
    query = {"msg_signature": signature, "timestamp": timestamp, "nonce": "77"}
    return query, json.dumps({"encrypt": encrypted}).encode()
