"""Takes out of a question what says who asked it, before the question is kept for longer than the conversation."""

from __future__ import annotations

import re
import string

PHONE, NUMBER, ADDRESS, NAME, ACCOUNT = "〔电话〕", "〔号码〕", "〔地址〕", "〔姓名〕", "〔账号〕"
_MASK = re.compile(r"〔(?:电话|号码|地址|姓名|账号)〕")

_HALF_WIDTH = {0xFEE0 + ord(sign): sign for sign in string.ascii_letters + string.digits + "@.-+_"}

_DIGIT = "零〇一二两三四五六七八九十百幺\\d"
_BUILDING = f"[{_DIGIT}A-Za-z]{{1,4}}(?:号楼|栋|幢|单元|座|弄|号院)"
_REPLACED = (
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII), ACCOUNT),
    (re.compile(r"(?<=微信)(?:号|是|[:： ])*[A-Za-z][-\w]{5,19}", re.ASCII), ACCOUNT),
    (re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?!\d)"), PHONE),
    (re.compile(r"(?<!\d)0\d{2,3}[- ]\d{7,8}(?!\d)"), PHONE),
    (re.compile("[零〇一二三四五六七八九幺两]{7,}"), NUMBER),
    # 3栋2单元501, 十二号楼, 12-3-501
    (re.compile(rf"{_BUILDING}(?:[ ,，]*{_BUILDING})*[ ,，]*(?:[{_DIGIT}]{{1,5}}(?:室|号|房)?)?"), ADDRESS),
    (re.compile(r"(?<![\d.])\d{1,3}-\d{1,3}(?:-\d{1,3})?-\d{3,4}(?!\d)"), ADDRESS),
    (re.compile(rf"[\u4e00-\u9fff]{{2,6}}(?:路|街|大道|巷)[{_DIGIT}]{{1,5}}号"), ADDRESS),
    (re.compile(r"(?<!\d)\d{3,4}(?:室|房)"), ADDRESS),
    (re.compile(r"[A-Za-z]{0,4}[-_]?\d{5,}[A-Za-z\d]*"), NUMBER),
    (re.compile(r"(?<=码)(?:是|为|[:： ])*\d{4}(?!\d)"), NUMBER),
    (re.compile(r"(?<=我叫)[\u4e00-\u9fff]{2,3}|(?<=收货人)(?:是|[:： ])*[\u4e00-\u9fff]{2,3}"), NAME),
)


def masked(text: str) -> str:
    """The words with phone numbers, addresses, order numbers, codes, accounts and spoken names replaced by their kind.

    A pattern cannot know every name and place; who reads the result should still be entitled to read questions.
    """
    words = text.translate(_HALF_WIDTH)
    for pattern, mask in _REPLACED:
        words = pattern.sub(mask, words)
    return words


def masks_in(words: str) -> list[str]:
    """What stands where something was masked."""
    return _MASK.findall(words)


def without_masks(words: str) -> str:
    """The words as somebody else might say them: nothing stands where something was masked."""
    return _MASK.sub("", words).strip(" ,，:：")
