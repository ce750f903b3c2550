from __future__ import annotations

import pytest

from understanding.kinds import ALL
from understanding.reader import Reader


@pytest.mark.parametrize(
    ("text", "main"),
    [
        ("草莓烂了一半，没法吃", "rotten"),
        ("打开一看全发霉了", "rotten"),
        ("鸡蛋碎了三个", "damaged"),
        ("箱子压扁了，桃子都压坏了", "damaged"),
        ("说好五斤，称了一下只有四斤二两", "short_weight"),
        ("苹果少了二两", "short_weight"),
        ("跟图片完全不一样，货不对板", "not_as_described"),
        ("牛奶过期了", "expired"),
        ("这酒是假货吧，包装都不对", "fake"),
        ("青菜里面有虫子", "foreign_object"),
        ("吃了以后拉肚子", "food_safety"),
        ("孩子吃完吐了两次", "food_safety"),
        ("橙子又酸又小，太难吃了", "quality"),
        ("卖得比超市还贵，坑人", "price"),
        ("等了两个小时还没送到", "late"),
        ("我的包裹丢了", "lost"),
        ("我的菜被别人拿走了", "taken_by_other"),
        ("雪糕送来就化了", "thawed"),
        ("物流信息三天没更新了", "status_not_updated"),
        ("发错货了，我买的是梨", "wrong_item"),
        ("少了一袋土豆", "missing_item"),
        ("我买了三样，漏发了一样", "missing_item"),
        ("订单取消不了，点了没反应", "cannot_cancel"),
        ("说好的满减没给我减", "discount_not_honoured"),
        ("送货的人态度太差了，还骂人", "attitude"),
        ("发了好多消息都没人理", "slow_answer"),
        ("你们推来推去，踢皮球", "passed_around"),
        ("一个星期了还不给我退款", "refund_slow"),
        ("半夜一直打我电话骚扰我", "harassment"),
        ("你们把我的电话发到群里了", "privacy_leak"),
    ],
)
def test_a_complaint_is_told_by_its_words(reader: Reader, text: str, main: str) -> None:
    understanding = reader.read(text)
    assert understanding.kinds[:1] == (main,)
    assert understanding.decision == "skill"


def test_the_table_above_names_every_kind() -> None:
    table = test_a_complaint_is_told_by_its_words.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert {main for _, main in table} == ALL


def test_several_complaints_are_all_heard_and_danger_comes_first(reader: Reader) -> None:
    kinds = reader.read("送得太慢了，而且虾都臭了，全家吃了拉肚子").kinds
    assert kinds[0] == "food_safety"
    assert set(kinds) >= {"late", "rotten", "food_safety"}


