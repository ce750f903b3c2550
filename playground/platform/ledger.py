"""Book-keeping for tests and benchmarks: what the bot sent, and how well it kept to the platform's limits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

# Answers that a bot gets for sending more, or later, than the platform allows.
OVER_BUDGET = (45015, 45047, 95001, 95002, 95018)
REPEATED = 95033


@dataclass(frozen=True, slots=True)
class Sent:
    """One message that the platform accepted; ``arrived`` is False when its delivery failed later.

    ``on_event`` says that it answered an event (a welcome, an ended session) and cost no budget.
    """

    account: str
    msgid: str
    kind: str
    text: str
    at: datetime
    arrived: bool = True
    on_event: bool = False


class Ledger:
    """One platform's books since its start or reset. Callers hold the world's lock.

    ``highest_use`` is the greatest number of messages that went out on one budget (of five after each of a customer's
    messages). ``refused`` counts what the platform itself answered with an error code, not the faults a test asked for.
    """

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.highest_use = 0
        self.refused: Counter[int] = Counter()

    @property
    def broken(self) -> int:
        """How often the bot tried to send beyond a budget, after its window, or while a person held the session."""
        return sum(self.refused[code] for code in OVER_BUDGET)

    @property
    def repeats(self) -> int:
        """How often the bot sent a msgid that had been accepted before."""
        return self.refused[REPEATED]

    def to(self, account: str) -> list[Sent]:
        """What was sent to one customer, oldest first."""
        return [each for each in self.sent if each.account == account]

    def spent(self, used: int) -> None:
        """Notes how much of a budget is used by now."""
        self.highest_use = max(self.highest_use, used)

    def clear(self) -> None:
        self.sent.clear()
        self.refused.clear()
        self.highest_use = 0
