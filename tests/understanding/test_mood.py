from __future__ import annotations

import pytest

from understanding.reader import Reader


@pytest.mark.parametrize(
    ("text", "mood"),
    [
        ("你们就是骗子！我要投诉到12315", "angry"),
        ("什么垃圾平台，气死我了", "angry"),
        ("说了三遍了都没人管，太过分了", "angry"),
        ("再不处理我就找黑猫曝光你们", "angry"),
        ("可真行啊，呵呵", "angry"),
        ("太失望了，以后再也不买了", "disappointed"),
        ("唉算了，不要了", "disappointed"),
        ("怎么还没到啊，等着做饭呢，急死了", "anxious"),
        ("都三天了还没有消息，好担心", "anxious"),
        ("在吗？？？", "anxious"),
        ("草莓特别甜，太好了", "pleased"),
        ("东西很新鲜，谢谢团长", "pleased"),
        ("退款多久到账", "neutral"),
        ("几点可以取货", "neutral"),
        ("我不着急", "neutral"),
    ],
)
def test_mood(reader: Reader, text: str, mood: str) -> None:
    assert reader.read(text).mood == mood


@pytest.mark.parametrize("text", ["退款多久到账", "你好", "谢谢你", "我的苹果烂了一半", "怎么下单"])
def test_a_calm_message_stays_with_the_bot(reader: Reader, text: str) -> None:
    assert reader.read(text).low_mood < 0.5


@pytest.mark.parametrize(
    "text", ["你们什么垃圾平台!!", "太失望了，再也不买了", "我要去12315投诉你们", "急死了，等着下锅，快点啊！！"]
)
def test_a_burdened_message_goes_to_a_person(reader: Reader, text: str) -> None:
    understanding = reader.read(text)
    assert understanding.low_mood >= 0.5
    assert understanding.decision in ("handoff", "skill")


@pytest.mark.parametrize("text", ["我的订单怎么还没到", "我的菜怎么还没来呀"])
def test_an_impatient_question_is_answered_as_long_as_patience_lasts(reader: Reader, text: str) -> None:
    assert reader.read(text).skill == "order_status"
    assert reader.read(text, history=[text, text]).skill != "order_status"


@pytest.mark.parametrize(
    "text",
    ["这款带USB接口吗", "空气炸锅几度", "给爸妈的订单付钱", "从不让人失望", "遇上恶劣天气还送吗", "哎呀",
     "我不急慢慢来", "转发朋友圈给什么", "怎么退群",
     "楼下垃圾几点投放", "垃圾站旁边那个点在哪", "糟糕，选错地址了", "谢谢你们，送得真快"],
)  # fmt: skip
def test_what_only_sounds_like_a_strong_word_is_calm(reader: Reader, text: str) -> None:
    assert reader.read(text).low_mood < 0.5


@pytest.mark.parametrize(
    "text",
    ["说好给我换到今天也没换", "没见过这么慢的", "都几天了还在路上啊", "问了也没个准话，真麻烦", "哼，你们真有本事",
     "再这样我找电视台了", "孩子等着喝奶呢到底啥时候来"],
)  # fmt: skip
def test_low_spirits_are_heard_in_words_that_no_one_foresaw(reader: Reader, text: str) -> None:
    assert reader.read(text).low_mood >= 0.5


def test_calls_into_the_silence_add_up(reader: Reader) -> None:
    once = reader.read("在吗")
    again = reader.read("人呢？", history=["退款多久到账", "在吗", "有人吗"])
    assert once.low_mood < 0.5 <= again.low_mood
    assert any("连着催了 3 次" in reason for reason in again.why)


def test_the_clause_that_sounds_low_is_told_to_staff(reader: Reader) -> None:
    assert any("语气：“真行啊你们”" in reason for reason in reader.read("真行啊你们").why)


def test_an_angry_question_is_handed_over_though_the_answer_is_known(reader: Reader) -> None:
    assert reader.read("退款多久到账").decision == "answer"
    assert reader.read("退款多久到账？你们这帮骗子！！").decision == "handoff"


@pytest.mark.parametrize("text", ["你们会不会把我号码卖给别人", "退一样行不行", "到底咋个玩法，怎么下单"])
def test_the_sound_alone_takes_no_question_away_from_its_answer(reader: Reader, text: str) -> None:
    assert reader.read(text).decision == "answer"


@pytest.mark.parametrize("text", ["苹果切开里面黑心", "头晕恶心吃什么", "豆瓣酱面上起白花了", "怎么拉黑推销的"])
def test_a_strong_word_in_a_plain_meaning_is_calm(reader: Reader, text: str) -> None:
    assert reader.read(text).low_mood < 0.5


def test_asking_again_weighs_on_the_mood(reader: Reader) -> None:
    once = reader.read("退款多久到账")
    again = reader.read("退款多久到账啊", history=["退款多久到账", "退款到底多久到账"])
    assert again.low_mood > once.low_mood
    assert again.low_mood >= 0.5
    assert any("说了 3 次" in reason for reason in again.why)


def test_earlier_anger_is_not_forgotten_at_once(reader: Reader) -> None:
    assert reader.read("几点取货", history=["你们太过分了，骗子"]).low_mood > reader.read("几点取货").low_mood


def test_the_reason_names_the_words(reader: Reader) -> None:
    assert "生气：提到“12315”" in reader.read("我要打12315").why
