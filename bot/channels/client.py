"""Calls to the platforms: wechatpy builds the requests, this file sends them safely.

wechatpy's own transport retries without end, knows one token host only, has no time limit and puts tokens into the
texts of its errors; so its ``_request`` is replaced as a whole.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import NewConnectionError
from wechatpy.client import WeChatClient as OfficialAccountApi
from wechatpy.enterprise.client import WeChatClient as WecomApi

from bot.channels.tokens import AccessToken, Fetch
from bot.errors import MediaTooLarge, PlatformError, PlatformUnreachable, ResultUnknown

CONNECT_SECONDS = 3.0
READ_SECONDS = 5.0
DOWNLOAD_SECONDS = 30.0
_PART = 10 * 1024 * 1024
_ONLY_IN_PARTS = 830002

TOKEN_REFUSED = frozenset({40001, 40014, 42001})
# "invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist"; "not allow to access from your ip, … from ip: 1.2.3.4"
_ADDRESS_REFUSED = frozenset({40164, 60020})
_ADDRESS = re.compile(r"(?<=ip )[0-9a-f.:]+|(?<=from ip: )[0-9a-f.:]+")
# Busy, or over a rate that refills: the same request may succeed later.
_TRANSIENT = frozenset({-1, 45009, 45011, 45033})


class Transport:
    """Sends requests to one ``api_base`` with time limits; its errors never hold a URL, a token or a secret."""

    def __init__(self, api_base: str) -> None:
        self._base = api_base.rstrip("/")
        self._http = requests.Session()
        self._http.trust_env = False

    def call(self, method: str, path: str, *, repeatable: bool = False, **arguments: Any) -> dict[str, Any]:
        """One request; the platform's JSON answer.

        ``repeatable``: asking twice does no harm, so a lost answer counts as unreachable instead of unknown.
        Raises PlatformError for an error code, PlatformUnreachable or ResultUnknown for a failed exchange.
        """
        response = self._send(method, path, repeatable=repeatable, **arguments)
        try:
            answer = json.loads(response.content)
        except ValueError:
            raise _lost("the platform's answer is not JSON", repeatable) from None
        finally:
            response.close()
        if not isinstance(answer, dict):
            raise _lost("the platform's answer is not an object", repeatable)
        check_answer(answer)
        return answer

    def download(self, path: str, limit: int, **arguments: Any) -> bytes:
        """Fetches a file of at most ``limit`` bytes. The platform tells errors as JSON with status 200."""
        deadline = time.monotonic() + DOWNLOAD_SECONDS
        try:
            return self._whole(path, limit, deadline, **arguments)
        except PlatformError as error:
            if error.errcode != _ONLY_IN_PARTS:
                raise
        return self._in_parts(path, limit, deadline, **arguments)

    def _whole(self, path: str, limit: int, deadline: float, **arguments: Any) -> bytes:
        response = self._send("GET", path, repeatable=True, stream=True, **arguments)
        with response:
            content = _bounded(response, limit, deadline)
            if "json" in response.headers.get("Content-Type", "") or content[:11] == b'{"errcode":':
                check_answer(_as_json(content))
        return content

    def _in_parts(self, path: str, limit: int, deadline: float, **arguments: Any) -> bytes:
        """Files of more than 20 MB (developer.work.weixin.qq.com document 90254)."""
        content = bytearray()
        while True:
            wanted = {"Range": f"bytes={len(content)}-{len(content) + _PART - 1}"}
            response = self._send("GET", path, repeatable=True, stream=True, headers=wanted, **arguments)
            with response:
                size = _size_of_all(response)
                if size > limit:
                    raise MediaTooLarge("the file is too large")
                part = _bounded(response, _PART, deadline)
            content += part
            if not part or len(content) >= size:
                return bytes(content)

    def _send(self, method: str, path: str, *, repeatable: bool, **arguments: Any) -> requests.Response:
        arguments.setdefault("timeout", (CONNECT_SECONDS, READ_SECONDS))
        try:
            response = self._http.request(method, self._base + path, allow_redirects=False, **arguments)
        except requests.ConnectTimeout:
            raise PlatformUnreachable("no connection to the platform in time") from None
        except requests.ConnectionError as error:
            if _never_connected(error):
                raise PlatformUnreachable("the platform refused the connection") from None
            raise _lost("the connection broke", repeatable) from None
        except requests.RequestException as error:
            raise _lost(f"no answer ({type(error).__name__})", repeatable) from None
        if response.status_code >= 500:
            raise _lost(f"HTTP status {response.status_code}", repeatable)
        if response.status_code >= 300:
            raise PlatformError(response.status_code, "HTTP", permanent=True)
        return response


def _as_json(content: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(content)
    except ValueError:
        raise PlatformUnreachable("the platform's answer is not JSON") from None
    return answer if isinstance(answer, dict) else {}


def check_answer(answer: Mapping[str, Any]) -> None:
    """Raises PlatformError when the platform's JSON answer names an error."""
    code = answer.get("errcode", 0)
    if code:
        raise PlatformError(int(code), _refused_address(answer), permanent=int(code) not in _TRANSIENT)


