"""What tests do with the customer service's API, as a bot would."""

from __future__ import annotations

from typing import Any

from playground.wechat import WeChat
from tests.playground.conftest import CREDENTIALS, Api

WANG, LIU = "wmWang", "wmLiu"
ZHANG, LI = "ZhangLeader", "LiLeader"
KFID = CREDENTIALS.open_kfid


def read(api: Api, **more: Any) -> dict[str, Any]:
    return api.post("kf/sync_msg", {"open_kfid": KFID, **more})


def texts(page: dict[str, Any]) -> list[str]:
    return [message["text"]["content"] for message in page["msg_list"] if message["msgtype"] == "text"]


def events(page: dict[str, Any]) -> list[dict[str, Any]]:
    return [message["event"] for message in page["msg_list"] if message["msgtype"] == "event"]


def say(api: Api, words: str = "您好", to: str = WANG, **more: Any) -> int:
    body = {"touser": to, "open_kfid": KFID, "msgtype": "text", "text": {"content": words}, **more}
    return int(api.post("kf/send_msg", body)["errcode"])


def answer_event(api: Api, code: str, text: str = "您好，我是群答", **more: Any) -> int:
    body = {"code": code, "msgtype": "text", "text": {"content": text}, **more}
    return int(api.post("kf/send_msg_on_event", body)["errcode"])


def change(api: Api, state: int, servicer: str = "", account: str = WANG) -> dict[str, Any]:
    body = {"open_kfid": KFID, "external_userid": account, "service_state": state, "servicer_userid": servicer}
    return api.post("kf/service_state/trans", body)


def state(api: Api, account: str = WANG) -> tuple[int, str]:
    told = api.post("kf/service_state/get", {"open_kfid": KFID, "external_userid": account})
    return told["service_state"], told["servicer_userid"]


def renew(wechat: WeChat, api: Api) -> None:
    api.token = api.get("gettoken", corpid=CREDENTIALS.corp_id, corpsecret=CREDENTIALS.kf_secret)["access_token"]


def menu(*ids: str) -> dict[str, Any]:
    items = [{"type": "click", "click": {"id": each, "content": f"第{each}项"}} for each in ids]
    return {"msgtype": "msgmenu", "msgmenu": {"head_content": "请选", "list": items, "tail_content": "或者直接说"}}
