"""Something bad was delivered: the conversation with words and photos, on both databases."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from bot.clock import ShiftedClock
from bot.message import Media
from bot.storage.store import Store
from claims.draft import Draft, open_draft
from tests.handlers.claim_talk import Stage, Talk, picture


@pytest.fixture
def stage(store: Store, clock: ShiftedClock, tmp_path: Path) -> Stage:
    return Stage(store, clock, tmp_path / "media")


@pytest.fixture
def talk(stage: Stage) -> Talk:
    """The chat of a resident who has fetched one thing, yesterday: apples."""
    stage.bought(stage.resident(), "红富士苹果")
    return Talk(stage)


def test_words_first_lead_to_a_stored_claim_step_by_step(stage: Stage, talk: Talk) -> None:
    answer = talk.say("昨天的苹果烂了一半")
    assert "不好意思" in answer
    assert "红富士苹果" in answer
    assert "照片" in answer
    assert "还有照片吗" in talk.photo("one")
    assert talk.photo("two") == ""
    assert "1. 退款" in talk.say("好了")
    last = talk.say("1")
    assert "红富士苹果，坏了一半，想退款，照片 2 张" in last
    assert "工单 0001" in last
    [claim] = stage.claims()
    assert (claim.kinds, claim.share, claim.share_ratio, claim.wish) == (["rotten"], "一半", 0.5, "refund")
    assert claim.status == "submitted"
    assert claim.order_line_id is not None
    assert stage.photos_of(claim.id) == ["one", "two"]


def test_what_the_first_sentence_tells_is_not_asked_again(stage: Stage, talk: Talk) -> None:
    talk.say("昨天的苹果烂了一半，退钱吧")
    talk.photo("one")
    assert "工单 0001" in talk.say("没了")
    assert stage.claims()[0].wish == "refund"


def test_a_photo_alone_starts_softly(stage: Stage, talk: Talk) -> None:
    assert talk.photo("one") == "收到照片了。是东西坏了吗？是哪一样？"
    assert talk.photo("two") == ""
    assert "还有照片吗" in talk.say("苹果烂了")
    talk.say("好了")
    talk.say("一半")
    assert "照片 2 张" in talk.say("退钱")
    assert stage.photos_of(stage.claims()[0].id) == ["one", "two"]


def test_a_photo_sent_by_mistake_starts_nothing(stage: Stage, talk: Talk) -> None:
    talk.photo("one")
    assert "先不办" in talk.say("不是，发错了")
    assert open_draft(talk.state(), stage.clock.now()) is None


def test_the_leader_reads_the_facts_in_order_and_sees_each_photo_once(stage: Stage, talk: Talk) -> None:
    talk.say("昨天的苹果烂了一半，退钱吧")
    talk.photo("one")
    stage.fetch_media()
    talk.photo("two")
    talk.say("好了")
    [ticket] = stage.tickets()
    assert (ticket.kind, ticket.priority) == ("claim", "P1")
    starts = [fact.partition("：")[0] for fact in ticket.facts]
    assert starts == ["商品", "问题", "坏了多少", "想要", "照片"]
    stage.fetch_media()
    told = stage.told("ZhangLeader")
    assert "同意 0001" in told[0].payload["text"]
    assert [row.payload["attachment"] for row in told[1:]] == [1, 2]


def test_several_lines_are_offered_by_number(stage: Stage) -> None:
    resident = stage.resident()
    lines = {product: stage.bought(resident, product) for product in ("红富士苹果", "鲜鸡蛋", "雪梨")}
    talk = Talk(stage)
    answer = talk.say("东西烂了")
    number = next(line.partition(".")[0] for line in answer.splitlines() if "鲜鸡蛋" in line)
    assert "照片" in talk.say(number)
    finish(talk)
    assert stage.claims()[0].order_line_id == lines["鲜鸡蛋"]


def test_the_name_or_the_day_spares_the_question(stage: Stage) -> None:
    resident = stage.resident()
    stage.bought(resident, "雪梨")
    stage.bought(resident, "红富士苹果", days_ago=3)
    yesterday = stage.bought(resident, "红富士苹果", days_ago=1)
    talk = Talk(stage)
    assert "照片" in talk.say("昨天的苹果烂了")
    finish(talk)
    assert stage.claims()[0].order_line_id == yesterday


def test_two_things_named_at_once_are_asked_about_one_by_one(stage: Stage) -> None:
    resident = stage.resident()
    stage.bought(resident, "红富士苹果")
    stage.bought(resident, "鲜鸡蛋")
    assert "回数字就行" in Talk(stage).say("苹果和鸡蛋都坏了")


def test_a_wrong_guess_is_corrected(stage: Stage) -> None:
    resident = stage.resident()
    pear = stage.bought(resident, "雪梨")
    stage.bought(resident, "红富士苹果")
    talk = Talk(stage)
    assert "红富士苹果" in talk.say("苹果烂了")
    assert "雪梨" in talk.say("不是这个")
    finish(talk)
    assert stage.claims()[0].order_line_id == pear


def test_a_thing_that_is_not_among_the_orders_is_taken_all_the_same(stage: Stage, talk: Talk) -> None:
    assert "1. 红富士苹果" in talk.say("牛奶少了一袋")
    talk.say("都不是")
    talk.photo("one")
    talk.say("好了")
    assert "牛奶，少了一袋，想补发" in talk.say("补发")
    assert stage.claims()[0].order_line_id is None
    assert "未找到对应订单" in stage.tickets()[0].facts[0]


def test_an_unknown_account_is_served_and_goes_to_an_agent(stage: Stage) -> None:
    stage.bought(stage.resident("somebody-else"), "红富士苹果")
    talk = Talk(stage, "stranger")
    assert "哪样东西" in talk.say("买的东西烂了")
    answer = talk.say("红富士苹果，昨天取的")
    assert "照片" in answer
    finish(talk)
    [claim] = stage.claims()
    assert (claim.order_line_id, claim.resident_id) == (None, None)
    assert stage.told("ChenAgent")
    assert not stage.told("ZhangLeader")


def test_cancelling_leaves_kindly_and_stores_nothing(stage: Stage, talk: Talk) -> None:
    talk.say("苹果烂了")
    talk.photo("one")
    assert "先不办" in talk.say("取消")
    assert "flow" not in talk.state()
    assert not stage.claims()
    assert not stage.tickets()


def test_a_question_in_the_middle_is_answered_and_the_claim_goes_on(stage: Stage, talk: Talk) -> None:
    talk.say("苹果烂了")
    answer = talk.say("几点能取货")
    assert "16:00-20:00" in answer
    assert "刚才说的红富士苹果还没办完。还差一张照片。" in answer
    assert "还有照片吗" in talk.photo("one")
    talk.say("好了")
    talk.say("坏了两个")
    assert "到账" not in talk.say("退款")
    assert stage.claims()[0].share == "两个"


def test_another_dialogue_in_the_middle_parks_the_claim(stage: Stage) -> None:
    resident = stage.resident("somebody-else")
    stage.bought(resident, "红富士苹果")
    talk = Talk(stage, "stranger")
    talk.say("昨天的苹果烂了")
    talk.say("我的订单到哪了")
    assert "还差一张照片" in talk.say("0001 A012")
    talk.photo("one")
    assert "坏了多少" in talk.say("好了")


def test_a_parked_claim_goes_on_as_soon_as_somebody_speaks_of_it(stage: Stage) -> None:
    talk = Talk(stage, "stranger")
    talk.say("昨天的苹果烂了")
    talk.say("我的订单到哪了")
    assert "坏了多少" in talk.say("没照片")
    assert "1. 退款" in talk.say("一半")


def test_more_complaints_in_the_middle_are_heard(stage: Stage, talk: Talk) -> None:
    talk.say("苹果烂了")
    talk.photo("one")
    assert "没太听明白" not in talk.say("还压坏了")
    assert "没太听明白" not in talk.say("都烂掉了")
    talk.say("好了")
    talk.say("一半")
    talk.say("退款")
    assert set(stage.claims()[0].kinds) == {"rotten", "damaged"}


def test_words_said_by_voice_count_like_typed_ones(stage: Stage, talk: Talk) -> None:
    talk.say("那个 昨天的苹果 烂了一半", kind="voice")
    talk.photo("one")
    talk.say("没有了没有了", kind="voice")
    assert "工单 0001" in talk.say("退钱吧", kind="voice")
    assert stage.claims()[0].share == "一半"


def test_in_a_group_the_bot_soothes_and_asks_for_a_private_word(stage: Stage) -> None:
    stage.bought(stage.resident(), "红富士苹果")
    answer = Talk(stage, chat="group-1").say("昨天的苹果烂了一半")
    assert "私下" in answer
    assert "苹果" not in answer
    assert not stage.claims()


def test_somebody_who_cannot_take_photos_is_taken_without(stage: Stage) -> None:
    stage.bought(stage.resident(elder=True), "红富士苹果")
    talk = Talk(stage)
    talk.say("苹果坏了")
    assert "没照片也行" in talk.say("我不会拍照啊")
    talk.say("坏了俩")
    assert "没有照片" in talk.say("退钱")
    assert "没有" in stage.tickets()[0].facts[4]


def test_fruit_that_was_thrown_away_needs_no_photo(talk: Talk) -> None:
    assert "坏了多少" in talk.say("苹果烂了已经扔了")


def test_how_to_send_a_photo_is_explained(talk: Talk) -> None:
    talk.say("苹果烂了")
    assert "拍摄" in talk.say("照片怎么发呀")
    assert "不急" in talk.say("等一下我去拍")


def test_saying_done_before_any_photo_has_come_asks_for_it_again(talk: Talk) -> None:
    talk.say("苹果烂了")
    assert "还没看到照片" in talk.say("发完了")


def test_words_that_answer_nothing_are_asked_once_more_and_then_taken(stage: Stage, talk: Talk) -> None:
    talk.say("苹果烂了")
    talk.photo("one")
    talk.say("好了")
    assert "没太听明白" in talk.say("那谁晓得嘛")
    assert "1. 退款" in talk.say("那谁晓得嘛")
    talk.say("退款")
    assert stage.claims()[0].share == "“那谁晓得嘛”"


def test_a_photo_after_the_submission_is_added_and_told_once(stage: Stage, talk: Talk) -> None:
    talk.say("苹果烂了一半，退钱")
    talk.photo("one")
    talk.say("好了")
    assert "工单 0001" in talk.photo("two", after=60)
    assert talk.photo("three") == ""
    stage.fetch_media()
    assert stage.photos_of(stage.claims()[0].id) == ["one", "two", "three"]
    assert len(stage.told("ZhangLeader")) >= 4
    assert "交上去" in talk.say("好了")
    assert "转给" in talk.say("那就补发吧")
    assert "那就补发吧" in stage.told("ZhangLeader")[-1].payload["text"]
    assert len(stage.tickets()) == 1


def test_the_same_line_is_never_claimed_twice(stage: Stage, talk: Talk) -> None:
    talk.say("苹果烂了一半，退钱")
    finish(talk)
    stage.clock.advance(hours=2)
    answer = talk.say("昨天的苹果烂了")
    assert "工单 0001" in answer
    assert "正在等" in answer
    assert "工单 0001" in talk.photo("again")
    assert len(stage.claims()) == len(stage.tickets()) == 1
    assert stage.photos_of(stage.claims()[0].id)[-1] == "again"


def test_two_accounts_of_one_resident_at_once_make_one_claim(stage: Stage) -> None:
    resident = stage.resident()
    stage.bought(resident, "红富士苹果")
    stage.also_writes_from(resident, "tablet")
    talks = [Talk(stage), Talk(stage, "tablet")]
    for talk in talks:
        talk.say("昨天的苹果烂了一半")
        talk.photo(f"from-{talk.account}")
        talk.say("好了")
    together = threading.Barrier(2)
    answers: list[str] = []

    def submit(talk: Talk) -> None:
        together.wait()
        answers.append(talk.say("退款", after=0))

    run([threading.Thread(target=submit, args=(talk,)) for talk in talks])
    assert len(stage.claims()) == 1
    assert sum("已经报过了" in answer for answer in answers) == 1
    assert sorted(stage.photos_of(stage.claims()[0].id)) == ["from-alice", "from-tablet"]


def test_photos_that_arrive_at_once_are_all_kept_and_answered_once(stage: Stage, talk: Talk) -> None:
    talk.say("苹果烂了一半，退钱")
    names = [f"photo-{number}" for number in range(5)]
    stage.shelf.pictures |= {name: picture() for name in names}
    messages = [talk.message("image", media=Media("image", name)) for name in names]
    answers: list[str] = []

    def send(index: int) -> None:
        answer = stage.turns.take(messages[index], answer_until=stage.clock.monotonic() + 3.5)
        answers.append(answer.text or "")

    run([threading.Thread(target=send, args=(index,)) for index in range(5)])
    assert sum("还有照片吗" in answer for answer in answers) == 1
    assert sum(answer != "" for answer in answers) == 1
    talk.say("好了")
    assert sorted(stage.photos_of(stage.claims()[0].id)) == names


def test_a_photo_that_comes_a_minute_later_gets_a_short_answer(talk: Talk) -> None:
    talk.say("苹果烂了")
    talk.photo("one")
    answer = talk.photo("two", after=60)
    assert "一共 2 张" in answer
    assert "好了" in answer


def test_photos_of_a_resident_who_asks_for_a_person_go_to_that_person(stage: Stage, talk: Talk) -> None:
    talk.say("苹果烂了")
    talk.photo("one")
    stage.fetch_media()
    answer = talk.say("我要找人工")
    assert "照片" not in answer
    assert {"attachment": 1} in [row.payload for row in stage.told("ZhangLeader")]
    assert "flow" not in talk.state()


def test_a_question_about_the_rules_starts_no_claim(talk: Talk) -> None:
    talk.say("坏果怎么赔")
    assert "flow" not in talk.state()


def test_a_draft_left_alone_for_a_day_is_forgotten(stage: Stage, talk: Talk) -> None:
    talk.say("苹果烂了")
    stage.clock.advance(hours=25)
    assert "刚才说的" not in talk.say("几点能取货")
    assert talk.photo("one") == "收到照片了。是东西坏了吗？是哪一样？"


def test_a_draft_survives_the_way_through_the_state(clock: ShiftedClock) -> None:
    draft = Draft(clock.now(), kinds=("rotten",), offered=(1, 2), photos=("a",), share="一半", share_ratio=0.5)
    assert Draft.of(draft.as_flow(), clock.now()) == draft


def test_photos_before_words_that_tell_how_much_need_no_further_question(talk: Talk) -> None:
    talk.photo("one")
    assert "1. 退款" in talk.say("刚拿回来的苹果全都发霉了")


def test_what_is_told_instead_of_a_photo_is_acknowledged(talk: Talk) -> None:
    talk.say("苹果烂了")
    assert "记下了" in talk.say("我要退款")


def test_nobody_is_asked_for_a_photo_without_end(talk: Talk) -> None:
    talk.say("苹果烂了")
    talk.say("我给你说")
    talk.say("那个那个")
    assert "没照片也没关系" in talk.say("嗯嗯那个")


def test_a_repeated_complaint_is_not_called_unclear(talk: Talk) -> None:
    talk.say("苹果烂了")
    answer = talk.say("真的烂了")
    assert "听明白" not in answer
    assert "照片" in answer


def test_saying_it_again_with_more_is_an_answer_and_no_bad_mood(stage: Stage, talk: Talk) -> None:
    talk.say("苹果烂了")
    assert "记下了" in talk.say("苹果烂了一半")
    assert not stage.tickets()


def test_letting_it_be_twice_bothers_nobody(stage: Stage, talk: Talk) -> None:
    talk.say("苹果烂了")
    assert "先不办" in talk.say("算了")
    for words in ("算了", "那算了吧"):
        assert "有事" in talk.say(words)
    assert not stage.tickets()


def test_a_person_who_takes_over_a_claim_reads_what_was_told_of_it(stage: Stage, talk: Talk) -> None:
    talk.say("昨天的苹果烂了一半")
    talk.photo("one")
    assert "15 分钟内" in talk.say("转人工")
    [ticket] = stage.tickets()
    assert ticket.priority == "P1"
    told = "\n".join(ticket.facts)
    for part in ("红富士苹果", "腐烂变质", "一半", "1 张"):
        assert part in told


def test_a_person_who_listens_to_a_voice_message_reads_the_claim_too(stage: Stage, talk: Talk) -> None:
    talk.say("昨天的苹果烂了一半")
    assert "请人来听" in talk.photo("voice", kind="voice")
    assert "一半" in "\n".join(stage.tickets()[0].facts)


def test_the_photo_that_came_just_before_the_words_belongs_to_them(stage: Stage, talk: Talk) -> None:
    talk.say("转人工")
    talk.photo("one")
    assert "刚才的照片" in talk.say("苹果烂了一半", after=30)
    assert "照片 1 张" in talk.say("退款")
    stage.fetch_media()
    assert stage.photos_of(stage.claims()[0].id) == ["one"]


def test_a_photo_after_the_submission_can_show_another_thing(stage: Stage) -> None:
    resident = stage.resident()
    stage.bought(resident, "红富士苹果")
    stage.bought(resident, "鲜牛奶")
    talk = Talk(stage)
    talk.say("苹果烂了一半，退款，没照片")
    assert "另一样东西" in talk.photo("milk")
    assert "刚才的照片" in talk.say("牛奶也坏了")
    for words in ("好了", "一瓶", "退款"):
        talk.say(words)
    assert stage.photos_of(stage.claims()[1].id) == ["milk"]


def test_a_photo_from_long_ago_is_not_taken_for_the_new_thing(talk: Talk) -> None:
    talk.say("转人工")
    talk.photo("one")
    assert "刚才的照片" not in talk.say("苹果烂了一半", after=600)


def test_a_second_claim_in_one_sentence_is_heard(stage: Stage) -> None:
    resident = stage.resident()
    stage.bought(resident, "红富士苹果")
    stage.bought(resident, "鲜牛奶")
    talk = Talk(stage)
    talk.say("苹果烂了一半，退款，没照片")
    talk.say("牛奶漏了一瓶，没照片，退款")
    assert len(stage.claims()) == 2


def test_answers_within_a_claim_are_not_forwarded_one_by_one(stage: Stage, talk: Talk) -> None:
    talk.say("转人工")
    talk.say("苹果烂了")
    before = len(stage.told("ZhangLeader"))
    talk.say("没照片")
    talk.say("一半")
    assert len(stage.told("ZhangLeader")) == before
    talk.say("退款")
    assert "报损" in stage.told("ZhangLeader")[before].payload["text"]
    assert len(stage.told("ZhangLeader")) == before + 1


def test_a_corrected_amount_is_not_taken_for_another_thing(stage: Stage) -> None:
    resident = stage.resident()
    stage.bought(resident, "红富士苹果")
    stage.bought(resident, "鲜牛奶")
    talk = Talk(stage)
    talk.say("苹果坏了，没照片")
    talk.say("一半")
    assert "1. 退款" in talk.say("不对，是全坏了")
    assert "红富士苹果，全坏了" in talk.say("退款")


def test_that_two_things_are_both_bad_does_not_tell_how_much_of_one(stage: Stage) -> None:
    resident = stage.resident()
    stage.bought(resident, "红富士苹果")
    stage.bought(resident, "鲜鸡蛋")
    talk = Talk(stage)
    talk.say("苹果和鸡蛋都坏了")
    talk.say("苹果")
    assert "坏了多少" in talk.say("没照片")


def test_a_sign_in_the_middle_is_no_riddle(talk: Talk) -> None:
    talk.say("苹果烂了")
    for sign in ("👌", "？"):
        assert "听明白" not in talk.say(sign)


def test_a_photo_with_a_question_that_was_answered_is_not_insisted_on(talk: Talk) -> None:
    talk.photo("one")
    assert "还没办完" not in talk.say("几点能取货")
    assert "红富士苹果" in talk.say("苹果烂了")


@pytest.fixture
def refused(talk: Talk) -> Talk:
    """Her claim was refused for want of a photo."""
    talk.say("苹果烂了一半，退款，没照片")
    Talk(talk.stage, "ZhangLeader", channel="app").say("拒绝 0001 没有照片，麻烦补一张。")
    return talk


def test_a_refusal_reads_well_and_says_what_can_be_done(stage: Stage, refused: Talk) -> None:
    said = stage.told("alice")[-1].payload["text"]
    assert "麻烦补一张。要补照片" in said


def test_a_photo_after_a_refusal_makes_the_claim_again_without_telling_it_twice(stage: Stage, refused: Talk) -> None:
    assert "还有照片吗" in refused.photo("late", after=7200)
    assert "红富士苹果，坏了一半，想退款，照片 1 张" in refused.say("好了")
    assert [claim.status for claim in stage.claims()] == ["rejected", "submitted"]


def test_an_objection_to_a_refusal_reaches_a_person(stage: Stage, refused: Talk) -> None:
    assert "工单 0002" in refused.say("我不同意")
    assert "不同意工单 0001 的处理结果" in stage.tickets()[1].reason


def finish(talk: Talk) -> None:
    """Goes through the rest of the questions."""
    talk.photo("last")
    for text in ("好了", "一半", "退款"):
        talk.say(text)


def run(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
