"""``channels.yaml``: which accounts of which platform the bot speaks through, and their credentials."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs

from config.settings import web_address
from config.yaml_file import YamlFile, read_yaml


@dataclass(frozen=True, slots=True)
class OfficialAccountConfig:
    """A WeChat official account (公众号) in encrypted mode.

    ``verified``: the account may send customer messages (客服消息); without that right everything must fit into the
    answer to a message. ``notification_template``: a subscription message (订阅通知) that carries the words when
    the reply window is closed; empty: none. ``notification_fields``: what each of its fields shows: words, number (of
    the matter), time, or a Chinese text as it stands.
    """

    name: str
    app_id: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    aes_key: str = field(repr=False)
    api_base: str = "https://api.weixin.qq.com"
    verified: bool = True
    notification_template: str = ""
    notification_fields: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({"thing1": "words"}))


@dataclass(frozen=True, slots=True)
class WecomAppConfig:
    """A self-built WeCom app (企业微信自建应用)."""

    name: str
    corp_id: str
    agent_id: int
    secret: str = field(repr=False)
    token: str = field(repr=False)
    aes_key: str = field(repr=False)
    api_base: str = "https://qyapi.weixin.qq.com"


@dataclass(frozen=True, slots=True)
class WecomKfConfig:
    """A customer-service account (微信客服). ``pool``: residents whom nobody serves wait in the platform's queue."""

    name: str
    corp_id: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    aes_key: str = field(repr=False)
    open_kfid: str
    api_base: str = "https://qyapi.weixin.qq.com"
    pool: bool = False


@dataclass(frozen=True, slots=True)
class WecomAibotConfig:
    """A smart bot (智能机器人) in internal groups; ``bot_name`` is what members write after the @."""

    name: str
    token: str = field(repr=False)
    aes_key: str = field(repr=False)
    api_base: str = "https://qyapi.weixin.qq.com"
    bot_name: str = ""


@dataclass(frozen=True, slots=True)
class GroupWebhookConfig:
    """The staff's own group, which alerts are written to (群机器人). ``url`` holds its key and is a secret."""

    name: str
    url: str = field(repr=False)


ChannelConfig = OfficialAccountConfig | WecomAppConfig | WecomKfConfig | WecomAibotConfig | GroupWebhookConfig

KINDS: dict[str, type[ChannelConfig]] = {
    "official_account": OfficialAccountConfig,
    "wecom_app": WecomAppConfig,
    "wecom_kf": WecomKfConfig,
    "wecom_aibot": WecomAibotConfig,
    "group_webhook": GroupWebhookConfig,
}
_SHOWN = ("words", "number", "time")
_SWITCHES = frozenset({"verified", "pool"})
_NAME = re.compile(r"[a-z0-9-]{1,32}")


def load_channels(path: Path, environ: Mapping[str, str]) -> tuple[ChannelConfig, ...]:
    """Reads all channels of the file, in its order.

    Raises ConfigError with file, line, problem and remedy for the first thing that is wrong; no secret is shown.
    """
    file = read_yaml(path, environ)
    if not isinstance(file.value, dict) or not file.value:
        raise file.error("no channel is named here", "write a name and under it kind, token and so on")
    return tuple(_channel(file, name, entry) for name, entry in file.value.items())


def _channel(file: YamlFile, name: Any, entry: Any) -> ChannelConfig:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise file.error(
            f"{name!r} cannot be a channel's name", "use 1 to 32 of a-z, 0-9 and -; it becomes part of an address", name
        )
    if not isinstance(entry, dict):
        raise file.error(f"the channel {name} has no settings", "write kind, token and so on under it", name)
    config = _kind(file, name, entry)
    _check_keys(file, name, entry, config)
    values: dict[str, Any] = {key: _value(file, name, key, value) for key, value in entry.items() if key != "kind"}
    return config(name=name, **values)


def _kind(file: YamlFile, name: str, entry: Mapping[Any, Any]) -> type[ChannelConfig]:
    kind = entry.get("kind")
    if isinstance(kind, str) and kind in KINDS:
        return KINDS[kind]
    if kind is None:
        raise file.error(f"the channel {name} has no kind", f"write kind: {' or '.join(KINDS)}", name)
    raise file.error(f"there is no kind {kind!r}", _suggestion(str(kind), list(KINDS)), name, "kind")


