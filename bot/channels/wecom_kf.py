"""A customer-service account (微信客服): residents write from their own WeChat, one to one.

The callback only says that something waits; ``kf/sync_msg`` gives it. Messages carry a key of our own, so that one
whose answer was lost may be sent again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import redis
import structlog

from bot.channels.budget import SendingBudget
from bot.channels.capabilities import WECOM_KF
from bot.channels.channel import Inbound, Outgoing, Page, Receipt, text_of
from bot.channels.client import Transport, WecomClient, wecom_token
from bot.channels.envelope import Envelope, Signature, check_age
from bot.channels.examination import Finding, Verification, examine_wecom_kf
from bot.channels.kf_message import message_of
from bot.channels.kf_session import Sessions, told_of_servicer
from bot.channels.tokens import AccessToken
from bot.channels.upload import upload
from bot.clock import Clock
from bot.errors import BotError, MalformedCallback, PlatformError
from bot.events import SESSION_CHANGED
from bot.message import Media, Message
from config.channels import WecomKfConfig

log = structlog.get_logger()

POKE = "kf_msg_or_event"
PAGE = 1000
_AMR = 0
_LONGEST_TOKEN = 128
# Limits of a menu in bytes (document 94677); what is longer leaves as text.
_LONGEST_TAIL, _LONGEST_ENTRY = 1024, 128

_SENT_ALREADY = 95033
_USED_UP = 95001
_NOT_NOW = frozenset({95002, 95018})
_TOKEN_OVER = 95007

_ACCEPTED_FOR = timedelta(hours=48)


class WecomKf:
    """One customer-service account of a corporation."""

    content_type = "text/plain; charset=utf-8"
    acknowledgement = ""

    def __init__(self, config: WecomKfConfig, connection: redis.Redis, clock: Clock) -> None:
        self.name = config.name
        self.capabilities = replace(WECOM_KF, pools=config.pool)
        self._config = config
        self._clock = clock
        self._redis = connection
        self._envelope = Envelope(config.token, config.aes_key, config.corp_id)
        self._transport = Transport(config.api_base)
        self._fetch_token = wecom_token(self._transport, config.corp_id, config.secret)
        token = AccessToken(config.name, self._fetch_token, connection, clock)
        self._budget = SendingBudget(config.name, self.capabilities.rates, connection, clock)
        self._client = WecomClient(config.corp_id, self._transport, token)
        self._sessions = Sessions(self._client, config.open_kfid)

    def verify(self, query: Mapping[str, str], now: datetime) -> str:
        return self._envelope.open_echo(query, now)

    def receive(self, query: Mapping[str, str], body: bytes, now: datetime) -> Inbound:
        """A callback has neither sender nor id: it says that messages of an account wait, and until when a token."""
        signature = Signature.of(query)
        check_age(signature.timestamp, now)
        fields = self._envelope.open_body(body, signature)
        if not text_of(fields, "MsgType"):
            raise MalformedCallback("the callback lacks its type")
        if text_of(fields, "Event") != POKE or text_of(fields, "OpenKfId") != self._config.open_kfid:
            return Inbound(None, "event:other")
        token = text_of(fields, "Token")
        return Inbound(None, f"event:{POKE}", poke=token if len(token) <= _LONGEST_TOKEN else "")

    def passive_reply(self, inbound: Inbound, text: str | None, now: datetime) -> str:
        """Nothing can be said in the HTTP answer."""
        return self.acknowledgement

    def pull(self, cursor: str, token: str) -> Page:
        """One page of the last three days (document 94670)."""
        try:
            answer = self._sync(cursor, token)
        except PlatformError as error:
            if error.errcode != _TOKEN_OVER or not token:
                raise
            answer = self._sync(cursor, "")
        now = self._clock.now()
        listed = answer.get("msg_list")
        entries = listed if isinstance(listed, list) else []
        messages = [self._read(entry, now) for entry in entries]
        page = tuple(message for message in messages if message is not None)
        passed_over = {_name(entry) for entry, message in zip(entries, messages, strict=True) if message is None}
        if passed_over:
            log.info("entries_passed_over", channel=self.name, kinds=sorted(passed_over))
        for entry in entries:
            if (serves := told_of_servicer(entry)) is not None:
                log.info("servicer_status", channel=self.name, serves=serves)
        for message in page:
            if message.event == SESSION_CHANGED:
                self._forget_contact(message.account)
        return Page(page, str(answer.get("next_cursor") or cursor), more=answer.get("has_more") == 1)

    def _read(self, entry: Any, now: datetime) -> Message | None:
        """One entry of a page; an odd one must not keep all the others from being read, now and for ever."""
        try:
            return message_of(self.name, entry, now)
        except Exception:
            log.exception("entry_unreadable", channel=self.name)
            return None

    def send(self, account: str, outgoing: Outgoing) -> Receipt | None:
        """Documents 94677 and 95122. A message that answers an event goes by its code, and costs no budget."""
        self._budget.take(account, outgoing.key)
        if outgoing.kind == "session":
            return self._change_session(account, outgoing)
        if outgoing.reply_code:
            self._say_on_event(outgoing.reply_code, outgoing)
            return None
        self._accept(account)
        whom = {"touser": account, "open_kfid": self._config.open_kfid, "msgid": outgoing.key}
        try:
            self._client.post("kf/send_msg", data={**whom, **self._content(outgoing)})
        except PlatformError as error:
            if error.errcode != _SENT_ALREADY:
                raise self._reason(account, error) from None
        return None

    def fetch(self, media: Media, limit: int) -> bytes:
        return self._client.download_media(media.platform_id, limit)

    def contact_way(self, scene: str) -> str:
        """The account's address for a scene of at most 32 characters of 0-9, a-z, A-Z, "_" and "-" (document 94665)."""
        body = {"open_kfid": self._config.open_kfid, "scene": scene}
        return str(self._client.post("kf/add_contact_way", data=body)["url"])

    def examine(self) -> Iterator[Finding]:
        return examine_wecom_kf(self._transport, self._fetch_token, self._config.open_kfid)

    def verification(self, now: datetime, nonce: str) -> Verification:
        return Verification(self._envelope.sealed_echo(nonce, now), echo=nonce)

    def _sync(self, cursor: str, token: str) -> dict[str, Any]:
        wanted = {"limit": PAGE, "voice_format": _AMR, "open_kfid": self._config.open_kfid}
        known = {name: value for name, value in (("cursor", cursor), ("token", token)) if value}
        answer: dict[str, Any] = self._client.post("kf/sync_msg", data={**wanted, **known}, repeatable=True)
        return answer

    def _change_session(self, account: str, outgoing: Outgoing) -> Receipt:
        receipt = self._sessions.change(account, outgoing, self._say_on_event)
        if receipt.get("session") == "ended":
            self._forget_contact(account)
        return receipt

    def _say_on_event(self, code: str, outgoing: Outgoing) -> None:
        body = {"code": code, "msgid": outgoing.key, **self._content(outgoing)}
        try:
            self._client.post("kf/send_msg_on_event", data=body)
        except PlatformError as error:
            if error.errcode != _SENT_ALREADY:
                raise

    def _content(self, outgoing: Outgoing) -> dict[str, Any]:
        if outgoing.kind in ("image", "voice"):
            return {"msgtype": outgoing.kind, outgoing.kind: {"media_id": upload(self._client, outgoing)}}
        menu = _menu(outgoing.data)
        if menu is not None:
            return {"msgtype": "msgmenu", "msgmenu": menu}
        return {"msgtype": "text", "text": {"content": outgoing.text}}

    def _accept(self, account: str) -> None:
        """At the first contact the session goes over to the bot (state 1). A message may be sent all the same."""
        try:
            first = self._redis.set(self._contact(account), 1, nx=True, ex=_ACCEPTED_FOR)
            if first:
                self._sessions.accept(account)
        except (redis.RedisError, BotError) as error:
            log.info("session_not_accepted", channel=self.name, error=getattr(error, "code", type(error).__name__))

    def _forget_contact(self, account: str) -> None:
        try:
            self._redis.delete(self._contact(account))
        except redis.RedisError as error:
            log.info("contact_not_forgotten", channel=self.name, error=type(error).__name__)

    def _contact(self, account: str) -> str:
        return f"qunda:contact:{self.name}:{account}"

    def _reason(self, account: str, error: PlatformError) -> BotError:
        """What a refusal means for whoever wrote the words; who speaks now is asked once."""
        if error.errcode == _USED_UP:
            return BotError("the five messages are used up", code="window_used_up")
        if error.errcode in _NOT_NOW:
            return self._sessions.why_closed(account)
        return error


def _menu(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """The menu as the platform takes it; None for words, and for a menu that is longer than it may be."""
    choices, tail = data.get("choices"), data.get("tail", "")
    if not choices or len(tail.encode()) > _LONGEST_TAIL:
        return None
    if any(not 0 < len(part.encode()) <= _LONGEST_ENTRY for choice in choices for part in choice):
        return None
    entries = [{"type": "click", "click": {"id": choice[0], "content": choice[1]}} for choice in choices]
    return {"head_content": data["head"], "list": entries, **({"tail_content": tail} if tail else {})}


def _name(entry: Any) -> str:
    if not isinstance(entry, dict):
        return "unreadable"
    event = entry.get("event")
    return str(event.get("event_type") if isinstance(event, dict) else entry.get("msgtype"))[:40]
