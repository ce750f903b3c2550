"""Order lines as a resident reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.conversation import Turn
from bot.storage.store import Store
from handlers.claim.lines import named
from handlers.speaker import Speaker, Speakers
from shop.orders import OrderLine, lines_of_order, matching_lines, recent_lines

_SHOWN = 5
_UNDER_WAY = ("paid", "shipping", "arrived")


def orders_in_words(
    turn: Turn,
    speaker: Speaker,
    *,
    speakers: Speakers,
    store: Store,
    zone: ZoneInfo,
    product: str = "",
    order_no: str = "",
) -> str:
    """The speaker's orders under way, or her latest one; only those of a product or an order when one is named."""
    assert speaker.resident is not None
    with store.read() as connection:
        lines = recent_lines(connection, speaker.resident.id, now=turn.now)
        ordered = lines_of_order(connection, speaker.resident.id, order_no) if order_no else ()
    words = _Words(turn, speaker, speakers, zone)
    if order_no:
        return words.all_of(ordered) if ordered else words.say("no_such_order")
    if not lines:
        return words.say("none")
    if not product:
        return words.under_way(lines)
    named = matching_lines(lines, product)
    if not named:
        return words.say("not_bought", product=product) + "\n" + words.under_way(lines)
    return words.all_of([line for line in named if line.status in _UNDER_WAY] or named[:1])


@dataclass(frozen=True, slots=True)
class _Words:
    turn: Turn
    speaker: Speaker
    speakers: Speakers
    zone: ZoneInfo

    def under_way(self, lines: Sequence[OrderLine]) -> str:
        """What is on its way or waits to be fetched; else how the latest order ended."""
        coming = [line for line in lines if line.status in _UNDER_WAY]
        if coming:
            return self.all_of(coming)
        last = [line for line in lines if line.order_no == lines[0].order_no]
        said = self.say("nothing_under_way")
        if len({line.status for line in last}) > 1:
            return said + "\n" + self.all_of(last)
        products = "、".join(line.product for line in last)
        return said + self.say("last_one", products=products, status=self._status(last[0]))

    def all_of(self, lines: Sequence[OrderLine]) -> str:
        """What waits at the pick-up point comes first: it is what the resident can act on."""
        lines = sorted(lines, key=lambda line: line.status != "arrived")
        where = self._where() if lines[0].status == "arrived" else ""
        if len(lines) == 1:
            return self.say("one", product=named(lines[0]), status=self._status(lines[0])) + where
        rows = [
            self.say("row", number=number, product=named(line), status=self._status(line))
            for number, line in enumerate(lines[:_SHOWN], 1)
        ]
        more = self.say("more", count=len(lines) - _SHOWN) if len(lines) > _SHOWN else ""
        return "\n".join(part for part in (self.say("several", count=len(lines)), *rows, more, where) if part)

    def _status(self, line: OrderLine) -> str:
        if line.status == "arrived" and line.pickup_code:
            return self.say("arrived_with_code", code=line.pickup_code)
        if line.status == "shipping" and line.eta:
            return self.say("shipping_until", eta=day_and_time(line.eta, self.turn.now, self.zone))
        return self.say(line.status)

    def _where(self) -> str:
        community = self.speaker.community
        if community is None or not community.pickup_point:
            return ""
        key = "where_and_when" if community.pickup_hours else "where"
        return self.say(key, point=community.pickup_point, hours=community.pickup_hours)

    def say(self, name: str, **values: object) -> str:
        return self.speakers.say(self.turn, f"order.{name}", **values)


def day_and_time(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """An instant as people say it: 今天 16:00, 明天 16:00, 11月23日 16:00."""
    local, today = moment.astimezone(zone), now.astimezone(zone).date()
    days = (local.date() - today).days
    day = {-1: "昨天", 0: "今天", 1: "明天", 2: "后天"}.get(days, f"{local.month}月{local.day}日")
    return f"{day} {local:%H:%M}"
