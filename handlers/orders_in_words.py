"""Order lines as a resident reads them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.conversation import Turn
from bot.storage.store import Store
from handlers.speaker import Speaker, Speakers
from shop.orders import OrderLine, matching_lines, recent_lines

_SHOWN = 5
_UNDER_WAY = ("paid", "shipping", "arrived")


def orders_in_words(
    turn: Turn, speaker: Speaker, *, speakers: Speakers, store: Store, zone: ZoneInfo, product: object = None
) -> str:
    """The speaker's orders under way, or the latest ones; only those of a product when one is named."""
    assert speaker.resident is not None
    with store.read() as connection:
        lines = list(recent_lines(connection, speaker.resident.id, now=turn.now))
    named = matching_lines(lines, str(product)) if product else []
    chosen = _worth_showing(list(named) or lines)
    if not chosen:
        return speakers.say(turn, "order.none")
    if len(chosen) == 1:
        return _one(turn, chosen[0], speaker, speakers, zone)
    return _several(turn, chosen, speaker, speakers, zone)


def _worth_showing(lines: Sequence[OrderLine]) -> list[OrderLine]:
    under_way = [line for line in lines if line.status in _UNDER_WAY]
    # What waits at the pick-up point comes first: it is what the resident can act on.
    return sorted(under_way, key=lambda line: line.status != "arrived") or list(lines[:1])


def _one(turn: Turn, line: OrderLine, speaker: Speaker, speakers: Speakers, zone: ZoneInfo) -> str:
    parts = [speakers.say(turn, "order.one", product=_named(line), status=_status(turn, line, speakers, zone))]
    if line.status == "arrived":
        parts.append(_where(turn, speaker, speakers))
    return "".join(part for part in parts if part)


def _several(turn: Turn, lines: list[OrderLine], speaker: Speaker, speakers: Speakers, zone: ZoneInfo) -> str:
    shown = lines[:_SHOWN]
    rows = [
        speakers.say(turn, "order.row", number=n, product=_named(line), status=_status(turn, line, speakers, zone))
        for n, line in enumerate(shown, 1)
    ]
    parts = [speakers.say(turn, "order.several", count=len(lines)), *rows]
    if len(lines) > len(shown):
        parts.append(speakers.say(turn, "order.more", count=len(lines) - len(shown)))
    if any(line.status == "arrived" for line in lines):
        parts.append(_where(turn, speaker, speakers))
    return "\n".join(part for part in parts if part)


def _named(line: OrderLine) -> str:
    return f"{line.product} {line.spec}".strip()


def _status(turn: Turn, line: OrderLine, speakers: Speakers, zone: ZoneInfo) -> str:
    if line.status == "arrived" and line.pickup_code:
        return speakers.say(turn, "order.arrived_with_code", code=line.pickup_code)
    if line.status == "shipping" and line.eta:
        return speakers.say(turn, "order.shipping_until", eta=day_and_time(line.eta, turn.now, zone))
    return speakers.say(turn, f"order.{line.status}")


def _where(turn: Turn, speaker: Speaker, speakers: Speakers) -> str:
    if speaker.community is None or not speaker.community.pickup_point:
        return ""
    hours = speaker.community.pickup_hours
    key = "order.where_and_when" if hours else "order.where"
    return speakers.say(turn, key, point=speaker.community.pickup_point, hours=hours)


def day_and_time(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """An instant as people say it: 今天 16:00, 明天 16:00, 11月23日 16:00."""
    local, today = moment.astimezone(zone), now.astimezone(zone).date()
    days = (local.date() - today).days
    day = {-1: "昨天", 0: "今天", 1: "明天", 2: "后天"}.get(days, f"{local.month}月{local.day}日")
    return f"{day} {local:%H:%M}"
