"""How personal data is shown to people who need not read it in full."""

from __future__ import annotations

_DOUBLE_SURNAMES = frozenset(
    {"欧阳", "上官", "司马", "诸葛", "司徒", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐", "宇文", "夏侯", "端木"}
)


def mask_name(name: str) -> str:
    """The family name and two stars: 王桂兰 → 王**. The number of stars does not tell the name's length."""
    if not name:
        return "居民"
    surname = name[:2] if name[:2] in _DOUBLE_SURNAMES and len(name) > 2 else name[:1]
    return f"{surname}**"


def mask_phone(phone: str | None) -> str:
    """The first three and last four digits: 13800000001 → 138****0001. Empty when there is none."""
    return f"{phone[:3]}****{phone[-4:]}" if phone else ""
