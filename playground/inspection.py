"""Looking inside the bot: its own records of a message, asked for over HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import requests

PATIENCE = 5.0  # seconds
PATIENCE_TO_FORGET = 30.0
KEPT_AS = {"template_card_event": "card"}  # under what word the bot keeps an event, where it is not the platform's


class NotToBeSeen(Exception):
    """The bot does not tell; the text says why, in words for whoever looks."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """The bot's ``/inspection/``, open to who has the token of this start."""

    bot_url: str = ""
    token: str = field(default="", repr=False)

    def of(self, channel: str, key: str) -> dict[str, Any]:
        """What the bot stored and understood of the message with this key (see ``message_key``).

        Raises ``NotToBeSeen``.
        """
        return self._call("GET", f"{channel}/message", PATIENCE, key=key)

    def forget(self) -> None:
        """Empties the bot's records and gives it the demo's people and orders anew. Raises ``NotToBeSeen``."""
        self._call("POST", "forget", PATIENCE_TO_FORGET)

    def _call(self, method: str, path: str, patience: float, **query: str) -> dict[str, Any]:
        if not self.token:
            raise NotToBeSeen("机器人没有打开内部查看。用 ./qunda up 启动的演示才有。")
        with requests.Session() as session:
            session.trust_env = False  # the bot is on this machine: no proxy
            try:
                response = session.request(
                    method,
                    f"{self.bot_url}/inspection/{path}",
                    params=query,
                    headers={"Authorization": f"Bearer {self.token}"},
                    timeout=patience,
                )
            except requests.RequestException:
                raise NotToBeSeen("连不上机器人，请看看 ./qunda up 是不是还在运行。") from None
        if response.status_code != 200:
            raise NotToBeSeen(f"机器人没有给看（HTTP {response.status_code}）：{response.text[:200]}")
        told: dict[str, Any] = response.json()
        return told


def message_key(fields: dict[str, str]) -> str:
    """By what the bot finds a callback again: sender, message id and time, or sender, time and event."""
    sender, created = fields["FromUserName"], fields["CreateTime"]
    if fields["MsgType"] == "event":
        event = fields["Event"].lower()
        return f"{sender}:{created}:{KEPT_AS.get(event, event)}"
    return f"{sender}:{fields['MsgId']}:{created}"
