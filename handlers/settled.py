"""After a ticket was solved: the resident says whether it is so."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import timedelta

from bot.conversation import Turn
from bot.effects import Effects, Record
from bot.storage.store import Store
from bot.transaction import Transaction
from config.texts import Form, Texts
from escalation import tickets
from escalation.notices import Notices
from escalation.takeover import ASIDE, SETTLE, Takeover
from escalation.tickets import Ticket
from handlers.speaker import Speakers
from handlers.state import current, last_messages

# How long a bare "好了" is taken as the answer; words that name the matter count at any time.
_PLAIN_WORDS_COUNT = timedelta(days=3)

_DONE = "(?:解决|处理|办|弄|搞)(?:好|完|定|妥)?"
_YES = re.compile(rf"(?:问题|事情)?(?:已经|都|全)*{_DONE}[了啦]|已?解决|已办好|(?:很|非常|挺|比较)?满意了?")
_NO = re.compile(
    rf"(?:问题|事情)?(?:还是|还|都|根本|一直)*(?:没有?|未)(?:给我|帮我)?{_DONE}呢?|(?:很|非常|都|一点)*不满意[了啊]?"
    "|还是?(?:不行|不好|不对|没好|没用|老样子|那样|一样|坏的)"
)
_PLAIN_YES = re.compile("(?:好|行|还行|可以|还可以|对|是)[了的啦吧]*|嗯+|没有?(?:问题|事)了?|ok")
_PLAIN_NO = re.compile("(?:还|都)?没有?(?:呢|啊|好)?|不行|不是|(?:还|一直)?没收到")
_NEITHER = re.compile(
    "一般[吧般]?|凑合吧?|马马虎虎|勉强|还?不知道|不清楚|不好说|(?:我?再)?(?:看看|等等)(?:吧|再说)?|还没看"
)
_SIGN_YES = re.compile(r"(?:[\U0001F44D\U0001F44C\U0001F3FB-\U0001F3FF]|\[(?:强|ok|赞)\]|/:(?:strong|ok))+")
_SIGN_NO = re.compile(r"(?:[\U0001F44E\U0001F3FB-\U0001F3FF]|\[弱\]|/:weak)+")

_SIMPLIFIED = str.maketrans("決沒還滿處辦謝經問題對過說", "决没还满处办谢经问题对过说")
_LONGEST = 40
_LONGEST_CAUSE = 200

_NOISE = re.compile(r"[\W_]+")
_CLAUSES = re.compile(r"[\s，,。.!！；;、~～…]+")
_THANKS = re.compile(r"^(?:谢谢|多谢|感谢)+|(?:谢谢|多谢|感谢|辛苦)+(?:你们?|您|啦|了|团长|啊)*$")


def handle(turn: Turn, *, store: Store, speakers: Speakers, notices: Notices, texts: Texts) -> Effects | None:
    """Takes a yes or no while the question stands; anything else is not its own."""
    number: int | None = current(turn).get(SETTLE)
    text = turn.message.text
    if number is None or not text.strip():
        return None
    ticket = _solved(store, number)
    answer = _answer(text)
    if ticket is None or answer is None or not (answer.explicit or _plain_counts(turn, ticket)):
        # A "好的" after that speaks of what has been said in between.
        turn.facts["state"] = {**current(turn), ASIDE: True}
        return None
    if answer.word == "neither":
        return Effects(replies=(speakers.say(turn, "ticket.settled_or_not"),), note="settled:neither")
    state = {key: value for key, value in current(turn).items() if key not in (SETTLE, ASIDE)}
    record = _close(turn, ticket, speakers, texts)
    if answer.word == "no":
        record = _reopen(turn, ticket, speakers.of(turn).form, Takeover(notices, texts))
    return Effects(state=state, records=(record,), note=f"settled:{answer.word}")


@dataclass(frozen=True, slots=True)
class _Answer:
    """``word``: yes, no, or neither of them. ``explicit``: the words name the matter themselves."""

    word: str
    explicit: bool = False


def _answer(text: str) -> _Answer | None:
    plain = unicodedata.normalize("NFKC", text[:_LONGEST_CAUSE]).lower().translate(_SIMPLIFIED).strip()
    whole = _THANKS.sub("", _NOISE.sub("", plain[:_LONGEST]))
    for words, answer in _ANSWERS:
        if words.fullmatch(whole) and len(plain) <= _LONGEST:
            return answer
    for sign, answer in _SIGNS:
        if sign.fullmatch(_CLAUSES.sub("", plain)):
            return answer
    return _no_with_its_cause(plain)


def _no_with_its_cause(plain: str) -> _Answer | None:
    """ "没有，钱还没退": the first words say no, the rest why."""
    first, _, rest = _CLAUSES.sub("，", plain).partition("，")
    says_no = _NO.fullmatch(first) or (_PLAIN_NO.fullmatch(first) and first != "不是")
    return _Answer("no", explicit=_NO.fullmatch(first) is not None) if says_no and rest else None


def _solved(store: Store, number: int) -> Ticket | None:
    with store.read() as connection:
        ticket = tickets.find(connection, number)
    return ticket if ticket and ticket.status == "solved" else None


def _plain_counts(turn: Turn, ticket: Ticket) -> bool:
    """Whether a bare yes or no answers this question: it is fresh, and nothing else has been spoken of since."""
    fresh = ticket.solved_at is not None and turn.now - ticket.solved_at < _PLAIN_WORDS_COUNT
    return fresh and not current(turn).get("flow") and not current(turn).get(ASIDE)


def _close(turn: Turn, ticket: Ticket, speakers: Speakers, texts: Texts) -> Record:
    form = speakers.of(turn).form

    def close(tx: Transaction) -> None:
        if tickets.confirm(tx, ticket.id):
            tx.reply(texts.say("ticket.confirmed", form, label=ticket.label))

    return close


def _reopen(turn: Turn, ticket: Ticket, form: Form, takeover: Takeover) -> Record:
    messages = last_messages(turn)

    def reopen(tx: Transaction) -> None:
        reopened = takeover.reopen(tx, ticket, messages)
        if reopened is None:
            return
        again, supervisors = reopened
        key = "ticket.reopened" if supervisors else "ticket.reopened_without_supervisor"
        tx.reply(takeover.texts.say(key, form, label=again.label))

    return reopen


_ANSWERS = (
    (_YES, _Answer("yes", explicit=True)),
    (_NO, _Answer("no", explicit=True)),
    (_PLAIN_YES, _Answer("yes")),
    (_PLAIN_NO, _Answer("no")),
    (_NEITHER, _Answer("neither")),
)
_SIGNS = ((_SIGN_YES, _Answer("yes")), (_SIGN_NO, _Answer("no")))
