"""What a test can ask of a platform that misbehaves; error codes, hangs and duplicates are tried with each platform."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests

from playground.groups import Group
from playground.wechat import WeChat
from tests.playground.conftest import CAST, CREDENTIALS, Api, EchoBot, customer_service
from tests.playground.smart_bot import SmartBot, stream


def contents(bot: EchoBot) -> list[str]:
    return [fields["Content"] for fields in bot.heard]


def say(api: Api, to: str = "oWang") -> int:
    body = {"touser": to, "msgtype": "text", "text": {"content": "您好"}}
    return int(api.post("message/custom/send", body)["errcode"])


def test_a_dropped_callback_never_comes_and_leaves_no_trace_with_the_sender(wechat: WeChat, bot: EchoBot) -> None:
    wechat.wecom.faults.drop()
    dropped = wechat.person("张团长").send("一")
    wechat.person("张团长").send("二")

    assert contents(bot) == ["二"]
    assert (dropped.tries, dropped.accepted) == (0, True)
    assert wechat.person("张团长").chat()[0].state == "delivered"


def test_callbacks_held_back_come_after_the_next_one_in_reverse(wechat: WeChat, bot: EchoBot) -> None:
    wechat.oa.faults.reorder(callbacks=2)
    for word in "一二三四":
        wechat.person("王桂兰").send(word)

    assert contents(bot) == ["三", "二", "一", "四"]


def test_what_is_held_back_with_nothing_behind_it_can_be_delivered(wechat: WeChat, bot: EchoBot) -> None:
    wechat.oa.faults.reorder()
    wechat.person("王桂兰").send("一")
    assert contents(bot) == []

    wechat.oa.deliver_held()

    assert contents(bot) == ["一"]
    assert [bubble.text for bubble in wechat.person("王桂兰").chat()] == ["一", "一"]


def test_a_delayed_callback_is_overtaken(wechat: WeChat, bot: EchoBot) -> None:
    wechat.oa.faults.delay(30)
    slow = threading.Thread(target=lambda: wechat.person("王桂兰").send("一"))
    slow.start()
    assert wechat.world.wait_until(lambda: bool(wechat.person("王桂兰").chat()))
    wechat.person("刘建国").send("二")
    wechat.oa.faults.clear()
    slow.join(10)

    assert contents(bot) == ["二", "一"]


def test_expired_tokens_are_met_by_the_next_call_and_a_new_one_works(wechat: WeChat, kf: Api) -> None:
    wechat.kf.faults.expire_tokens(to="kf/account/list")
    assert kf.post("kf/account/list", {})["errcode"] == 42001

    kf.token = customer_service(wechat).token
    assert kf.post("kf/account/list", {})["errcode"] == 0


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_share_of_the_calls_fails_and_the_same_seed_fails_the_same_ones(
    wechat: WeChat, oa: Api, share: float
) -> None:
    wechat.person("王桂兰").send("在吗")

    def failures() -> list[bool]:
        wechat.oa.faults.answer(45009, to="message/custom/send", times=None, share=share, seed=7)
        codes = [say(oa, "oNobody") for _ in range(40)]
        wechat.oa.faults.clear()
        return [code == 45009 for code in codes]

    first = failures()

    assert failures() == first
    assert 0 < sum(first) < 40


def test_a_share_is_bounded_by_its_count(wechat: WeChat, bot: EchoBot) -> None:
    wechat.oa.faults.drop(callbacks=2, share=0.5, seed=1)
    for number in range(20):
        wechat.person("王桂兰").send(str(number))

    assert len(bot.heard) == 18


def test_two_kinds_of_trouble_can_be_asked_for_at_once(wechat: WeChat, bot: EchoBot) -> None:
    wechat.oa.faults.duplicate(2)
    wechat.oa.faults.drop()
    for word in "一二三":
        wechat.person("王桂兰").send(word)

    assert contents(bot) == ["一", "一", "三"]


def test_asked_for_error_codes_are_not_the_bots_own_faults(wechat: WeChat, oa: Api) -> None:
    wechat.person("王桂兰").send("在吗")
    wechat.oa.faults.answer(45047, to="message/custom/send")
    assert [say(oa) for _ in range(7)] == [45047, 0, 0, 0, 0, 0, 45047]

    assert wechat.oa.ledger.broken == 1
    wechat.reset()
    assert wechat.oa.ledger.broken == 0


def test_a_connection_dies_under_a_call_that_nothing_came_of(wechat: WeChat, oa: Api) -> None:
    wechat.person("王桂兰").send("在吗")
    wechat.oa.faults.cut(to="message/custom/send")

    with pytest.raises(requests.ConnectionError):
        say(oa)
    assert say(oa) == 0
    assert [bubble.text for bubble in wechat.person("王桂兰").chat() if bubble.kind == "text"][-1:] == ["您好"]
    assert wechat.oa.faults.struck["cut"] == 1


def test_what_has_struck_is_counted_by_its_kind(wechat: WeChat, bot: EchoBot) -> None:
    wechat.oa.faults.drop(callbacks=None, share=0.5, seed=1)
    for number in range(20):
        wechat.person("王桂兰").send(str(number))
    wechat.oa.faults.clear()

    assert wechat.oa.faults.struck == {"drop": 20 - len(bot.heard)}


# --- how the smart bot is asked for the rest of an answer


@pytest.fixture
def group(smart: SmartBot) -> Iterator[Group]:
    wechat = WeChat(CREDENTIALS, replace(CAST, groups={"服务群": ("wrGroup", ("张团长",))}), poll_every=0.01)
    wechat.open()
    wechat.connect(smart.server.url)
    parts = iter([stream("等", finish=False), *(stream(str(number), finish=number > 2) for number in range(1, 100))])
    smart.answer = lambda heard: next(parts)
    yield wechat.group("服务群")
    wechat.close()


def ended(group: Group) -> str:
    group.say("张团长", "到了吗")
    shown = group.chat()[-1]
    return group.wait_for_change(shown, lambda bubble: bubble.state == "delivered").text


def test_a_dropped_poll_is_never_asked_and_the_next_one_comes(group: Group, smart: SmartBot) -> None:
    group.platform.faults.drop(polls=2)

    assert ended(group) == "3"
    assert len(smart.asked("stream")) == 3
    assert group.platform.faults.struck == {"drop": 2}


def test_a_poll_held_back_is_asked_after_the_next_one_and_not_looked_at(group: Group, smart: SmartBot) -> None:
    group.platform.faults.reorder(polls=1)

    assert ended(group) == "3"
    assert len(smart.asked("stream")) == 3


@pytest.mark.parametrize("parallel", [False, True])
def test_a_poll_may_be_asked_several_times(group: Group, smart: SmartBot, parallel: bool) -> None:
    group.platform.faults.duplicate(3, parallel=parallel, polls=1)

    assert ended(group) in ("3", "4")
    assert len(smart.asked("stream")) in (3, 4)


def test_a_poll_is_no_callback(group: Group, smart: SmartBot) -> None:
    group.platform.faults.drop(callbacks=None)
    group.say("张团长", "没人听见")

    assert smart.heard == []
    group.platform.faults.clear()
    group.platform.faults.drop(polls=None)
    assert group.say("张团长", "到了吗") is not None
    assert [heard["msgtype"] for heard in smart.heard] == ["text"]
