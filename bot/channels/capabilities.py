"""What a channel can and cannot do; nobody else knows the platforms' rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The platform's rules for one channel.

    ``reply_deadline``: seconds after which the platform cuts the callback and tries again.
    ``reply_margin``: seconds after which a reply no longer goes into the HTTP answer.
    ``window`` / ``window_messages``: how long after a person's message, and how many messages, may be sent to them;
    None means no such limit. ``text_bytes``: the longest text in UTF-8 bytes.
    ``repeats_are_dropped``: the platform drops a text sent twice, so an unknown result may be repeated.
    """

    reply_deadline: float
    reply_margin: float
    window: timedelta | None
    window_messages: int | None
    text_bytes: int
    repeats_are_dropped: bool


# Passive reply within 5 s; 5 customer messages within 48 h of the person's last message; 2048 bytes of text.
# Source: developers.weixin.qq.com, Passive_user_reply_message and Customer_Service_Messages.
OFFICIAL_ACCOUNT = Capabilities(
    reply_deadline=5.0,
    reply_margin=3.5,
    window=timedelta(hours=48),
    window_messages=5,
    text_bytes=2048,
    repeats_are_dropped=False,
)

# Source: developer.work.weixin.qq.com documents 90236 (message/send) and 90238 (callbacks).
WECOM_APP = Capabilities(
    reply_deadline=5.0,
    reply_margin=3.5,
    window=None,
    window_messages=None,
    text_bytes=2048,
    repeats_are_dropped=True,
)
