"""Messages as residents write and dictate them: old and young, in fragments, with no signs, with slips of hearing."""

from __future__ import annotations

import pytest

from understanding.reader import Reader


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("香蕉全都黑了，坏了", "rotten"),
        ("葡萄软了一半", "rotten"),
        ("桃子软塌塌的", "rotten"),
        ("草莓软趴趴的", "rotten"),
        ("西瓜倒瓤了", "rotten"),
        ("牛奶馊了", "rotten"),
        ("豆浆酸了", "rotten"),
        ("打开 一看 里面 都 烂了", "rotten"),
        ("苹果开箱一看 烂了五个", "rotten"),
        ("葡萄全软了还有股味", "rotten"),
        ("面包吃着一股霉味", "rotten"),
        ("虾头都黑了 臭的", "rotten"),
        ("西瓜切开里面是坏的", "rotten"),
        ("青菜都蔫了", "quality"),
        ("昨天的鱼腥得很吃不下去", "quality"),
        ("这鸡蛋咋都是小的", "quality"),
        ("葡萄掉粒", "quality"),
        ("雪糕化了", "thawed"),
        ("冰淇淋到手都成水了", "thawed"),
        ("苹果有虫", "foreign_object"),
        ("饭里吃出来一根头发", "foreign_object"),
        ("牛奶包漏了满地都是", "damaged"),
        ("鸡蛋碎了俩 拿回家才看见", "damaged"),
        ("袋子破了米撒一地", "damaged"),
        ("五斤的橙子我称只有四斤半", "short_weight"),
        ("我要的是大份给我小份", "wrong_item"),
        ("我要的五花肉给我的是瘦肉", "wrong_item"),
        ("少我一盒豆腐", "missing_item"),
        ("东西少了", "missing_item"),
    ],
)
def test_goods_that_are_told_to_be_bad_are_a_claim(reader: Reader, text: str, kind: str) -> None:
    understanding = reader.read(text)
    assert (understanding.decision, understanding.skill, understanding.kinds[:1]) == ("skill", "claim", (kind,))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("备注了要小米粥 给我黑米粥", "wrong_item"),
        ("图上杏子跟乒乓球似的 到手跟花生米一样 不是糊弄人吗", "not_as_described"),
        ("饼干上印着生产日期是后天 时光机啊？", "expired"),
        ("亲眼看见师傅把我那箱梨从车上往地上扔，发给你们视频要不要", "damaged"),
        ("昨天团的桃子黑了一片，咋办呀", "rotten"),
    ],
)
def test_what_happened_to_own_goods_is_a_claim_though_it_is_put_as_a_question(
    reader: Reader, text: str, kind: str
) -> None:
    understanding = reader.read(text)
    assert (understanding.skill, understanding.kinds[:1]) == ("claim", (kind,))


def test_a_complaint_stays_beside_a_question_that_is_answered(reader: Reader) -> None:
    assert "rotten" in reader.read("昨天的梨烂了三个，你们几点关门呀").kinds