def _check_keys(file: YamlFile, name: str, entry: Mapping[Any, Any], config: type[ChannelConfig]) -> None:
    known = {
        part.name: part.default is MISSING and part.default_factory is MISSING
        for part in fields(config)
        if part.name != "name"
    }
    for key in entry:
        if key not in known and key != "kind":
            raise file.error(f"{key!r} is not a setting of this kind", _suggestion(str(key), list(known)), name, key)
    for key, required in known.items():
        if key not in entry and required:
            raise file.error(f"the channel {name} lacks {key}", f"add a line {key}: …", name)


def _value(file: YamlFile, name: str, key: str, value: Any) -> str | int | bool | Mapping[str, str]:
    if key == "agent_id":
        return _agent_id(file, name, value)
    if key in _SWITCHES:
        if not isinstance(value, bool):
            raise file.error(f"{key} is neither true nor false", f"write {key}: true or {key}: false", name, key)
        return value
    if key == "notification_fields":
        return _notification_fields(file, name, value)
    if value is None or value == "":
        raise file.error(f"{key} is empty", "copy it from the platform's console", name, key)
    if not isinstance(value, str):
        raise file.error(f"{key} must be a text", 'put it in quotes: "…"', name, key)
    if value != value.strip():
        raise file.error(f"{key} has blanks around it", "take them away", name, key)
    if key == "aes_key":
        _check_aes_key(file, name, value)
    if key == "api_base":
        return _api_base(file, name, value)
    if key == "url":
        _check_webhook(file, name, value)
    return value


def _agent_id(file: YamlFile, name: str, value: Any) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,12}", str(value)):
        raise file.error("agent_id is not a number", "copy the AgentId of the app, such as 1000002", name, "agent_id")
    return int(value)


def _notification_fields(file: YamlFile, name: str, value: Any) -> Mapping[str, str]:
    remedy = f"write it such as {{thing1: words, time2: time}}; each shows one of {', '.join(_SHOWN)} or a Chinese text"
    if not isinstance(value, dict) or not value or not all(isinstance(key, str) for key in value):
        raise file.error("notification_fields names no fields", remedy, name, "notification_fields")
    for shown in value.values():
        if shown not in _SHOWN and (not isinstance(shown, str) or shown.isascii()):
            raise file.error(f"a field cannot show {shown!r}", remedy, name, "notification_fields")
    return MappingProxyType(dict(value))


def _check_aes_key(file: YamlFile, name: str, value: str) -> None:
    """43 characters that are the base64 of 32 bytes without the last "=" (developer.work.weixin.qq.com 90968)."""
    remedy = "copy the EncodingAESKey from the platform's console, all 43 characters"
    if len(value) != 43:
        raise file.error(f"aes_key has {len(value)} characters instead of 43", remedy, name, "aes_key")
    try:
        base64.b64decode(value + "=", validate=True)
    except (binascii.Error, ValueError):
        raise file.error("aes_key holds characters that cannot be in it", remedy, name, "aes_key") from None


def _api_base(file: YamlFile, name: str, value: str) -> str:
    parts = web_address(value)
    if parts is None or parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise file.error(
            "api_base is not a bare web address",
            "write scheme and host only, such as https://api.weixin.qq.com",
            name,
            "api_base",
        )
    return value.rstrip("/")


def _check_webhook(file: YamlFile, name: str, value: str) -> None:
    """Source: developer.work.weixin.qq.com document 99110. The address is not shown: its key is a secret."""
    parts = web_address(value)
    if parts is None or parts.path != "/cgi-bin/webhook/send" or len(parse_qs(parts.query).get("key", [])) != 1:
        remedy = "copy the Webhook address of the group's robot, https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…"
        raise file.error("url is not the address of a group robot", remedy, name, "url")


def _suggestion(word: str, known: list[str]) -> str:
    near = get_close_matches(word, known, n=1)
    return f"did you mean {near[0]}?" if near else f"write one of {', '.join(known)}"
