"""Who serves a customer: the bot, a servicer in WeCom's client, the platform's queue, or nobody any more.

Source: developer.work.weixin.qq.com documents 94669 (states) and 94695 (servicers).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any

import structlog

from bot.channels.channel import SESSION_STAYS, Outgoing, Receipt
from bot.channels.client import WecomClient
from bot.errors import BotError, PlatformError

log = structlog.get_logger()


class State(IntEnum):
    """``service_state``. The API may send in the first two only."""

    NEW = 0
    BOT = 1
    POOL = 2
    PERSON = 3
    ENDED = 4


class Listed(IntEnum):
    """``status`` in ``kf/servicer/list``. The event servicer_status_change counts from one instead of zero."""

    SERVING = 0
    STOPPED = 1


class Told(IntEnum):
    """``status`` in the event servicer_status_change."""

    SERVING = 1
    STOPPED = 2


def told_of_servicer(entry: Any) -> bool | None:
    """Whether a servicer serves again or has stopped, as an entry of the message list tells; None for any other."""
    event = entry.get("event") if isinstance(entry, dict) else None
    if not isinstance(event, dict) or event.get("event_type") != "servicer_status_change":
        return None
    return bool(event.get("status") == Told.SERVING)


SESSIONS: Mapping[State, str] = {
    State.NEW: "",
    State.BOT: "",
    State.POOL: "pool",
    State.PERSON: "person",
    State.ENDED: "ended",
}
_TARGETS = {"person": State.PERSON, "pool": State.POOL, "ended": State.ENDED}

# The session has ended; not a servicer, or not active; not a move that is allowed; the servicer has stopped.
_IMPOSSIBLE = frozenset({95013, 95014, 95016, 95019})

SayOnEvent = Callable[[str, Outgoing], None]


class Sessions:
    """Asks for and changes the state of one account's sessions."""

    def __init__(self, client: WecomClient, open_kfid: str) -> None:
        self._client = client
        self._open_kfid = open_kfid

    def accept(self, account: str) -> None:
        """The bot serves this customer from now on. Raises BotError where that is not possible."""
        self._move(account, State.BOT)

    def why_closed(self, account: str) -> BotError:
        """Why nothing can be sent to a customer: somebody else serves her, or the time is over."""
        session = SESSIONS[self._state(account)]
        return BotError("not to be sent now", code=f"session_{session}" if session else "window_closed")

    def change(self, account: str, outgoing: Outgoing, say: SayOnEvent) -> Receipt:
        """Carries out a row of the kind "session"; its receipt tells who speaks from now on.

        ``data``: "to" is "person" (with "staff", the servicer), "pool" or "ended" (with words to part with, if there
        are any); "look" only asks. A servicer who is off duty gets nothing: the session stays with the bot. Raises
        BotError with the code ``SESSION_STAYS``, or that of whoever serves the customer instead.
        """
        if "to" not in outgoing.data:
            return self._look(account)
        target, staff = _TARGETS[outgoing.data["to"]], outgoing.data.get("staff", "")
        if target is State.PERSON and not self._serves(staff):
            return {}
        try:
            code = self._move(account, target, staff)
        except PlatformError as error:
            if error.errcode not in _IMPOSSIBLE:
                raise
            self._check_is_there(account, target)
            code = ""
        if target is State.ENDED and outgoing.text:
            return {"session": SESSIONS[target], "parted": self._part(code, outgoing, say)}
        return {"session": SESSIONS[target]}

    def _look(self, account: str) -> Receipt:
        try:
            session = SESSIONS[self._state(account)]
        except PlatformError as error:
            log.info("session_unknown", error=error.code)
            return {}
        # One that has ended begins anew with the person's next message, as one that is the bot's goes on.
        return {"session": session}

    def _check_is_there(self, account: str, target: State) -> None:
        """A lost answer leads to a second try, which finds the state as it was wanted."""
        state = self._state(account)
        if state is not target:
            session = SESSIONS[state]
            raise BotError("the session stays as it is", code=f"session_{session}" if session else SESSION_STAYS)

    def _part(self, code: str, outgoing: Outgoing, say: SayOnEvent) -> bool:
        try:
            if code:
                say(code, outgoing)
        except BotError as error:
            # The session has ended all the same, and nothing else can be said in it.
            log.warning("parting_words_lost", error=error.code)
            return False
        return bool(code)

    def _serves(self, staff: str) -> bool:
        answer = self._client.get("kf/servicer/list", params={"open_kfid": self._open_kfid}, repeatable=True)
        listed = answer.get("servicer_list")
        servicers = listed if isinstance(listed, list) else []
        return any(each.get("userid") == staff and each.get("status") == Listed.SERVING for each in servicers)

    def _state(self, account: str) -> State:
        body = {"open_kfid": self._open_kfid, "external_userid": account}
        answer: dict[str, Any] = self._client.post("kf/service_state/get", data=body, repeatable=True)
        return State(answer["service_state"])

    def _move(self, account: str, target: State, staff: str = "") -> str:
        """The code that some changes come with, and with which one message may be sent."""
        body = {"open_kfid": self._open_kfid, "external_userid": account, "service_state": int(target)}
        named = {"servicer_userid": staff} if staff else {}
        answer = self._client.post("kf/service_state/trans", data={**body, **named}, repeatable=True)
        return str(answer.get("msg_code", ""))
