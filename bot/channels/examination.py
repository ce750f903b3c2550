"""Looking at an account from outside: are id and secret right, may this machine call, may the account do what the
bot does, and does a callback find the way here. Nothing is sent to anybody, and no finding holds a secret.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, runtime_checkable

import requests
from urllib3.exceptions import NameResolutionError

from bot.channels.client import Transport
from bot.channels.tokens import Fetch
from bot.errors import BotError, PlatformError

Level = Literal["ok", "warn", "fail", "unknown"]

ANSWER_WITHIN = 1.0
"""Seconds the platform gives a verification: developer.work.weixin.qq.com, 回调配置."""
_PATIENCE = 5.0
_MOST_BYTES = 4096
_NOBODY = "o-qunda-doctor"

# Which code means which mistake. Sources: the lists of global return codes of both platforms.
_OA = "mp.weixin.qq.com, 设置与开发 > 开发接口管理 > 基本配置"
_OA_SECRET = (
    "the AppSecret is not that of this AppID",
    f"copy it again ({_OA}); a reset there makes the old one useless",
)
OFFICIAL_ACCOUNT_REFUSALS = {
    40001: _OA_SECRET,
    40125: _OA_SECRET,
    40013: ("the platform knows no such AppID", f"copy the AppID (wx…) from {_OA}"),
    40164: ("this machine's address{address} is not in the IP allowlist", f"add it under IP白名单 ({_OA})"),
    48001: (
        "the account has no right to send customer messages",
        "have the account verified (认证), or look under 设置与开发 > 接口权限 which rights it has",
    ),
    50007: ("the account is frozen", "see the notices in the console of mp.weixin.qq.com"),
}
_APP = "work.weixin.qq.com, 应用管理 > the app"
_NO_RIGHT = ("the secret has no right over this AgentId", f"copy AgentId and Secret of the same app ({_APP})")
WECOM_REFUSALS = {
    40001: ("the Secret is not that of an app of this corporation", f"copy it again ({_APP})"),
    40013: ("the platform knows no such CorpID", "copy it from work.weixin.qq.com, 我的企业 > 企业信息 > 企业ID"),
    40056: _NO_RIGHT,
    48002: _NO_RIGHT,
    60011: _NO_RIGHT,
    301002: _NO_RIGHT,
    60020: ("this machine's address{address} is not among the trusted ones", f"add it under 企业可信IP ({_APP})"),
}
_KF = "work.weixin.qq.com, 应用管理 > 微信客服"
_KF_BY_API = f"name the app under 可调用接口的应用, and the account under 通过API管理微信客服账号 ({_KF})"
KF_REFUSALS = {
    **WECOM_REFUSALS,
    48002: ("the app may not use the customer-service API", _KF_BY_API),
    60030: ("a servicer of the account cannot be seen by the app", f"put the servicers under 可见范围 ({_APP})"),
    95011: ("the account is not managed by API", _KF_BY_API),
    95012: ("the account is not managed by API", _KF_BY_API),
    95017: ("the customer-service API is switched off", _KF_BY_API),
}

Refusals = Mapping[int, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``unknown``: there is no way to tell. ``remedy`` is empty where none is needed."""

    level: Level
    what: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """The GET that a platform sends when an address is saved, and what must come back."""

    query: Mapping[str, str]
    echo: str


@runtime_checkable
class Examinable(Protocol):
    """A channel that can be looked at from outside."""

    def examine(self) -> Iterator[Finding]:
        """Asks the platform for a token and for the account's rights."""
        ...

    def verification(self, now: datetime, nonce: str) -> Verification:
        """A verification signed as the platform would sign it. ``nonce`` holds digits only."""
        ...


def examine_official_account(transport: Transport, fetch_token: Fetch) -> Iterator[Finding]:
    """Token and address first; then whether customer messages are allowed."""

    def rights(token: str) -> Finding:
        # "Is typing" to an openid that nobody has: refused for the right before it is refused for the person.
        body = {"touser": _NOBODY, "command": "Typing"}
        path = "/cgi-bin/message/custom/typing"
        try:
            transport.call("POST", path, repeatable=True, params={"access_token": token}, json=body)
        except PlatformError as error:
            if error.errcode not in (40003, 45080):
                raise
        return Finding("ok", "customer messages are allowed")

    return _examine(fetch_token, rights, OFFICIAL_ACCOUNT_REFUSALS)


def examine_wecom_app(transport: Transport, fetch_token: Fetch, agent_id: int) -> Iterator[Finding]:
    """Token first; then the app itself (document 90227), where the address counts too."""

    def rights(token: str) -> Finding:
        params = {"access_token": token, "agentid": agent_id}
        app = transport.call("GET", "/cgi-bin/agent/get", repeatable=True, params=params)
        if app.get("close"):
            return Finding("fail", "the app is switched off", f"switch it on ({_APP})")
        if not any(_visible(app)):
            remedy = f"put your staff under 可见范围 ({_APP})"
            return Finding("fail", "the app can be seen by nobody, so nobody can be written to", remedy)
        return Finding("ok", "the app is on, and this machine may use it")

    return _examine(fetch_token, rights, WECOM_REFUSALS)


