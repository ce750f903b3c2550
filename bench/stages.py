"""Where the time of one message goes, measured inside the process, one message at a time."""

from __future__ import annotations

import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

MESSAGES = 1500

Make = Callable[[str, str], tuple[str, bytes]]
"""Makes a request of an account and a text: path with query, and body."""


def where_the_time_goes(environment: Mapping[str, str], questions: Sequence[str], make: Make) -> dict[str, float]:
    """Median microseconds by stage for varied questions on the bot that ``environment`` describes."""
    from app import create_app
    from bot.logs import configure_logs
    from compose import compose
    from config.settings import Settings

    configure_logs("WARNING")
    bot = compose(Settings.load({**os.environ, **environment}, make_secret=True))
    spent: dict[str, list[float]] = defaultdict(list)
    _time_stages(bot, spent)
    client = create_app(bot).test_client()
    for number in range(MESSAGES):
        path, body = make(f"oStages{number % 300:022d}", questions[number % len(questions)])
        started = time.perf_counter()
        answer = client.post(path, data=body)
        spent["whole request, without the server"].append(time.perf_counter() - started)
        assert answer.status_code == 200, answer.data
    bot.close()
    return {stage: statistics.median(values[300:]) * 1e6 for stage, values in spent.items()}


def _time_stages(bot: Any, spent: dict[str, list[float]]) -> None:
    from handlers.speaker import Speakers
    from understanding.reader import Reader

    _time(type(bot.channels["oa"]), "receive", "open the envelope: signature, decrypt, parse", spent)
    _time(type(bot.turns), "_conversation", "read the conversation", spent)
    _time(Speakers, "_find", "find the resident", spent)
    _time(Reader, "read", "understand: entry, mood, priority, kinds, slots", spent)
    _time(type(bot.turns), "_think", "all handlers, reading included", spent)
    _time(type(bot.turns), "take", "the whole turn", spent)
    _time(type(bot.turns), "_record", "write inbox, state and outbox (without commit)", spent)
    _time(type(bot.channels["oa"]), "passive_reply", "seal the reply", spent)


def _time(owner: type, method: str, stage: str, spent: dict[str, list[float]]) -> None:
    original = getattr(owner, method)

    def timed(*arguments: Any, **options: Any) -> Any:
        started = time.perf_counter()
        try:
            return original(*arguments, **options)
        finally:
            spent[stage].append(time.perf_counter() - started)

    setattr(owner, method, timed)
