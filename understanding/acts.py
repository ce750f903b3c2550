"""What a text does: ask, tell, want something."""

from __future__ import annotations

import re

from faq.text import plain

_ASKS = re.compile(
    r"[?？]|[吗么呢]|怎么|咋|如何|怎样|多少|多久|多长|几|什么|啥|哪|谁|为何|能不能|可不可以|有没有|是不是|([^\W\d]{1,2})不\1|(能|行|可以|好|成|常|对|是|有)不$|没$|有没得|还是|规定|规则"
)
_TELLS_OF_OWN = (
    r"我(的|们|家|买|收|这|订|昨|今|刚|都|已)|这(次|批|箱|袋|份|盒)|你们(送|发|给|卖)|竟|居然|明显|明明|就这(么|样)(送|发|给|卖)|还(发货|敢|好意思|拿出来)|怎么(吃|用)得?[?？啊]|良心|\d|[二两三四五六七八九十半](个|颗|斤|箱|袋|盒|半|份|次)"
    r"|一半|[!！?？]{2}|(这|那)么(差|烂|小|酸|慢|少|难)|不知道[^，,]{0,4}放了?多久|这[^，,？?]{0,6}能(吃|喝|用)[?？]|有股|(已经|个个|每个|次次|全|都)[^，,？?]{0,4}[了的]|根本|难吃|上次|第[一二]次"
)
_OWN = re.compile(_TELLS_OF_OWN)
_HAPPENED = re.compile(
    r"^(?!.*(如果|要是|万一|假如|假设|的话|会不会|(包|能|可以|给|管)不?.{0,3}(退|换|赔)))"
    r".*(昨|今天|前天|刚|收到|买|拿|取|送|到手|我|俺|咱)[^，,。]{0,10}(烂|坏|碎|破|臭|霉|馊|漏|裂|蔫|化|变质|压扁)(了|掉|啦|咯|光)"
)
"""Goods in a state in which they are no more, and somebody to whom it happened: "昨天的苹果烂了，怎么办"."""
_TELLS = re.compile(
    rf"{_TELLS_OF_OWN}|[一二两三四五六七八九十几半\d]个?多?(天|星期|礼拜|周|月|小时|钟头)了|收到|买的|买了|送来|拿到|到手|回家|打开|今天|昨天|前天|刚才?|怪味|异味|臭"
)
_WANTS = re.compile(
    r"帮|请|要|想|麻烦|让|叫|找|替|查|改|换|退|赔|补|取|买|订|送|货|单|款|钱|券|码|群|催|给我|跟我|把我|告诉|通知|客服|平台|商家|店|不能|不行|没法|问题"
)

_COMMA = re.compile(r"[，,、\s]+")
_SENTENCE = re.compile(r"[^。！!；;\n?？]+[。！!；;\n?？]*")
_HAS_A_QUESTIONS_FORM = re.compile(
    r"[?？]|[吗么](?=[\s，,])|([吗么呢不没]|没得|可以吧|能吧|行吧)[啊呀哈嘛的]?[\s~～。!！]*$|(?<!不)(怎么|咋)(?!样)|(?<!不)(怎么|咋)样|如何|怎样"
    r"|多少|多久|多长|(?<![好有十这那没前着过])几[个点天斤两时号份次块种]|什么时候|啥时候?|(赔|给|退|补)(点|我)?(啥|什么)|哪(?!怕)|(?<!谁)(?<!谁.)(?<!谁..)谁(?!.{1,2}谁)"
    r"|能不能|可不可以|有没有|是不是|会不会|要不要|是否|真的?(还是)?假的?$|(?<!还)是[^，,。]{1,10}还是[^，,。]{1,10}|(还|可以|能|行|在|好|要|有|对)[不没](?=[\s，,])"
    r"|(?<!不)(?P<either>[^\W\d]{1,2})不(?P=either)(?!不)|规定|规则|标准|政策"
)
_COMPLAINS_BY_ASKING = re.compile(
    r"凭(什么|啥)|(怎么|咋个?|为什么|为啥|为何)(又|还|都|就|这么|这样|那么|老是|总是|一直|会有?|少|没|不|是|给|有|才|变|全|能)"
    r"|(到现在|一直|还)(都|也)?(没|不)|不是说|说好|是不是|谁(拿|领|偷|把)|(吃|喝)出|都(烂|坏|臭|馊|霉|碎|破|压|化|洒|漏|发霉)了|[!！]"
)
_OF_THE_RULES = re.compile(
    r"(怎么|咋|如何|怎样|多少|几|啥|按什么|算不算|是否|会不会|能不能|可不可以|给不给|包不包|管不管|赔不赔|退不退|可以|能|有没有|要不要)"
    r"[^，,]{0,6}(赔|退|换|补|处理|保障|规定|规则|管|售后|保修|预防|存|放)"
    r"|(赔|退|换|补)[^，,]{0,5}(吗|么|不|多少|几|啥|什么|规则|规定|政策|标准|流程)|包赔|赔付标准|(怎么|咋)(办|整|弄|搞|处理)|(要|用|得)(不要)?[^，,]{0,3}(拍照|照片|视频|证明|凭证|称一?下)|说法吗|正常[吗么不]|要紧[吗么不]|[能可][吃喝用][吗么不]"
)