@pytest.mark.parametrize(
    "text",
    [
        "苹果没有坏，挺好的",
        "这次没烂，谢谢",
        "橘子酸不酸",
        "会不会有虫子",
        "万一坏了怎么办",
        "如果烂了你们赔吗",
        "坏果包赔是怎么赔的",
        "一份多少克",
        "香蕉发黑还能吃吗",
        "牛排怎么化冻",
        "优惠券什么时候过期",
        "退款多久到账",
        "最少要买多少钱",
    ],
)
def test_a_question_or_a_denial_is_no_complaint(reader: Reader, text: str) -> None:
    assert reader.read(text).kinds == ()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("果子小得跟弹珠一样", "quality"),
        ("吃起来寡淡无味像放陈了", "quality"),
        ("等得人都要睡着了才来", "late"),
        ("说好下午送的都晚上了", "late"),
        ("备注了不要葱还是放了葱", "wrong_item"),
        ("买了三盒就给两盒", "missing_item"),
        ("汤洒得袋子里到处都是", "damaged"),
        ("给的肉少得可怜", "short_weight"),
        ("送货的懒得上楼，也没句解释", "attitude"),
        ("吃出一根订书钉", "foreign_object"),
        ("我的包裹怎么没了", "lost"),
        ("牛奶盒子胀得圆鼓鼓的", "rotten"),
    ],
)
def test_a_complaint_is_heard_in_words_that_no_one_foresaw(reader: Reader, text: str, kind: str) -> None:
    assert reader.read(text).as_dict()["kinds"][:1] == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "收到坏的要拍照吗",
        "收到烂的怎么办",
        "买贵了能退差价吗 昨天买的今天降了",
        "有没有优惠卷",
        "有没有冰袋",
        "美团外卖怎么还没到",
        "怎么又贵了",
        "怎么退群",
        "让她自己去拿",
        "券快到期了",
        "小程序的字太小",
        "晚到赔啥",
        "上班时间",
        "再来一份",
        "水果真好吃",
        "到了打我电话",
        "为什么优惠券用不了",
        "到货短信从来没收到过",
        "不好意思啊发错了",
        "干巴菌有卖的吗，超市里太贵",
        "标签我已经扔了还要拍吗",
        "把苹果去掉包装称",
    ],
)
def test_everyday_talk_and_questions_about_the_rules_are_no_complaint(reader: Reader, text: str) -> None:
    understanding = reader.read(text)
    assert understanding.kinds == ()
    assert understanding.mood in ("neutral", "pleased", "anxious")


@pytest.mark.parametrize("text", ["我的草莓坏了三个能退吗", "苹果坏掉了就这么送过来？", "五个里面烂了两个，怎么赔"])
def test_what_is_told_stays_a_complaint_though_a_question_follows(reader: Reader, text: str) -> None:
    assert reader.read(text).kinds[:1] == ("rotten",)


def test_what_is_spoiled_comes_before_what_only_tastes_bad(reader: Reader) -> None:
    assert reader.read("又小又不甜，有两个还烂了").kinds[:2] == ("rotten", "quality")


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("个头小一圈，一多半是压坏的", ("damaged", "quality")),
        ("不划算，大小不一，好几个都坏掉了", ("rotten",)),
        ("团长不理人，十个桃子里面四个坏的", ("rotten",)),
        ("不值这个价，吃着一点都不新鲜", ("quality", "price")),
    ],
)
def test_what_can_be_pointed_at_comes_first_and_the_price_last(
    reader: Reader, text: str, kinds: tuple[str, ...]
) -> None:
    assert reader.read(text).kinds[: len(kinds)] == kinds


def test_beside_a_listed_word_what_the_message_sounds_like_counts_as_much(reader: Reader) -> None:
    kinds = reader.read("等得太久，面条粘成一团咬着像橡皮筋").kinds
    assert set(kinds) >= {"late", "quality"}


def test_the_clause_that_sounds_like_a_complaint_is_told_to_staff(reader: Reader) -> None:
    assert "品质不好：“果子小得跟弹珠一样”" in reader.read("果子小得跟弹珠一样").why


def test_what_only_sounds_a_little_like_a_complaint_is_a_guess_that_nothing_follows_from(reader: Reader) -> None:
    understanding = reader.read("团长把门一关走了")
    assert understanding.kinds == ()
    assert understanding.guessed_kinds
    assert any(reason.startswith("可能") for reason in understanding.why)


def test_the_main_kind_is_what_most_of_the_message_tells(reader: Reader) -> None:
    assert reader.read("面坨了汤也凉了，咸得要命，肉又老，就是来得晚了点").as_dict()["kinds"][0] == "quality"


@pytest.mark.parametrize(
    ("text", "skill"),
    [
        ("我的苹果烂了一半", "claim"),
        ("发错货了，我买的是梨", "claim"),
        ("吃了以后拉肚子", "complaint"),
        ("你们客服态度太差", "complaint"),
        ("我的订单怎么还没到", "order_status"),
    ],
)
def test_the_kind_chooses_the_skill(reader: Reader, text: str, skill: str) -> None:
    assert reader.read(text).skill == skill