def examine_wecom_kf(transport: Transport, fetch_token: Fetch, open_kfid: str) -> Iterator[Finding]:
    """Token first; then whether the account is among those that this app manages (document 94661)."""

    def rights(token: str) -> Finding:
        params, body = {"access_token": token}, {"offset": 0, "limit": 100}
        answer = transport.call("POST", "/cgi-bin/kf/account/list", repeatable=True, params=params, json=body)
        known = {each.get("open_kfid"): each for each in answer.get("account_list") or []}
        if open_kfid not in known:
            there = ", ".join(f"{name} ({each.get('name')})" for name, each in known.items())
            remedy = f"write one of these: {there}" if there else _KF_BY_API
            return Finding("fail", "the app knows no account with this open_kfid", remedy)
        if known[open_kfid].get("manage_privilege") is False:
            return Finding("fail", "the account is not managed by this app", _KF_BY_API)
        return Finding("ok", "the customer-service account is there, and this machine may use it")

    return _examine(fetch_token, rights, KF_REFUSALS)


def _visible(app: Mapping[str, Any]) -> Iterator[Any]:
    """The members, departments and labels that see the app."""
    for scope, key in (("allow_userinfos", "user"), ("allow_partys", "partyid"), ("allow_tags", "tagid")):
        value = app.get(scope)
        yield value.get(key) if isinstance(value, dict) else None


def _examine(fetch_token: Fetch, rights: Callable[[str], Finding], refusals: Refusals) -> Iterator[Finding]:
    try:
        token, _ = fetch_token()
    except (KeyError, ValueError):
        yield Finding("fail", "the platform's answer holds no token", "see whether api_base leads to the platform")
        return
    except BotError as error:
        yield _refused(error, refusals, "no token could be had", otherwise="fail")
        return
    yield Finding("ok", "the platform takes id and secret")
    try:
        yield rights(token)
    except BotError as error:
        yield _refused(error, refusals, "the account's rights are not known", otherwise="unknown")


def _refused(error: BotError, refusals: Refusals, outcome: str, *, otherwise: Level) -> Finding:
    """``otherwise``: the level of a permanent refusal whose code is not among ``refusals``."""
    if not isinstance(error, PlatformError):
        remedy = "see whether this machine reaches the internet (name service, firewall), and api_base"
        return Finding("fail", f"{outcome}: {error}", remedy)
    if error.errcode in refusals:
        what, remedy = refusals[error.errcode]
        address = f" ({error.detail})" if error.detail else ""
        return Finding("fail", f"{what.format(address=address)} (code {error.errcode})", remedy)
    if not error.permanent:
        return Finding("warn", f"{outcome}: {error}", "the platform is busy; try again in a minute")
    return Finding(otherwise, f"{outcome}: {error}", "look the code up in the platform's documents, and see api_base")


def examine_callback(address: str, verification: Verification) -> Finding:
    """Whether a verification, sent as the platform would send it, comes back with the right answer, and in time."""
    started = time.monotonic()
    try:
        status, body = _get(address, verification.query)
    except requests.exceptions.SSLError:
        return Finding(
            "fail",
            f"{address} has no certificate that can be trusted",
            "let the reverse proxy show a valid certificate with its whole chain (docs/deploying.md)",
        )
    except requests.Timeout:
        return Finding("fail", f"{address} does not answer within {_PATIENCE:g} s", _REACHING)
    except requests.RequestException as error:
        if _is_unknown_name(error):
            return Finding("fail", f"no machine is known by the name in {address}", "enter the name in your DNS")
        return Finding("fail", f"nobody listens at {address}", _REACHING)
    seconds = time.monotonic() - started
    if status == 200 and body == verification.echo:
        return _timed(address, seconds)
    return _strange_answer(address, status, body)


_REACHING = (
    "start Qunda, and see whether name, port and reverse proxy lead to it; a machine that cannot reach its own public "
    "address must be tried from outside (docs/deploying.md)"
)


def _get(address: str, query: Mapping[str, str]) -> tuple[int, str]:
    with requests.Session() as session:
        session.trust_env = False  # as the platform comes: through no proxy of ours
        with session.get(
            address, params=dict(query), timeout=_PATIENCE, allow_redirects=False, stream=True
        ) as response:
            body = next(response.iter_content(_MOST_BYTES), b"")
            return response.status_code, body.decode("utf-8", errors="replace")


def _is_unknown_name(error: requests.RequestException) -> bool:
    return isinstance(getattr(error.args[0] if error.args else None, "reason", None), NameResolutionError)


def _timed(address: str, seconds: float) -> Finding:
    if seconds > ANSWER_WITHIN:
        remedy = "see what the machine is busy with; the platform waits 1 s when the address is saved"
        return Finding("warn", f"{address} answers rightly, but after {seconds:.1f} s", remedy)
    return Finding("ok", f"{address} answers rightly in {seconds * 1000:.0f} ms")


def _strange_answer(address: str, status: int, body: str) -> Finding:
    """Statuses and words are those of bot/web.py; anything else was said by somebody in between."""
    what, remedy = f"{address} answers with status {status}", "see whether the reverse proxy passes /callback/ to Qunda"
    if status == 403 and body == "stale":
        what, remedy = f"{what}: the clocks differ", "set the clock of the machine that runs Qunda (NTP)"
    elif status == 403 and body == "forged":
        what += ": it works with another Token or EncodingAESKey than channels.yaml says now"
        remedy = "restart Qunda after a change of channels.yaml or .env"
    elif status == 404 and body == "unknown channel":
        what, remedy = f"{what}: it knows no such channel", "restart Qunda after a change of channels.yaml"
    elif status in (502, 503, 504):
        what, remedy = (
            f"{what}: the proxy does not reach Qunda",
            "start Qunda, and see the port in the proxy's settings",
        )
    elif 300 <= status < 400:
        what, remedy = f"{what}: it sends the caller elsewhere", "write the final address in QUNDA_BASE_URL (https://…)"
    elif status == 200:
        what, remedy = f"{address} answers with something else", f"{remedy}; another program answers there"
    return Finding("fail", what, remedy)
