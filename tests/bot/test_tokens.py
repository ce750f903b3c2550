from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from bot.channels.tokens import AccessToken
from bot.redis_connection import connect


class Platform:
    """Counts how often it is asked for a token."""

    def __init__(self) -> None:
        self.asked = 0

    def fetch(self) -> tuple[str, int]:
        self.asked += 1
        return f"token-{self.asked}", 7200


def test_processes_share_one_token(redis_connection, clock) -> None:
    platform = Platform()
    processes = [AccessToken("oa", platform.fetch, redis_connection, clock) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        tokens = set(pool.map(AccessToken.current, processes))
    assert tokens == {"token-1"}
    assert platform.asked == 1


def test_a_refused_token_is_replaced_once_for_all_processes(redis_connection, clock) -> None:
    platform = Platform()
    processes = [AccessToken("oa", platform.fetch, redis_connection, clock) for _ in range(4)]
    for process in processes:
        process.current()
    with ThreadPoolExecutor(4) as pool:
        tokens = set(pool.map(lambda process: process.replace("token-1"), processes))
    assert tokens == {"token-2"}
    assert platform.asked == 2


def test_a_token_is_renewed_before_it_ends(redis_connection, clock) -> None:
    platform = Platform()
    token = AccessToken("oa", platform.fetch, redis_connection, clock)
    token.current()
    redis_connection.flushall()
    clock.advance(seconds=7200 - 299)
    assert token.current() == "token-2"


def test_without_redis_a_process_keeps_a_token_of_its_own(clock) -> None:
    platform = Platform()
    token = AccessToken("oa", platform.fetch, connect("redis://127.0.0.1:1/0"), clock)
    assert [token.current(), token.current()] == ["token-1", "token-1"]