@pytest.mark.parametrize(
    "text",
    [
        "买了两天的木瓜里面黑心，过没过申请的期限",
        "说退款成功了可卡里没看到钱",
        "孩子乱点买了一堆零食 还没发货 我要取消",
        "我拿错隔壁的袋子了 怎么弄",
        "冻虾化了一半再冻回去要紧吗",
        "那个没熟的芒果要怎么放，今天几点能去拿",
        "付款前没看到备注框",
    ],
)
def test_a_question_beside_what_happened_is_answered_where_no_remedy_is_asked(reader: Reader, text: str) -> None:
    assert reader.read(text).kinds == ()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("吃了你家的蘑菇我妈又吐又拉", "food_safety"),
        ("喝完一会就肚子疼，过一会就拉稀了，你说呢", "food_safety"),
        ("吃了你们的凉皮我娃拉了一宿", "food_safety"),
        ("喝了这个奶孩子上医院挂水去了", "food_safety"),
        ("娃吃了卤鸭脖半夜上吐下泻，现在在儿童医院，你们说怎么办", "food_safety"),
        ("团长把我的手机号念给满屋子人听", "privacy_leak"),
        ("送货那人说话太冲了", "attitude"),
        ("说了几遍了没一个人理我", "slow_answer"),
        ("到现在没人联系我", "slow_answer"),
        ("东西被别人拿走了吧", "taken_by_other"),
    ],
)
def test_what_no_photo_settles_is_a_complaint(reader: Reader, text: str, kind: str) -> None:
    understanding = reader.read(text)
    assert (understanding.skill, understanding.kinds[0]) == ("complaint", kind)


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("香蕉黑了还能吃吗", "storage-banana"),
        ("香蕉软了能吃吗", "storage-banana"),
        ("蓝莓放冰箱里能放几天啊", "storage-berries"),
        ("草莓容易坏吗", "storage-berries"),
        ("草莓上面白白的是啥", "looks-normal"),
        ("牛奶结块了还能喝不", "storage-dairy"),
        ("菜上有虫眼正常不", "caterpillar"),
        ("东西新鲜不新鲜", "product-freshness"),
        ("让我孙子去拿可以吧", "pickup-by-other"),
        ("到几点关门啊我七点下班", "pickup-time"),
        ("取东西在东门还是南门", "pickup-place"),
        ("你们这个坏了包不包换啊", "bad-goods-promise"),
        ("退的钱咋还没到我微信上", "refund-arrival"),
        ("不想要了给我取消了吧", "cancel-order"),
        ("我要投诉找谁", "how-to-complain"),
        ("我要投诉你们找谁", "how-to-complain"),
        ("帮我订二斤排骨", "order-for-me"),
        ("小程序打不开了", "app-trouble"),
        ("糖尿病能吃吗", "diet"),
        ("土豆咋卖的", "price"),
        ("不满意", "unhappy"),
        ("答非所问啊你", "misunderstood"),
        ("在哪取火", "pickup-place"),
        ("团掌是谁", "who-is-leader"),
        ("腿宽多久到账", "refund-arrival"),
        ("我们团长电话多少，她微信不回我", "who-is-leader"),
        ("优惠券怎么用不了啊我明明有一张五块的", "coupon-use"),
        ("保姆代领", "pickup-by-other"),
        ("说话你听得懂伐，写字太慢了", "voice"),
        ("小程序叫啥 删了找不回", "find-mini-program"),
        ("坏果是全退还是按坏的个数退", "partial-refund"),
        ("三天没去拿 东西还在不 出差忘得死死的", "uncollected"),
    ],
)
def test_a_question_is_answered_though_it_names_something_bad_or_is_misheard(
    reader: Reader, text: str, entry: str
) -> None:
    understanding = reader.read(text)
    assert understanding.entry == entry
    assert understanding.kinds == ()
    assert understanding.decision in ("answer", "clarify")


@pytest.mark.parametrize(
    ("text", "skill"),
    [
        ("菜什么时候到呀我要做饭", "order_status"),
        ("阿姨问一下我订的米到了没", "order_status"),
        ("我买的菜送来了吗", "order_status"),
        ("码发一下谢谢", "order_status"),
        ("定单到哪了", "order_status"),
        ("上次说赔我的呢", "ticket_status"),
        ("给我找个人 我跟机器说不清楚", "person"),
        ("叫你们管事的来", "person"),
        ("早上好啊团长", "greeting"),
        ("你是真人吗", "about"),
    ],
)
def test_a_skill_is_found(reader: Reader, text: str, skill: str) -> None:
    understanding = reader.read(text)
    assert (understanding.decision, understanding.skill) == ("skill", skill)


@pytest.mark.parametrize(
    "text",
    ["今天天气不错", "在吗", "嗯嗯", "嗯", "哦", "哈哈哈", "你吃了吗", "好的", "收到", "知道了", "算了", "不用了",
     "好吧", "今天好热啊", "祝大家周末愉快", "我家孙女考上大学啦", "三号楼停电了", "666", "啊？", "？", "👍",
     "那个人真逗"],
)  # fmt: skip
def test_a_strangers_chat_makes_no_ticket(reader: Reader, text: str) -> None:
    understanding = reader.read(text)
    assert understanding.decision != "handoff"
    assert understanding.kinds == ()
    assert understanding.priority is None


