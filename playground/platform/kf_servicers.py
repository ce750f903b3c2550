"""The servicers of a customer-service account, and what they do in WeCom's own client (documents 94645, 94669)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from playground.platform import kf_content
from playground.platform.callbacks import Delivery
from playground.platform.errors import ApiError
from playground.platform.kf_messages import SERVICER, MessageList
from playground.platform.kf_session import Session, Sessions, State
from playground.world import World

FROM_POOL, TRANSFERRED, OVER, AGAIN = 1, 2, 3, 4  # change types
SERVING = -1


class Servicers:
    """Who may serve, and who rests just now.

    ``name`` is the platform's, ``poke`` tells the bot that a message (msgid, account) is there to be read.
    """

    def __init__(
        self,
        name: str,
        world: World,
        userids: Collection[str],
        *,
        messages: MessageList,
        sessions: Sessions,
        poke: Callable[[str, str], Delivery],
    ) -> None:
        self.name = name
        self.world = world
        self.messages = messages
        self.sessions = sessions
        self.poke = poke
        self._stop_types = dict.fromkeys(userids, SERVING)

    def all_serve(self) -> None:
        self._stop_types = dict.fromkeys(self._stop_types, SERVING)

    def named(self, userid: str) -> Servicer:
        """One of them at work. Raises ``KeyError`` for anybody else."""
        if userid not in self._stop_types:
            raise KeyError(f"{userid} is no servicer; known are {', '.join(sorted(self._stop_types))}")
        return Servicer(userid, self)

    def set_stop_type(self, userid: str, stop_type: int) -> None:
        self._stop_types[userid] = stop_type

    def free(self, userid: object) -> str:
        """The userid of one who takes sessions. Raises ``ApiError``: 95014 for no servicer, 95019 for one who rests."""
        if not isinstance(userid, str) or userid not in self._stop_types:
            raise ApiError(95014)
        if self._stop_types[userid] != SERVING:
            raise ApiError(95019)
        return userid

    def told(self) -> list[dict[str, Any]]:
        """As ``kf/servicer/list`` tells of them. Here 1 means stopped, where the event writes 2."""
        return [
            {"userid": userid, "status": 0} if stop == SERVING else {"userid": userid, "status": 1, "stop_type": stop}
            for userid, stop in self._stop_types.items()
        ]


class Servicer:
    """A servicer in WeCom's client. Each act is told to the bot by an event; an impossible one is a ``ValueError``."""

    def __init__(self, userid: str, servicers: Servicers) -> None:
        self.userid = userid
        self._all = servicers
        self._sessions = servicers.sessions
        self._messages = servicers.messages
        self._changed = servicers.world.changed

    def say(self, account: str, words: str) -> Delivery:
        """Writes to a customer whose session she serves, or which has ended and so becomes hers."""
        with self._changed:
            session = self._sessions.of(account)
            if session.state is State.ENDED:
                session.serve(self.userid)
                self._note_change(account, AGAIN, old_servicer_userid=self.userid, new_servicer_userid=self.userid)
            self._check_serves(session)
            key = self._messages.note(kf_content.text(words), SERVICER, account, self.userid)
            self._all.world.show(self._all.name, account, "staff", "text", words, name=self.userid)
        return self._all.poke(key, account)

    def take(self, account: str) -> Delivery:
        """Takes a customer from the pool."""
        with self._changed:
            session = self._sessions.of(account)
            if session.state is not State.POOL:
                raise ValueError(f"{account} does not wait in the pool")
            session.serve(self.userid)
            code = self._sessions.code_of_state(account)
            key = self._note_change(account, FROM_POOL, new_servicer_userid=self.userid, msg_code=code)
        return self._all.poke(key, account)

    def transfer(self, account: str, to: str) -> Delivery:
        """Gives a session of hers to another servicer."""
        with self._changed:
            session = self._sessions.of(account)
            self._check_serves(session)
            session.serve(self._all.named(to).userid)
            key = self._note_change(account, TRANSFERRED, old_servicer_userid=self.userid, new_servicer_userid=to)
        return self._all.poke(key, account)

    def end(self, account: str) -> Delivery:
        """Ends a session of hers."""
        with self._changed:
            session = self._sessions.of(account)
            self._check_serves(session)
            session.end()
            code = self._sessions.code_of_state(account)
            key = self._note_change(account, OVER, old_servicer_userid=self.userid, msg_code=code)
        return self._all.poke(key, account)

    def stop_serving(self, *, pausing: bool = False) -> Delivery:
        """Takes no new sessions from now on; ``pausing`` only hangs up for a while."""
        with self._changed:
            self._all.set_stop_type(self.userid, int(pausing))
        return self._event("servicer_status_change", "", status=2, stop_type=int(pausing))

    def serve_again(self) -> Delivery:
        with self._changed:
            self._all.set_stop_type(self.userid, SERVING)
        return self._event("servicer_status_change", "", status=1)

    def recall(self, account: str, msgid: str) -> Delivery:
        """Takes a message of hers back."""
        return self._event("servicer_recall_msg", account, recall_msgid=msgid)

    def refuse(self, account: str, *, refuses: bool = True) -> Delivery:
        """Refuses a customer's messages, or takes them again."""
        return self._event("reject_customer_msg_switch_change", account, reject_switch=int(refuses))

    def _event(self, event_type: str, account: str, **fields: str | int) -> Delivery:
        with self._changed:
            key = self._messages.note_event(event_type, account, servicer_userid=self.userid, **fields)
        return self._all.poke(key, account)

    def _note_change(self, account: str, change_type: int, **fields: str) -> str:
        return self._messages.note_event("session_status_change", account, change_type=change_type, **fields)

    def _check_serves(self, session: Session) -> None:
        if session.state is not State.PERSON or session.servicer != self.userid:
            raise ValueError(f"{self.userid} does not serve this session")
