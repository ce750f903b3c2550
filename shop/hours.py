"""Opening and working hours as people write them: "09:00-12:00,13:30-21:00"."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from itertools import pairwise

Hours = tuple[tuple[int, int], ...]
"""Spans of a day in minutes after midnight, in order, the end not included; empty means at any time."""

_SPAN = re.compile(r"([0-9]{1,2}):([0-9]{2})\s*[-–~]\s*([0-9]{1,2}):([0-9]{2})")


def parse_hours(text: str) -> Hours:
    """Raises ``ValueError`` for what is no time of day, ends before it starts, or overlaps. 24:00 ends a day."""
    spans = [_span(part.strip()) for part in unicodedata.normalize("NFKC", text).split(",")]
    if any(later[0] < earlier[1] for earlier, later in pairwise(spans)):
        raise ValueError("the spans overlap or are out of order")
    return tuple(spans)


def within_hours(hours: Hours, local: datetime) -> bool:
    """Whether a local time of day falls into the hours."""
    minute = local.hour * 60 + local.minute
    return not hours or any(start <= minute < end for start, end in hours)


def _span(text: str) -> tuple[int, int]:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a span of hours")
    start_hour, start_minute, end_hour, end_minute = map(int, match.groups())
    start, end = start_hour * 60 + start_minute, end_hour * 60 + end_minute
    if start_minute > 59 or end_minute > 59 or end > 24 * 60:
        raise ValueError(f"{text!r} is not a time of day")
    if end <= start:
        raise ValueError(f"{text!r} ends before it starts")
    return start, end
