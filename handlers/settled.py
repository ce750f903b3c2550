"""After a ticket was solved: the resident says whether it is so."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import timedelta

from bot.conversation import Turn
from bot.effects import Effects
from bot.storage.store import Store
from bot.transaction import Transaction
from config.texts import Form, Texts
from escalation import tickets
from escalation.notices import Notices
from escalation.takeover import SETTLE, Takeover
from escalation.tickets import Ticket
from handlers.speaker import Speakers
from handlers.state import current

# How long a bare "好了" is taken as the answer; words that name the matter count at any time.
_PLAIN_WORDS_COUNT = timedelta(days=3)

_DONE = "(?:解决|处理|办|弄|搞)(?:好|完|定|妥)?"
_YES = re.compile(rf"(?:问题|事情)?(?:已经|都|全)*{_DONE}[了啦]|已?解决|已办好|(?:很|非常|挺|比较)?满意了?")
_NO = re.compile(rf"(?:问题|事情)?(?:还|都|根本|一直)*(?:没有?|未)(?:给我|帮我)?{_DONE}呢?|(?:很|非常|都|一点)*不满意")
_PLAIN_YES = re.compile("(?:好|行|可以|对|是)[了的啦]?|嗯+|没有?(?:问题|事)了?|ok")
_PLAIN_NO = re.compile("(?:还|都)?没有?(?:呢|啊|好)?|不行|不是|(?:还|一直)?没收到")

_SIMPLIFIED = str.maketrans("決沒還滿處辦謝經問題對過說", "决没还满处办谢经问题对过说")
_LONGEST = 40

_NOISE = re.compile(r"[\W_]+")
_THANKS = re.compile(r"^(?:谢谢|多谢|感谢)+|(?:谢谢|多谢|感谢|辛苦)+(?:你们?|您|啦|了|团长|啊)*$")


def handle(turn: Turn, *, store: Store, speakers: Speakers, notices: Notices, texts: Texts) -> Effects | None:
    """Takes a plain yes or no while the question stands; anything else is not its own."""
    number: int | None = current(turn).get(SETTLE)
    settled = _answer(turn.message.text)
    if number is None or settled is None:
        return None
    ticket = _solved(store, number)
    if ticket is None or (not settled.explicit and not _plain_counts(turn, ticket)):
        return None
    state = {key: value for key, value in current(turn).items() if key != SETTLE}
    form = speakers.of(turn).form

    def close(tx: Transaction) -> None:
        if tickets.confirm(tx, ticket.id):
            tx.reply(texts.say("ticket.confirmed", form, label=ticket.label))

    def reopen(tx: Transaction) -> None:
        _reopen(tx, ticket, form, Takeover(notices, texts))

    return Effects(state=state, records=(close if settled.yes else reopen,), note=f"settled:{settled.word}")


@dataclass(frozen=True, slots=True)
class _Settled:
    """``explicit``: the words name the matter themselves."""

    yes: bool
    explicit: bool

    @property
    def word(self) -> str:
        return "yes" if self.yes else "no"


def _answer(text: str) -> _Settled | None:
    plain = unicodedata.normalize("NFKC", text[:_LONGEST]).lower().translate(_SIMPLIFIED)
    plain = _THANKS.sub("", _NOISE.sub("", plain))
    return next((settled for words, settled in _ANSWERS if words.fullmatch(plain)), None)


def _solved(store: Store, number: int) -> Ticket | None:
    with store.read() as connection:
        ticket = tickets.find(connection, number)
    return ticket if ticket and ticket.status == "solved" else None


def _plain_counts(turn: Turn, ticket: Ticket) -> bool:
    """Whether a bare yes or no answers this question: it is fresh, and no dialogue has asked another since."""
    fresh = ticket.solved_at is not None and turn.now - ticket.solved_at < _PLAIN_WORDS_COUNT
    return fresh and not current(turn).get("flow")


def _reopen(tx: Transaction, ticket: Ticket, form: Form, takeover: Takeover) -> None:
    reopened = takeover.reopen(tx, ticket)
    if reopened is None:
        return
    again, supervisors = reopened
    key = "ticket.reopened" if supervisors else "ticket.reopened_without_supervisor"
    tx.reply(takeover.texts.say(key, form, label=again.label))


_ANSWERS = (
    (_YES, _Settled(yes=True, explicit=True)),
    (_NO, _Settled(yes=False, explicit=True)),
    (_PLAIN_YES, _Settled(yes=True, explicit=False)),
    (_PLAIN_NO, _Settled(yes=False, explicit=False)),
)
