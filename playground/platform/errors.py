"""How the platforms' API says no: JSON with an errcode, and HTTP 200."""

from __future__ import annotations

MEANINGS = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40003: "invalid openid",
    40004: "invalid media type",
    40006: "invalid media size",
    40007: "invalid media_id",
    40008: "invalid message type",
    40013: "invalid appid",
    40014: "invalid access_token",
    40035: "invalid parameter",
    40056: "invalid agentid",
    40164: "invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist",
    41001: "access_token missing",
    41005: "media data missing",
    42001: "access_token expired",
    44004: "empty content",
    45002: "content size out of limit",
    45009: "reach max api daily quota limit",
    45015: "response out of time limit or subscription is canceled",
    45047: "out of response count limit",
    45072: "invalid command",
    45080: "need interaction within 30 seconds",
    45081: "already in typing state",
    47001: "data format error",
    48001: "api unauthorized",
    60011: "no privilege to access/modify contact/party/agent",
    60020: "not allow to access from your ip, hint: [1763710000_1], from ip: 203.0.113.7",
    81013: "user & party & tag all invalid",
    301002: "no permission to operate the agent",
}


class ApiError(Exception):
    """An answer with an error code; the meaning is the platform's own short text."""

    def __init__(self, errcode: int) -> None:
        self.errcode = errcode
        self.errmsg = MEANINGS.get(errcode, "error")
        super().__init__(f"{errcode} {self.errmsg}")
