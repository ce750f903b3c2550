"""How characters sound, for words that were typed or heard wrong ("取火码" for "取货码")."""

from __future__ import annotations

import re
from functools import cache

FIRST, LAST = 0x4E00, 0x9FA5
"""The Chinese characters that have a sound here; the rarer ones beyond them keep their own sign."""
_FIRST_SIGN = 0xF0000
_SYLLABLE = re.compile(r"(zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw]?)(.*)")
_SAME_INITIAL = {"zh": "z", "ch": "c", "sh": "s", "n": "l", "r": "l", "h": "f"}
_SAME_FINAL = {"ang": "an", "iang": "ian", "uang": "uan", "eng": "en", "ing": "in"}

Sounds = dict[int, str]
"""What ``str.translate`` takes: for each character one sign that stands for its syllable."""


def blurred(syllable: str) -> str:
    """A syllable without what southern speakers and input methods mix up: n/l, r/l, h/f, zh/z, -ng/-n and so on."""
    found = _SYLLABLE.fullmatch(syllable)
    assert found is not None  # both parts may be empty
    initial, final = found.groups()
    return _SAME_INITIAL.get(initial, initial) + _SAME_FINAL.get(final, final)


@cache
def spelt() -> str:
    """For each character from FIRST to LAST the sign of its commonest syllable, without tone.

    Takes a third of a second; what it gives is kept with what was learnt.
    """
    from pypinyin import lazy_pinyin  # heavy, and not needed once something was learnt

    signs: dict[str, str] = {}

    def sign(character: str) -> str:
        syllable = blurred(lazy_pinyin(character)[0])
        return signs.setdefault(syllable, chr(_FIRST_SIGN + len(signs)))

    return "".join(map(sign, map(chr, range(FIRST, LAST + 1))))


def sounds_of(signs: str) -> Sounds:
    """The table from what ``spelt`` gave."""
    return dict(enumerate(signs, FIRST))