_FELL_ILL = re.compile(
    r"^(?!.*(如果|要是|万一|假如|的话)).*(吃|喝|用|抹)(了|完|过)[^。！!？?会能]{0,20}"
    r"(吐|泻|拉(肚|稀|了)|(肚子|胃|头|浑身)[^，,]{0,3}(疼|痛|晕|痒)|过敏|中毒|发烧|疹|医院|挂水|吊水|急诊|难受|不舒服)"
)
"""Somebody has fallen ill: whoever asks what to do then asks for no rule."""
_RHETORICAL = re.compile(
    r"爱.不.|[让叫给]不[让叫给]人|懂不懂|脏不脏|恶不恶心|像不像话|讲不讲(理|道理)|要不要脸|好不好意思|有没有(良心|人性|王法|天理|搞错)"
    r"|(折腾|糊弄|骗|哄|蒙|耍|吓唬|玩儿?|坑|忽悠|唬)(谁|鬼|人|我)呢|踢皮球呢|谁欠|(欠|该)(你|她|他|你们)的|怎么(管|办事|做事|做生意|当差|培训|干活)的|当我.{0,3}(傻|好欺)"
)
"""Anger in the form of a question: nobody wants to know."""


def sentences(text: str) -> list[str]:
    """The text cut after each mark that ends a sentence; commas and spaces hold one together."""
    return _SENTENCE.findall(text)


def in_question_form(sentence: str) -> bool:
    """Whether it has a question's form, in earnest or not; "不怎么样" and "还是坏的" have none."""
    return bool(_HAS_A_QUESTIONS_FORM.search(sentence))


def asks_in_earnest(text: str) -> bool:
    """Whether it has a question's form and is not anger in that form ("让不让人睡")."""
    return in_question_form(text) and not _RHETORICAL.search(text)


def happened(text: str) -> bool:
    """Whether somebody tells of goods that are spoiled or broken, and no case is put."""
    return bool(_HAPPENED.search(text))


def accuses(text: str) -> bool:
    """Whether its question is a reproach: "怎么还没到", "让不让人睡"."""
    return bool(_COMPLAINS_BY_ASKING.search(text) or _RHETORICAL.search(text))


def only_asks(sentence: str) -> bool:
    """Whether it asks for a rule or a fact and tells nothing; "怎么还没到" complains in the form of one."""
    if not asks_in_earnest(sentence) or any(form.search(sentence) for form in (_OWN, _HAPPENED, _FELL_ILL)):
        return False
    if _OF_THE_RULES.search(sentence):
        return True
    return in_question_form(_clauses(sentence)[-1]) and not (tells(sentence) or _COMPLAINS_BY_ASKING.search(sentence))


def _clauses(sentence: str) -> list[str]:
    return [clause for clause in _COMMA.split(sentence) if clause] or [sentence]


def asks(text: str) -> bool:
    """Whether the text has the form of a question."""
    return bool(_ASKS.search(text))


def tells(text: str) -> bool:
    """Whether the text speaks of something that happened to the resident, and not of the rules."""
    return bool(_TELLS.search(text))


def wants(text: str) -> bool:
    """Whether the text may want something of the shop; small talk ("今天天气不错") and sighs ("啊？") do not."""
    said_something = len(plain(text)) > 2
    return said_something and (asks(text) or bool(_WANTS.search(text)))
