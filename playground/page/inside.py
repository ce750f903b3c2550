"""Everything about one message that somebody sent: over the wire, inside the bot, and what the bot did then."""

from __future__ import annotations

import json
from typing import Any

from playground.inspection import NotToBeSeen
from playground.page.guard import Unfit
from playground.platform.base import Platform
from playground.traffic import ApiCall, Try
from playground.wechat import WeChat
from playground.world import Bubble

MOST_CALLS = 30
SECRET = ("access_token", "secret", "corpsecret", "token")


def inside(wechat: WeChat, bubble_id: int) -> dict[str, Any]:
    """For a bubble that a person sent: its callback, the API calls since, and the bot's own record of it.

    Raises ``Unfit`` when there is no such bubble, or its callback is not kept any more.
    """
    platform, bubble = _find(wechat, bubble_id)
    if bubble.state == "sending":
        return {"state": "sending", "text": bubble.text}
    if not bubble.callback:
        raise Unfit("这一句没有叫机器人，机器人听不到。")
    with wechat.world.changed:
        tries = wechat.world.traffic.tries(bubble.callback)
        calls = wechat.world.traffic.calls_after(bubble.callback)
    if not tries:
        raise Unfit("这一条太久了，回调的记录已经不在了。")
    document = platform.open_callback(tries[0].query, tries[0].document)
    key = platform.inbox_key(bubble.callback, document)
    return {
        "state": bubble.state,
        "text": bubble.text,
        "address": platform.wire.url,
        "document": platform.whole(bubble.callback, document),
        "tries": [_try(platform, each) for each in tries],
        "calls": [_call(each) for each in calls[:MOST_CALLS]],
        **_bots_own(wechat, platform, key),
    }


def _find(wechat: WeChat, bubble_id: int) -> tuple[Platform, Bubble]:
    for name, _, bubble in wechat.world.changes(0):
        if bubble.id == bubble_id and bubble.speaker == "person":
            return wechat.platform(name), bubble
    raise Unfit("没有这条消息，也许已经从头来过了。")


def _bots_own(wechat: WeChat, platform: Platform, key: str) -> dict[str, Any]:
    try:
        return {"bot": wechat.inspection.of(platform.name, key)}
    except NotToBeSeen as error:
        return {"bot": None, "problem": str(error)}


def _try(platform: Platform, each: Try) -> dict[str, Any]:
    return {
        "at": each.at.isoformat(),
        "query": dict(each.query),
        "body": each.document,
        "status": each.status,
        "milliseconds": round(each.seconds * 1000),
        "answer": each.answer,
        "opened": _answer(platform, each.answer),
    }


def _answer(platform: Platform, answer: str | None) -> str:
    try:
        return platform.wire.open(answer or "")
    except ValueError:
        return ""


def _call(call: ApiCall) -> dict[str, Any]:
    return {
        "at": call.at.isoformat(),
        "platform": call.platform,
        "method": call.method,
        "path": call.path,
        "sent": _without_secrets(call.sent),
        "answered": _without_secrets(call.answered),
    }


def _without_secrets(body: str) -> Any:
    """A JSON body with nothing in it that opens a door; None for a body that is not kept or is no JSON."""
    try:
        value = json.loads(body)
    except ValueError:
        return None
    if isinstance(value, dict):
        return {name: "（不显示）" if name in SECRET else part for name, part in value.items()}
    return value
