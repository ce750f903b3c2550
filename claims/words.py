"""Plain words to plain values: choices, yes and no, and what is said about photos."""

from __future__ import annotations

import re

from understanding.amounts import compact, number_of

_LONGEST_COMMAND = 20
"""A word that steers the dialogue is short; longer sentences say something else."""

# Without 两: "两个" says that two were meant.
_CHOICE = re.compile(r"(?:我?[要选]|就|是|第|回复?|那)*(\d|[一二三四五]|最后一)(?:个|种|号|项|样|条)*[吧了的呢啊哈]*")
_TAIL = r"(?:吧|啊|呀|哈|呢|哦|喽|啦|了|的|谢谢|哎|唉|你们?|您|先)*"
_OUT = re.compile(
    r"(?:那|我|就|还是|唉|哎|嗯|好|先)*"
    r"(?:(?:取消|算|撤销|退出|不用|不弄|不办|不申请|不报|不赔|不退|不处理|不麻烦|不说|没事|别弄|不找|不查|不看|不问)"
    r"(?:申请|赔付|报损|理赔|售后|处理|这个|你们?|您|了|掉|麻烦)*)+" + _TAIL
)
_DONE = re.compile(
    r"(?:嗯|哦|那|我|都|照片|已经|对)*"
    r"(?:(?:好|没有?(?:别的|其他的?)?|就[这那]样|就?只?有?[这那][些个]|就?只?有?[这那]?[几一二两三四五六\d]张"
    r"|发完|拍完|传完|发好|拍好|弄好|发|完|okay|ok|行|可以|够|齐|不用|结束)(?:照片|图片?)?[了啦]?)+" + _TAIL
)
_LATER = re.compile(
    r"等[一会下等]|稍等|稍后|马上|晚[点些上]|待会|回头|一会儿?[再发拍]|这就|去拍|回家|还没到家|下班|还有|我拍|正在"
)
_NO_PHOTO = re.compile(
    r"不会[用弄]?(?:拍|发|照|传)|(?:没法|没办法|不能|不方便)(?:拍|发照|照相|传)|没有?(?:拍|照片|图|留)|拍不了|拍不到|发不[了出]"
    r"|照不了|传不[了上]|(?:扔|丢|倒|处理|吃)(?:掉|完|光)?了?(?:垃圾|都)*了|扔(?:掉|完)|老人机|手机(?:坏|不行|没)|相机坏"
)
_NO_PHOTO_ASKED = re.compile(
    r"我?(?:也|真|都|实在)*(?:没有?|没得|不会[弄搞]?|不能|[弄搞]不[了来懂]|不行|不懂|不想?[拍弄])"
)
_HOW_PHOTO = re.compile(r"(?:怎么|咋|如何|在哪|哪里)[样能可以里儿]*(?:拍|发照|发图|发相|传|弄照|发给|发)")
_QUESTION = re.compile(r"[?？吗么]|多久|多长|怎么|咋|什么|啥|几[点天时号]|哪|能不能|可不可以|是不是|有没有|多少钱|呢$")
_FILLER = re.compile(r"(?:嗯|哦|噢|喔|好|对|行|是|知道|明白|收到|可以|ok|okay|[的了啊呀吧哈哒])+")
_NOT_THIS = re.compile(r"不是(?:这|那|它|的|吧|$)|(?:搞|弄|认|记)错|不对$|^不对|^错了|^不是")
_OBJECTS = re.compile("不同意|不接受|不服|不认|不合理|不公平|^为(?:什么|啥)|^凭(?:什么|啥)|怎么不(?:同意|给|退|赔)")
_NONE_OF_THEM = re.compile(r"(?:都|一个都|全)不[是对在]|不是这|没有我?[要说的]|不是这[些几]|不在[里这]|^没有$|^0$")


def choice_of(text: str, count: int) -> int | None:
    """Which of ``count`` numbered things was chosen, from 1; None when the words are no choice by number."""
    found = _CHOICE.fullmatch(compact(text))
    if not found:
        return None
    chosen = count if found[1] == "最后一" else int(number_of(found[1]) or 0)
    return chosen if 1 <= chosen <= count else None


def photos_done(text: str) -> bool:
    """The answer to "还有照片吗" is that there are no more."""
    return _all_of(_DONE, text)


def wants_out(text: str) -> bool:
    """The resident drops the matter. More words than that are something else: "取消订单", "算了退钱吧"."""
    return _all_of(_OUT, text)


def later(text: str) -> bool:
    """The photo is promised for later."""
    return _LATER.search(compact(text)) is not None


def has_no_photo(text: str, *, asked: bool = False) -> bool:
    """There is no photo, and there will be none. ``asked``: the words answer the question for one."""
    plain = compact(text)
    if _NO_PHOTO.search(plain):
        return True
    return asked and _NO_PHOTO_ASKED.fullmatch(plain.rstrip("了啊呀的吧呢哦")) is not None


def asks_how_to_send(text: str) -> bool:
    """How a photo is taken or sent."""
    return _HOW_PHOTO.search(compact(text)) is not None


def not_this(text: str) -> bool:
    """The order line that the bot named is the wrong one."""
    return _NOT_THIS.search(compact(text)) is not None


def is_question(text: str) -> bool:
    """The words ask something."""
    return _QUESTION.search(text) is not None


def says_nothing(text: str) -> bool:
    """ "嗯", "好的", "知道了": heard, and no answer to anything."""
    return _all_of(_FILLER, text)


def objects(text: str) -> bool:
    """The words do not accept what was decided."""
    return _OBJECTS.search(compact(text)) is not None


def none_of_them(text: str) -> bool:
    """None of the listed order lines is meant."""
    return _NONE_OF_THEM.search(compact(text)) is not None


def _all_of(pattern: re.Pattern[str], text: str) -> bool:
    plain = compact(text)
    return len(plain) <= _LONGEST_COMMAND and pattern.fullmatch(plain) is not None
