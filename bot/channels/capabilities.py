"""What a channel can and cannot do; nobody else knows the platforms' rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Literal

from bot.channels.template_card import MOST_BUTTONS

Repeats = Literal["never", "same_text", "same_key"]
"""When an unknown result may be tried again: never; texts only, as the platform drops a text sent twice; or anything,
as the platform knows the key of every message."""


@dataclass(frozen=True, slots=True)
class Window:
    """What somebody's act opens: so many ``messages`` to them, no later than ``length`` after it."""

    length: timedelta
    messages: int


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``messages`` within ``seconds``, to each person or on the whole channel."""

    messages: int
    seconds: int
    per: Literal["person", "channel"]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The platform's rules for one channel.

    ``reads_groups`` and ``writes_groups``: group chats at all. ``pushes``: may speak when nobody has just written;
    without it, words wait for the person's next message. ``pulled``: its messages are fetched, and its callbacks only
    say that there are some.
    ``reply_deadline``: seconds after which the platform cuts the callback; ``tries``: how often it delivers one.
    ``reply_margin``: seconds after which a reply no longer goes into the HTTP answer; None: it never does.
    ``window``: what a person's message opens, None for no such limit; ``event_windows``: what an event opens.
    ``rates``: how fast it may send. ``merges``: texts that wait leave as one message, to spare the budget.
    ``text_bytes``: the longest text in UTF-8 bytes. ``sends`` and ``hears``: the kinds of messages it can carry.
    ``menu_choices``: how many choices a tappable menu may have; 0: a menu becomes a numbered text. ``answer_buttons``:
    how many of them may then stand as buttons under the words in an HTTP answer.
    ``streams``: an HTTP answer may be left open; the platform asks again for the rest.
    ``of_members``: its accounts are members of the corporation, who can be mentioned in its groups.
    ``voice_in_words``: voice messages may come with their words.
    ``reply_code_lives``: how long the code of an event may be used.
    ``hands_over``: somebody can go on with a chat in the platform's own client; whoever does is known by an account
    there, which nothing can be written to. ``pools``: until then it waits in the platform's own queue.
    """

    reply_deadline: float
    reply_margin: float | None
    window: Window | None
    text_bytes: int
    repeats: Repeats
    tries: int = 3
    reads_groups: bool = False
    writes_groups: bool = False
    pushes: bool = True
    pulled: bool = False
    event_windows: Mapping[str, Window] = field(default_factory=lambda: MappingProxyType({}))
    rates: tuple[Rate, ...] = ()
    merges: bool = False
    notifies: bool = False
    typing: bool = False
    sends: frozenset[str] = frozenset({"text", "image", "voice"})
    hears: frozenset[str] = frozenset({"text", "image", "voice", "video", "file", "location", "link"})
    menu_choices: int = 0
    answer_buttons: int = 0
    streams: bool = False
    of_members: bool = False
    voice_in_words: bool = False
    reply_code_lives: timedelta | None = None
    hands_over: bool = False
    pools: bool = False


_ONE_MINUTE = Window(timedelta(minutes=1), 3)

# Passive reply within 5 s; 5 customer messages within 48 h of the person's last message, 3 in a minute after a scan,
# a tap on the menu or following; 2048 bytes of text.
# Source: developers.weixin.qq.com, Passive_user_reply_message and Customer_Service_Messages.
OFFICIAL_ACCOUNT = Capabilities(
    reply_deadline=5.0,
    reply_margin=3.5,
    window=Window(timedelta(hours=48), 5),
    text_bytes=2048,
    repeats="never",
    event_windows=MappingProxyType({"subscribe": _ONE_MINUTE, "click": _ONE_MINUTE, "scan": _ONE_MINUTE}),
    typing=True,
    voice_in_words=True,
)

# Source: developer.work.weixin.qq.com documents 90236 (message/send), 90238 (callbacks) and 90454 (30 messages a
# minute to a member; what is over that is dropped without a word).
WECOM_APP = Capabilities(
    reply_deadline=5.0,
    reply_margin=3.5,
    window=None,
    text_bytes=2048,
    repeats="same_text",
    of_members=True,
    sends=frozenset({"text", "image", "voice", "video", "card"}),
    rates=(Rate(30, 60, "person"), Rate(1000, 3600, "person")),
)

# Five messages within 48 hours after each of the person's own, text of 2048 bytes, menus of ten entries, a key of our
# own for each message; a code of an event holds for 20 seconds; 10 000 calls a minute and 150 000 an hour. Nothing can
# be said in the HTTP answer, which has to come within five seconds.
# Source: developer.work.weixin.qq.com documents 94670 (sync_msg), 94677 (send_msg), 95122 (events), 90454 (rates).
WECOM_KF = Capabilities(
    reply_deadline=5.0,
    reply_margin=None,
    window=Window(timedelta(hours=48), 5),
    text_bytes=2048,
    repeats="same_key",
    pulled=True,
    rates=(Rate(10_000, 60, "channel"), Rate(150_000, 3600, "channel")),
    merges=True,
    sends=frozenset({"text", "image", "voice", "menu", "session"}),
    hears=frozenset({"text", "image", "voice", "video", "file", "location", "link", "other"}),
    menu_choices=10,
    reply_code_lives=timedelta(seconds=20),
    hands_over=True,
)

# A callback bot cannot speak unasked: there is the answer to a message, left open for up to six minutes, and one more
# through its response_url within an hour. The platform lets three messages of a member wait for their answers at once;
# of groups it hears text and pictures in which the bot is called. Voice messages come as words. An answer may bring one
# card with six buttons.
# Source: developer.work.weixin.qq.com documents 100719 (messages), 101031 (answers), 101032 (cards), 101138
# (response_url).
WECOM_AIBOT = Capabilities(
    reply_deadline=5.0,
    reply_margin=3.5,
    window=Window(timedelta(hours=1), 1),
    text_bytes=20480,
    repeats="never",
    reads_groups=True,
    writes_groups=True,
    event_windows=MappingProxyType({"card": Window(timedelta(hours=1), 1)}),
    merges=True,
    sends=frozenset({"text"}),
    hears=frozenset({"text", "image", "voice", "video", "file"}),
    answer_buttons=MOST_BUTTONS,
    streams=True,
    of_members=True,
    voice_in_words=True,
)

# Source: developer.work.weixin.qq.com document 99110.
GROUP_WEBHOOK = Capabilities(
    reply_deadline=0.0,
    reply_margin=None,
    window=None,
    text_bytes=2048,
    repeats="never",
    writes_groups=True,
    rates=(Rate(20, 60, "channel"),),
    merges=True,
    sends=frozenset({"text"}),
    hears=frozenset(),
)
