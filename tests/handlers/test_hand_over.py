"""When a person is called in, what that person reads, and what the bot still says beside her."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.clock import ShiftedClock
from bot.storage.store import Store
from tests.handlers.claim_talk import Stage, Talk

ANGRY = "你们太坑人了，气死我了，再不处理我就打12315！"


@pytest.fixture
def stage(store: Store, clock: ShiftedClock, tmp_path: Path) -> Stage:
    return Stage(store, clock, tmp_path / "media")


@pytest.fixture
def talk(stage: Stage) -> Talk:
    stage.bought(stage.resident(), "红富士苹果")
    return Talk(stage)


@pytest.mark.parametrize("words", ["转人工", ANGRY, "孩子吃了你们的虾拉肚子", "呜哩哇啦咕噜噜"])
def test_the_reason_tells_staff_nothing_of_the_bots_insides(stage: Stage, talk: Talk, words: str) -> None:
    talk.say("叽里呱啦吧唧吧唧")
    talk.say(words)
    reason = stage.tickets()[0].reason
    assert reason
    assert "把握的" not in reason
    assert "最接近" not in reason
    assert "%" not in reason


def test_a_calm_tone_is_no_reason_that_staff_would_read(stage: Stage, talk: Talk) -> None:
    talk.say("转人工")
    assert stage.tickets()[0].reason == "找人工：“转人工”"


def test_words_the_bot_can_make_nothing_of_are_quoted_with_phone_numbers_masked(stage: Stage, talk: Talk) -> None:
    assert "换个说法" in talk.say("叽里呱啦吧唧吧唧")
    talk.say("叽里呱啦唏哩呼噜找那个 13812345678")
    reason = stage.tickets()[0].reason
    assert reason.startswith("机器人没把握：“叽里呱啦唏哩呼噜找那个")
    assert "12345678" not in reason


def test_anger_that_has_been_seen_to_does_not_colour_the_next_words(stage: Stage, talk: Talk) -> None:
    talk.say(ANGRY)
    answer = talk.say("退款多久到账")
    assert "工作日" in answer
    assert "对不起" not in answer
    assert len(stage.tickets()) == 1


def test_an_angry_answer_to_a_clarifying_question_is_heard_as_anger(stage: Stage, talk: Talk) -> None:
    assert "回复数字" in talk.say("我想问问优惠的事")
    assert "对不起" in talk.say(ANGRY)
    assert stage.tickets()[0].priority == "P1"


def test_a_clarifying_question_can_be_left(stage: Stage, talk: Talk) -> None:
    talk.say("我想问问优惠的事")
    assert "有事" in talk.say("算了")
    assert not stage.tickets()
    assert "flow" not in talk.state()


def test_what_the_bot_does_not_understand_while_somebody_comes_is_passed_on_without_a_new_alarm(
    stage: Stage, talk: Talk
) -> None:
    talk.say("转人工")
    assert "转给" in talk.say("呜哩哇啦咕噜噜")
    told = stage.told("ZhangLeader")[-1].payload["text"]
    assert "呜哩哇啦咕噜噜" in told
    assert "又催" not in told


def test_whoever_waits_for_a_person_is_not_greeted_like_a_newcomer(talk: Talk) -> None:
    assert "小助手" in talk.say("在吗")
    talk.say("转人工")
    assert talk.say("在吗").startswith("在的")


def test_whoever_waits_and_wants_no_more_is_heard(stage: Stage, talk: Talk) -> None:
    talk.say("转人工")
    assert "转过去" in talk.say("算了")
    assert "算了" in stage.told("ZhangLeader")[-1].payload["text"]


@pytest.mark.parametrize("words", ["😭😭", "👍", "[微笑]", "。。。", "1", "22"])
def test_a_message_without_words_is_answered_kindly_and_alarms_nobody(stage: Stage, talk: Talk, words: str) -> None:
    assert "收到" in talk.say(words)
    assert not stage.tickets()


@pytest.mark.parametrize(("words", "answer"), [("再见", "再见"), ("你是真人吗", "不是真人")])
def test_small_talk_needs_no_person(stage: Stage, talk: Talk, words: str, answer: str) -> None:
    assert answer in talk.say(words)
    assert not stage.tickets()


def test_an_answer_to_whether_it_is_settled_goes_before_its_tone(stage: Stage, talk: Talk) -> None:
    talk.say("转人工")
    Talk(stage, "ZhangLeader", channel="app").say("解决 0001")
    assert "重新打开" in talk.say("不满意！太差了")
    assert len(stage.tickets()) == 1


def test_a_very_long_message_is_answered_and_kept_short_for_staff(stage: Stage, talk: Talk) -> None:
    talk.say("叽里呱啦吧唧吧唧")
    assert talk.say("呜哩哇啦" * 2500)
    assert len(stage.told("ZhangLeader")[0].payload["text"]) < 1000


def test_a_phone_number_shown_to_everybody_is_urgent_and_nobody_is_sent_to_a_doctor(stage: Stage, talk: Talk) -> None:
    answer = talk.say("你们把我的手机号发到群里了，隐私泄露")
    assert stage.tickets()[0].priority == "P0"
    assert "医院" not in answer