def _refused_address(answer: Mapping[str, Any]) -> str:
    """The address of this machine as the platform names it when it refuses it; the rest of its words stays out."""
    if answer["errcode"] not in _ADDRESS_REFUSED:
        return ""
    found = _ADDRESS.search(str(answer.get("errmsg", "")))
    return found[0].rstrip(".:") if found else ""


def _never_connected(error: requests.ConnectionError) -> bool:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError)


def _lost(text: str, repeatable: bool) -> PlatformUnreachable | ResultUnknown:
    return PlatformUnreachable(text) if repeatable else ResultUnknown(text)


def _size_of_all(response: requests.Response) -> int:
    """How large a file is of which a part has come."""
    size = response.headers.get("Content-Range", "").rpartition("/")[2]
    if not size.isdigit():
        raise PlatformUnreachable("the platform gives no part of the file")
    return int(size)


def _bounded(response: requests.Response, limit: int, deadline: float) -> bytes:
    declared = response.headers.get("Content-Length", "")
    if declared.isdigit() and int(declared) > limit:
        raise MediaTooLarge("the file is too large")
    content = bytearray()
    try:
        for chunk in response.iter_content(64 * 1024):
            content += chunk
            if len(content) > limit:
                raise MediaTooLarge("the file is too large")
            if time.monotonic() > deadline:
                raise PlatformUnreachable("the download takes too long")
    except requests.RequestException:
        raise PlatformUnreachable("the download broke off") from None
    return bytes(content)


class _SafeRequests:
    """Replaces wechatpy's transport: own host, own token, one refresh and one retry, bounded in time."""

    transport: Transport
    token: AccessToken

    def _request(self, method: str, url_or_endpoint: str, **arguments: Any) -> dict[str, Any]:
        path = urlsplit(url_or_endpoint).path if "://" in url_or_endpoint else f"/cgi-bin/{url_or_endpoint}"
        data = arguments.get("data")
        if isinstance(data, dict):
            # Chinese goes as it is: escapes would be shown in menus.
            arguments["data"] = json.dumps(data, ensure_ascii=False).encode("utf-8")
            arguments["headers"] = {"Content-Type": "application/json"}
        arguments.pop("result_processor", None)
        params = dict(arguments.pop("params", None) or {})
        return _with_token(
            self.token,
            lambda token: self.transport.call(method, path, params={**params, "access_token": token}, **arguments),
        )

    def download_media(self, media_id: str, limit: int) -> bytes:
        """The content of a temporary media file, at most ``limit`` bytes."""
        return _with_token(
            self.token,
            lambda token: self.transport.download(
                "/cgi-bin/media/get", limit, params={"access_token": token, "media_id": media_id}
            ),
        )


def _with_token(token: AccessToken, request: Any) -> Any:
    """Runs a request with the token; when the platform refuses the token, once more with a new one.

    A new one that is refused as well has been replaced meanwhile: that is no reason to give a request up for good.
    """
    used = token.current()
    try:
        return request(used)
    except PlatformError as error:
        if error.errcode not in TOKEN_REFUSED:
            raise
    fresh = token.replace(used)
    try:
        return request(fresh)
    except PlatformError as error:
        if error.errcode not in TOKEN_REFUSED:
            raise
        raise PlatformError(error.errcode, error.detail, permanent=False) from None


class OfficialAccountClient(_SafeRequests, OfficialAccountApi):
    """wechatpy's Official Account API over the safe transport."""

    def __init__(self, app_id: str, transport: Transport, token: AccessToken) -> None:
        super().__init__(app_id, secret="")
        self.transport = transport
        self.token = token


def wecom_token(transport: Transport, corp_id: str, secret: str) -> Fetch:
    """Asks for the access token that goes with one of a corporation's secrets.

    Source: developer.work.weixin.qq.com document 91039.
    """

    def fetch() -> tuple[str, int]:
        params = {"corpid": corp_id, "corpsecret": secret}
        answer = transport.call("GET", "/cgi-bin/gettoken", repeatable=True, params=params)
        return str(answer["access_token"]), int(answer["expires_in"])

    return fetch


class WecomClient(_SafeRequests, WecomApi):
    """wechatpy's WeCom API over the safe transport."""

    def __init__(self, corp_id: str, transport: Transport, token: AccessToken) -> None:
        super().__init__(corp_id, secret="")
        self.transport = transport
        self.token = token
