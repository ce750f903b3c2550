"""Money is whole fen everywhere inside; these two turn it into words and back."""

from __future__ import annotations

import re
import unicodedata

MOST_FEN = 1_000_000_000
"""Ten million yuan: no order line and no payout of a neighbourhood shop is larger, and it fits 32 bits."""

_YUAN = re.compile(r"¥?\s*([0-9]{1,9}|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.([0-9]{1,2}))?\s*(?:元|块)?")


def format_yuan(fen: int) -> str:
    """An amount as residents read it: 2280 → "22.80 元"."""
    sign = "-" if fen < 0 else ""
    yuan, rest = divmod(abs(fen), 100)
    return f"{sign}{yuan}.{rest:02d} 元"


def parse_yuan(text: str) -> int:
    """An amount as people write it ("12.5", "¥1,280.00", "22.80 元") in fen.

    Raises ``ValueError`` for anything else: signs, a third decimal, words, more than ten million yuan.
    """
    match = _YUAN.fullmatch(unicodedata.normalize("NFKC", text[:40]).strip())
    if match is None or len(text) > 40:
        raise ValueError("not an amount in yuan; write it like 12.50")
    whole, decimals = match.groups()
    fen = int(whole.replace(",", "")) * 100 + int((decimals or "").ljust(2, "0"))
    if fen > MOST_FEN:
        raise ValueError("more than ten million yuan")
    return fen
