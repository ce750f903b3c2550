"""What ``./qunda setup`` asks about each kind of channel."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass

KEY_LENGTH = 43


@dataclass(frozen=True, slots=True)
class Question:
    """One credential of a channel. ``shape`` is what the platform's own look like; another one is asked about."""

    key: str
    variable: str
    words: str
    shape: str
    hidden: bool = False
    made_here: Callable[[], str] | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of channel. ``console``: where its callback is entered in the end; empty where there is none."""

    name: str
    kind: str
    title: str
    questions: tuple[Question, ...]
    console: str


def new_token() -> str:
    """Letters and digits, at most 32, as both consoles want it."""
    return secrets.token_hex(16)


def new_aes_key() -> str:
    """An EncodingAESKey: 32 bytes in base64 without the last "="; letters and digits only, as the consoles want it."""
    while True:
        key = base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")
        if key.isalnum():
            return key


def _shared_questions(prefix: str) -> tuple[Question, Question]:
    token, key = f"{prefix}_TOKEN", f"{prefix}_AES_KEY"
    return (
        Question("token", token, "Token (Enter makes one)", r"[A-Za-z0-9]{3,32}", made_here=new_token),
        Question("aes_key", key, "EncodingAESKey (Enter makes one)", r"[A-Za-z0-9]{43}", made_here=new_aes_key),
    )


OFFICIAL_ACCOUNT = Kind(
    "oa",
    "official_account",
    "WeChat Official Account (公众号), for residents",
    (
        Question("app_id", "OA_APP_ID", "AppID (开发者ID)", r"wx[0-9a-f]{16}"),
        Question("secret", "OA_SECRET", "AppSecret (typed unseen)", r"[0-9a-f]{32}", hidden=True),
        *_shared_questions("OA"),
    ),
    "mp.weixin.qq.com, 设置与开发 > 开发接口管理 > 服务器配置, with 消息加解密方式: 安全模式",
)
WECOM_APP = Kind(
    "app",
    "wecom_app",
    "WeCom app (企业微信自建应用), for leaders and agents",
    (
        Question("corp_id", "CORP_ID", "CorpID (我的企业 > 企业ID)", r"w[wx][0-9a-f]{16}"),
        Question("agent_id", "APP_AGENT_ID", "AgentId of the app", r"[0-9]{7}"),
        Question("secret", "APP_SECRET", "Secret of the app (typed unseen)", r"[A-Za-z0-9_-]{43}", hidden=True),
        *_shared_questions("APP"),
    ),
    "work.weixin.qq.com, 应用管理 > the app > 接收消息 > 设置API接收",
)
NOT_KNOWN_YET = "wk-not-known-yet"
WECOM_KF = Kind(
    "kf",
    "wecom_kf",
    "Customer service (微信客服), for residents; by an app of its own, as an app has one callback address",
    (
        Question("corp_id", "CORP_ID", "CorpID (我的企业 > 企业ID)", r"w[wx][0-9a-f]{16}"),
        Question(
            "open_kfid",
            "KF_OPEN_KFID",
            "Id of the account, wk… (Enter: not known yet, ./qunda doctor will tell it)",
            r"wk[A-Za-z0-9_-]{10,62}",
            made_here=lambda: NOT_KNOWN_YET,
        ),
        Question("secret", "KF_SECRET", "Secret of its app (typed unseen)", r"[A-Za-z0-9_-]{43}", hidden=True),
        *_shared_questions("KF"),
    ),
    "work.weixin.qq.com, 应用管理 > the customer service's app > 接收消息 > 设置API接收",
)
STAFF_ROOM = Kind(
    "staff-room",
    "group_webhook",
    "The staff's own group (群机器人), for alerts",
    (
        Question(
            "url",
            "STAFF_ROOM_WEBHOOK",
            "Webhook address of its robot (typed unseen)",
            r"https://qyapi\.weixin\.qq\.com/cgi-bin/webhook/send\?key=[0-9a-f-]{36}",
            hidden=True,
        ),
    ),
    "",
)
KINDS = (WECOM_KF, OFFICIAL_ACCOUNT, WECOM_APP, STAFF_ROOM)
