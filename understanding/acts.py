"""What a sentence does: ask, reproach, tell what happened, want something."""

from __future__ import annotations

import re
from dataclasses import dataclass

from config.yaml_file import YamlFile
from faq.text import plain
from understanding.words import pattern

_WANTS = re.compile(
    r"帮|请|要|想|麻烦|让|叫|找|替|查|改|换|退|赔|补|取|买|订|送|货|单|款|钱|券|码|群|催|给我|跟我|把我|告诉|通知|客服|平台|商家|店|不能|不行|没法|问题"
)
_WHY = re.compile("为什么|为啥|为何")
_COMMA = re.compile(r"[，,、\s]+")
_MARKS = re.compile("[?？]")
_SENTENCE = re.compile(r"[^。！!；;\n?？]+[。！!；;\n?？]*")
_HAS_A_QUESTIONS_FORM = re.compile(
    r"[?？]|[吗么伐咩](?=[\s，,])|([吗么呢不没伐咩]|没得|可以吧|能吧|行吧)[啊呀哈嘛的]?[\s~～。!！]*$|(?<!不)(怎么|咋)(?!样)|(?<!不)(怎么|咋)样|如何|怎样"
    r"|多少|多久|多长|(?<![好有十这那没前着过])几[个点天斤两时号份次块种]|什么时候|啥时候?|(赔|给|退|补)(点|我)?(啥|什么)|哪(?!怕)|(?<!谁)(?<!谁.)(?<!谁..)谁(?!.{1,2}谁)"
    r"|能不能|可不可以|有没有|是不是|会不会|要不要|是否|真的?(还是)?假的?$|(?<!还)是[^，,。]{1,10}还是[^，,。]{1,10}|(还|可以|能|行|在|好|要|有|对)[不没](?=[\s，,])"
    r"|(?<!不)(?P<either>[^\W\d]{1,2})[不没](?P=either)(?!不)|规定|规则|标准|政策"
)


@dataclass(frozen=True, slots=True)
class ActReader:
    """Tells who asks from who complains.

    ``happened``: something has happened to the speaker; ``supposed``: a case is only put. ``reproaches`` have the form
    of a question, ``anger`` has it too and wants no answer. ``remedies``: what can be asked for what happened.
    """

    happened_words: re.Pattern[str]
    supposed: re.Pattern[str]
    reproaches: re.Pattern[str]
    anger: re.Pattern[str]
    remedies: re.Pattern[str]

    @classmethod
    def load(cls, file: YamlFile) -> ActReader:
        """Raises ConfigError for a list that is missing or can't be read."""
        return cls(*(pattern(file, name) for name in LISTS))

    def asks(self, text: str) -> bool:
        """Whether it has a question's form and is not anger in that form ("让不让人睡")."""
        return in_question_form(text) and not self.anger.search(text)

    def wants_to_know(self, text: str) -> bool:
        """Whether an answer may serve: "为什么用不了" is a reproach, and a reason answers it all the same."""
        return bool(in_question_form(text) or _WHY.search(text)) and not self.anger.search(text)

    def happened(self, text: str) -> bool:
        """Whether somebody tells of own goods or an own day, and no case is put ("如果坏了")."""
        return bool(self.happened_words.search(text)) and not self.supposed.search(text)

    def tells(self, sentence: str) -> bool:
        """Whether it states something, if only by a reproach."""
        return not in_question_form(sentence) or self.happened(sentence) or bool(self.reproaches.search(sentence))

    def complains(self, text: str) -> bool:
        """Whether it tells or reproaches, or wants to know what is done about what happened; else it only asks.

        "怎么办" after bad goods of one's own is a complaint, "坏了怎么办" asks for the rule. A mere question mark after
        a statement ("就这么大？") asks nothing.
        """
        if not self.asks(_MARKS.sub("", text)):
            return True
        return self.happened(text) and bool(self.reproaches.search(text) or self.remedies.search(text))

    def only_asks(self, sentence: str) -> bool:
        """Whether it asks for a rule or a fact and nothing has happened; "怎么还没到" complains in the form of one."""
        if not self.asks(_MARKS.sub("", sentence)) or self.happened(sentence):
            return False
        if self.remedies.search(sentence):
            return True
        return in_question_form(_clauses(sentence)[-1]) and not self.reproaches.search(sentence)


LISTS = ("happened", "supposed", "reproaches", "anger", "remedies")
"""The lists of words, in the order of the fields."""


def sentences(text: str) -> list[str]:
    """The text cut after each mark that ends a sentence; commas and spaces hold one together."""
    return _SENTENCE.findall(text)


def in_question_form(sentence: str) -> bool:
    """Whether it has a question's form, in earnest or not; "不怎么样" and "还是坏的" have none."""
    return bool(_HAS_A_QUESTIONS_FORM.search(sentence))


def _clauses(sentence: str) -> list[str]:
    return [clause for clause in _COMMA.split(sentence) if clause] or [sentence]


def wants(text: str) -> bool:
    """Whether the text may want something of the shop; small talk ("今天天气不错") and sighs ("啊？") do not."""
    said_something = len(plain(text)) > 2
    return said_something and (in_question_form(text) or bool(_WANTS.search(text)))