@pytest.mark.parametrize("text", ["楼道灯坏了找谁", "电梯坏了", "手机坏了哪里修"])
def test_what_is_broken_in_the_house_is_no_claim(reader: Reader, text: str) -> None:
    assert reader.read(text).kinds == ()


@pytest.mark.parametrize("text", ["算了", "不用了", "好吧", "让我孙子去拿可以吧", "我家搬走了以后不在这拿了"])
def test_giving_way_is_no_low_mood(reader: Reader, text: str) -> None:
    assert reader.read(text).low_mood < reader.thresholds.low_mood


def test_being_unhappy_after_ordinary_words_still_stays_with_the_bot(reader: Reader) -> None:
    for history in ([], ["橘子不甜", "怎么退货"], ["在吗", "我的订单到哪了", "几点能取"]):
        assert reader.read("不满意", history=history).low_mood < reader.thresholds.low_mood


def test_an_angry_wish_to_complain_is_handed_over(reader: Reader) -> None:
    assert reader.read("你们这帮骗子我要投诉找谁").low_mood >= reader.thresholds.low_mood


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("送来的饼干被老鼠咬了", "foreign_object"),
        ("撕开标签底下还有一层标签", "fake"),
        ("冰柜没插电，我的饺子成了一坨", "thawed"),
        ("团长把我的鸡蛋送给别人了", "taken_by_other"),
        ("买了六样到手五样", "missing_item"),
        ("你们这秤有鬼", "short_weight"),
        ("先涨价再打折", "price"),
        ("好的都留给她家亲戚", "attitude"),
        ("我给的差评被删了", "attitude"),
        ("把我踢出群了", "attitude"),
        ("团长硬逼我买她家的油", "attitude"),
        ("客服电话是空号", "slow_answer"),
        ("反映了三回没人改", "slow_answer"),
        ("团长说不关她的事", "passed_around"),
        ("昨天答应的今天就装不认识", "passed_around"),
        ("退三毛钱要我拍一堆照片", "refund_slow"),
        ("退款退成优惠券了", "refund_slow"),
        ("招呼不打就把我订单退了", "cannot_cancel"),
        ("说好送鸡蛋去了又说没有", "discount_not_honoured"),
        ("封口开了", "damaged"),
        ("酸奶涨袋了", "rotten"),
        ("写的大果来的跟鹌鹑蛋似的", "not_as_described"),
        ("你们店里脏得很", "quality"),
    ],
)
def test_what_leaders_and_goods_do_wrong_is_heard_in_everyday_words(reader: Reader, text: str, kind: str) -> None:
    assert reader.read(text).kinds[:1] == (kind,)


@pytest.mark.parametrize(
    "text",
    [
        "鸡蛋两盒 三袋盐",
        "买三斤就送一斤吗",
        "团长说没关系",
        "我不小心把鸡蛋摔地上了",
        "我妈嫌我买多了",
        "我电话停机了换个号",
        "天天晚上都能订吗",
        "我家狗爱吃肉",
        "来两个青皮萝卜",
        "米泡了水再煮",
        "券还有两天就过期",
        "显示23.6付款成功",
        "我自己取消了",
        "拿到跟上次一样",
        "一半是冰糖",
        "我老糊涂了忘了拿",
        "把我电话给团长",
    ],
)
def test_what_only_sounds_like_wrong_done_is_no_complaint(reader: Reader, text: str) -> None:
    assert reader.read(text).kinds == ()


@pytest.mark.parametrize(
    "text",
    [
        "群里说一句不新鲜就把我禁言",
        "好的都让她家亲戚挑完了",
        "你们系统漏得跟筛子似的",
        "老腿都跑断了就拿回这个",
        "你们良心过得去",
    ],
)
def test_anger_and_disappointment_without_a_swear_word_reach_a_person(reader: Reader, text: str) -> None:
    assert reader.read(text).low_mood >= reader.thresholds.low_mood


@pytest.mark.parametrize("text", ["你们有猫粮吗", "团长家几点开门", "我跟谁说话呢", "家里还有不少先不买了"])
def test_plain_words_to_the_shop_are_no_low_mood(reader: Reader, text: str) -> None:
    assert reader.read(text).low_mood < reader.thresholds.low_mood
