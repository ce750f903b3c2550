"""What else an Official Account can do: its menu, "is typing", notifications, and codes that hang on doors."""

from __future__ import annotations

import pytest

from bot.channels.channel import Outgoing
from bot.channels.official_account import OfficialAccount
from bot.clock import Clock
from bot.errors import PlatformError
from config.channels import OfficialAccountConfig
from config.menu import load_menu
from config.settings import ROOT
from playground.wechat import TICKET_TEMPLATE
from tests.bot.conftest import ALICE, CREDENTIALS, KEY


@pytest.fixture
def account(wechat, redis_connection, clock: Clock) -> OfficialAccount:
    config = OfficialAccountConfig(
        name="oa",
        app_id=CREDENTIALS.oa_app_id,
        secret=CREDENTIALS.oa_secret,
        token=CREDENTIALS.oa_token,
        aes_key=KEY,
        api_base=wechat.oa.server.url,
        notification_template=TICKET_TEMPLATE,
        notification_fields={"character_string1": "number", "phrase2": "有进展", "thing3": "words"},
    )
    return OfficialAccount(config, redis_connection, clock)


def test_the_menu_of_the_example_file_is_taken_by_the_platform(account: OfficialAccount, wechat) -> None:
    account.replace_menu(load_menu(ROOT / "config/menu.example.yaml", {}))
    assert wechat.oa.calls("menu/create") == 1


def test_typing_is_shown_to_whoever_has_just_written_and_to_nobody_else(account: OfficialAccount, wechat) -> None:
    account.show_typing(ALICE)
    wechat.person("alice").send("在吗")
    account.show_typing(ALICE)
    account.show_typing(ALICE)
    assert wechat.oa.calls("message/custom/typing") == 3


def test_a_notification_reaches_whoever_agreed_to_it(account: OfficialAccount, wechat) -> None:
    wechat.person("alice").follow()
    wechat.oa.grant(ALICE, TICKET_TEMPLATE)
    words = "张团长：已经给您退款了，请您看一下有没有到账"
    account.send(ALICE, Outgoing("notification", text=words, data={"about": "ticket:12"}))
    shown = [bubble.text for bubble in wechat.person("alice").chat() if bubble.speaker != "person"]
    assert shown[-1] == "工单进度提醒\n工单号：12\n进度：有进展\n说明：张团长：已经给您退款了，请您看一下有没…"


def test_without_consent_a_notification_is_refused(account: OfficialAccount, wechat) -> None:
    wechat.person("alice").follow()
    with pytest.raises(PlatformError) as caught:
        account.send(ALICE, Outgoing("notification", text="已经退款了"))
    assert (caught.value.code, caught.value.permanent) == ("43101", True)


def test_an_account_without_the_right_may_not_speak_unasked() -> None:
    config = OfficialAccountConfig("oa", "wx1", "secret", "token", KEY, verified=False)
    assert not OfficialAccount(config, None, Clock).capabilities.pushes  # type: ignore[arg-type]
