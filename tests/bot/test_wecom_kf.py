"""The customer-service channel against the playground's platform."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from wechatpy.enterprise.crypto import WeChatCrypto

from bot.channels import client
from bot.channels.channel import Outgoing
from bot.channels.wecom_kf import WecomKf
from bot.errors import BotError, ForgedCallback, MediaTooLarge, PlatformError, ResultUnknown
from bot.message import Media
from config.channels import WecomKfConfig
from playground.platform import kf_content, xml
from playground.platform.kf_session import State
from playground.wechat import Cast, WeChat
from tests.bot.conftest import CREDENTIALS, LEADER

POKE = Path(__file__).parents[1] / "fixtures" / "wecom_kf" / "poke.xml"
ALICE = "wmAlice"
MEGABYTE = 1024 * 1024


@pytest.fixture
def wechat(clock) -> Iterator[WeChat]:
    cast = Cast({}, {"张团长": ("leader", LEADER)}, customers={"alice": ALICE})
    platforms = WeChat(CREDENTIALS, cast, time_source=clock.now)
    platforms.open()
    yield platforms
    platforms.close()


@pytest.fixture
def config(wechat: WeChat) -> WecomKfConfig:
    return WecomKfConfig(
        name="kf",
        corp_id=CREDENTIALS.corp_id,
        secret=CREDENTIALS.kf_secret,
        token=CREDENTIALS.kf_token,
        aes_key=CREDENTIALS.kf_aes_key,
        open_kfid=CREDENTIALS.open_kfid,
        api_base=wechat.kf.server.url,
    )


@pytest.fixture
def kf(config: WecomKfConfig, redis_connection, clock) -> WecomKf:
    return WecomKf(config, redis_connection, clock)


@pytest.fixture
def alice(wechat: WeChat):
    return wechat.customer("alice")


_keys = iter(f"{number:032x}" for number in range(1, 100_000))


def text(words: str, **fields) -> Outgoing:
    return Outgoing("text", text=words, key=next(_keys), **fields)


def menu(*labels: str, **fields) -> Outgoing:
    data = {"head": "请选择", "choices": [[f"c{label}", label] for label in labels], "tail": ""}
    words = "\n".join(["请选择", *labels])
    return Outgoing("menu", text=words, data=data, key=next(_keys), **fields)


def session(**data) -> Outgoing:
    return Outgoing("session", text=data.get("text", ""), data=data, key=next(_keys))


def heard(alice) -> list[str]:
    return [bubble.text for bubble in alice.chat() if bubble.speaker == "bot"]


def refusal(kf: WecomKf, outgoing: Outgoing) -> str:
    with pytest.raises(BotError) as caught:
        kf.send(ALICE, outgoing)
    return caught.value.code


def sealed(document: str) -> tuple[dict[str, str], bytes]:
    crypto = WeChatCrypto(CREDENTIALS.kf_token, CREDENTIALS.kf_aes_key, CREDENTIALS.corp_id)
    now = str(int(time.time()))
    body = crypto.encrypt_message(document, "nonce", now)
    return {"msg_signature": xml.read(body)["MsgSignature"], "timestamp": now, "nonce": "nonce"}, body.encode()


# --- callbacks


def test_a_recorded_callback_is_a_poke_with_its_token(kf: WecomKf, clock) -> None:
    document = POKE.read_text(encoding="utf-8").replace("wkREDACTED0000000000000001", CREDENTIALS.open_kfid)
    inbound = kf.receive(*sealed(document), clock.now())
    assert inbound.message is None
    assert inbound.poke == "ENCREDACTEDNDVNY4AaSJKj4Tb5mwsEMzxhFmHVGcra996NR"


def test_a_poke_for_another_account_of_the_corporation_pokes_nobody_here(kf: WecomKf, clock) -> None:
    assert kf.receive(*sealed(POKE.read_text(encoding="utf-8")), clock.now()).poke is None


def test_a_forged_callback_is_refused(kf: WecomKf, clock) -> None:
    query, body = sealed(POKE.read_text(encoding="utf-8"))
    with pytest.raises(ForgedCallback):
        kf.receive({**query, "msg_signature": "0" * 40}, body, clock.now())


# --- pulling


def test_everything_that_waits_comes_page_by_page_and_once(kf: WecomKf, alice, wechat: WeChat) -> None:
    for words in ("一", "二", "三"):
        alice.send(words)
    wechat.kf.faults.cut_page(2)
    first = kf.pull("", "")
    assert [message.text for message in first.messages] == ["一", "二"]
    assert first.more
    second = kf.pull(first.cursor, "")
    assert ([message.text for message in second.messages], second.more) == (["三"], False)
    assert kf.pull(second.cursor, "").messages == ()


def test_an_empty_page_with_more_behind_it_is_not_the_end(kf: WecomKf, alice, wechat: WeChat) -> None:
    alice.send("在吗")
    wechat.kf.faults.cut_page(0)
    page = kf.pull("", "")
    assert (page.messages, page.more) == ((), True)
    assert [message.text for message in kf.pull(page.cursor, "").messages] == ["在吗"]


def test_with_a_token_that_is_over_it_is_asked_without_one(kf: WecomKf, alice) -> None:
    alice.send("在吗")
    assert [message.text for message in kf.pull("", "ENC-of-yesterday").messages] == ["在吗"]


def test_what_concerns_no_conversation_does_not_hold_up_the_rest(kf: WecomKf, alice, wechat: WeChat) -> None:
    wechat.kf.servicer(LEADER).stop_serving()
    alice.send("在吗")
    assert [message.text for message in kf.pull("", "").messages] == ["在吗"]


# --- sending


def test_a_text_arrives_and_the_first_one_takes_the_session_over(kf: WecomKf, alice, wechat: WeChat) -> None:
    alice.send("在吗")
    kf.send(ALICE, text("您好"))
    kf.send(ALICE, text("请说"))
    assert heard(alice) == ["您好", "请说"]
    assert wechat.kf.session(ALICE).state is State.ASSISTANT
    assert wechat.kf.calls("kf/service_state/trans") == 1


def test_a_session_that_cannot_be_taken_over_is_no_reason_to_be_silent(kf: WecomKf, alice, wechat: WeChat) -> None:
    alice.send("在吗")
    wechat.kf.faults.answer(95016, to="kf/service_state/trans")
    kf.send(ALICE, text("您好"))
    assert heard(alice) == ["您好"]


def test_a_menu_can_be_tapped_and_the_choice_comes_back(kf: WecomKf, alice) -> None:
    alice.send("在吗")
    kf.send(ALICE, menu("查订单", "找人工"))
    alice.tap("查订单")
    tapped = kf.pull("", "").messages[-1]
    assert (tapped.text, tapped.choice) == ("查订单", "c查订单")


def test_a_menu_that_is_longer_than_allowed_leaves_as_text(kf: WecomKf, alice) -> None:
    alice.send("在吗")
    long = "很" * 50
    kf.send(ALICE, menu(long))
    assert heard(alice) == [f"请选择\n{long}"]


def test_pictures_go_up_first(kf: WecomKf, alice) -> None:
    alice.send("在吗")
    kf.send(ALICE, Outgoing("image", content=b"\x89PNG" + b"0" * 20, content_type="image/png", key=next(_keys)))
    assert [bubble.kind for bubble in alice.chat()][-1] == "image"


def test_the_same_key_again_counts_as_sent_and_is_not_said_twice(kf: WecomKf, alice, wechat: WeChat) -> None:
    alice.send("在吗")
    outgoing = text("您好")
    kf.send(ALICE, outgoing)
    kf.send(ALICE, outgoing)
    assert heard(alice) == ["您好"]
    assert wechat.kf.ledger.repeats == 1


def test_a_lost_answer_is_unknown_and_the_second_try_tells(kf: WecomKf, alice, wechat: WeChat, monkeypatch) -> None:
    monkeypatch.setattr(client, "READ_SECONDS", 0.3)
    alice.send("在吗")
    kf.send(ALICE, text("您好"))
    outgoing = text("请说")
    wechat.kf.faults.hang_after_accepting(to="kf/send_msg")
    with pytest.raises(ResultUnknown):
        kf.send(ALICE, outgoing)
    kf.send(ALICE, outgoing)
    assert heard(alice) == ["您好", "请说"]


def test_a_sixth_message_is_told_as_used_up(kf: WecomKf, alice) -> None:
    alice.send("在吗")
    for number in range(5):
        kf.send(ALICE, text(str(number)))
    assert refusal(kf, text("太多")) == "window_used_up"


@pytest.mark.parametrize("code", [95018, 95002])
def test_a_refusal_while_the_session_is_still_the_bots_means_that_the_time_is_over(
    kf: WecomKf, alice, wechat: WeChat, code: int
) -> None:
    alice.send("在吗")
    wechat.kf.faults.answer(code, to="kf/send_msg")
    assert refusal(kf, text("太晚")) == "window_closed"
    assert wechat.kf.calls("kf/service_state/get") == 1


def test_while_a_servicer_speaks_the_refusal_says_so(kf: WecomKf, alice) -> None:
    alice.send("在吗")
    kf.send(ALICE, session(to="person", staff=LEADER))
    assert refusal(kf, text("打扰")) == "session_person"


def test_in_the_queue_and_after_the_end_the_refusal_says_so(kf: WecomKf, alice, wechat: WeChat) -> None:
    alice.send("在吗")
    kf.send(ALICE, session(to="pool"))
    assert refusal(kf, text("打扰")) == "session_pool"
    wechat.kf.servicer(LEADER).take(ALICE)
    wechat.kf.servicer(LEADER).end(ALICE)
    assert refusal(kf, text("打扰")) == "session_ended"


def test_other_refusals_keep_their_code_and_no_secret(kf: WecomKf, alice, wechat: WeChat) -> None:
    alice.send("在吗")
    wechat.kf.faults.answer(45009, to="kf/send_msg")
    with pytest.raises(PlatformError) as caught:
        kf.send(ALICE, text("您好"))
    assert (caught.value.errcode, caught.value.permanent) == (45009, False)
    assert CREDENTIALS.kf_secret not in str(caught.value)


def test_a_welcome_goes_by_its_code_and_costs_no_budget(kf: WecomKf, alice, wechat: WeChat) -> None:
    alice.enter("group", "sunshine")
    entered = kf.pull("", "").messages[-1]
    kf.send(ALICE, menu("查订单", reply_code=entered.reply_code))
    assert [sent.on_event for sent in wechat.kf.ledger.to(ALICE)] == [True]
    with pytest.raises(PlatformError):
        kf.send(ALICE, menu("查订单", reply_code=entered.reply_code))


# --- who speaks


def test_a_session_goes_over_to_a_servicer_on_duty(kf: WecomKf, alice, wechat: WeChat) -> None:
    alice.send("在吗")
    assert kf.send(ALICE, session(to="person", staff=LEADER)) == {"session": "person"}
    assert wechat.kf.session(ALICE).servicer == LEADER


def test_a_servicer_who_is_off_duty_or_is_none_gets_nothing(kf: WecomKf, alice, wechat: WeChat) -> None:
    alice.send("在吗")
    wechat.kf.servicer(LEADER).stop_serving()
    assert kf.send(ALICE, session(to="person", staff=LEADER)) == {}
    assert kf.send(ALICE, session(to="person", staff="Nobody")) == {}
    assert wechat.kf.session(ALICE).state is State.NEW


@pytest.mark.parametrize("code", [95013, 95014, 95016, 95019])
def test_a_move_that_is_not_allowed_leaves_the_session_with_the_bot(
    kf: WecomKf, alice, wechat: WeChat, code: int
) -> None:
    alice.send("在吗")
    wechat.kf.faults.answer(code, to="kf/service_state/trans")
    assert refusal(kf, session(to="person", staff=LEADER)) == "session_stays"
    kf.send(ALICE, text("您好"))
    assert heard(alice) == ["您好"]


def test_a_move_whose_answer_was_lost_is_found_done(kf: WecomKf, alice, wechat: WeChat) -> None:
    alice.send("在吗")
    kf.send(ALICE, session(to="pool"))
    assert kf.send(ALICE, session(to="pool")) == {"session": "pool"}


def test_at_the_end_one_thing_is_said_by_the_code_of_the_change(kf: WecomKf, alice, wechat: WeChat) -> None:
    alice.send("在吗")
    kf.send(ALICE, session(to="person", staff=LEADER))
    question = menu("解决了", "没有解决")
    ended = replace(question, kind="session", data={**question.data, "to": "ended"})
    assert kf.send(ALICE, ended) == {"session": "ended", "parted": True}
    assert heard(alice) == ["请选择\n解决了\n没有解决"]
    assert wechat.kf.session(ALICE).state is State.ENDED


def test_who_speaks_can_be_asked(kf: WecomKf, alice) -> None:
    alice.send("在吗")
    assert kf.send(ALICE, session(look=True)) == {"session": ""}
    kf.send(ALICE, session(to="person", staff=LEADER))
    assert kf.send(ALICE, session(look=True)) == {"session": "person"}


# --- media, links, examination


def test_a_voice_message_is_fetched(kf: WecomKf, alice) -> None:
    alice.send_voice(b"#!AMR\n0123456789")
    media = kf.pull("", "").messages[-1].media
    assert media is not None
    assert kf.fetch(media, MEGABYTE) == b"#!AMR\n0123456789"


def test_a_file_of_more_than_twenty_megabytes_comes_in_parts(wechat: WeChat, kf: WecomKf) -> None:
    wechat.kf.whole_up_to, client_part = 20, client._PART
    content = bytes(range(256)) * 8
    client._PART = 500
    try:
        media = kf_content.media("video", wechat.kf.media.add("video", content).id)["video"]["media_id"]
        assert kf.fetch(Media("video", media), MEGABYTE) == content
        with pytest.raises(MediaTooLarge):
            kf.fetch(Media("video", media), 1000)
    finally:
        client._PART = client_part


def test_the_address_for_a_group_leads_back_with_its_community(kf: WecomKf, alice) -> None:
    url = kf.contact_way("group")
    assert set(parse_qs(urlsplit(url).query)) == {"enc_scene"}
    alice.enter_by(f"{url}&scene_param=sunshine")
    entered = kf.pull("", "").messages[-1]
    assert dict(entered.extra) == {"scene": "group", "scene_param": "sunshine"}


def test_an_account_in_order_passes_the_examination(kf: WecomKf) -> None:
    assert [finding.level for finding in kf.examine()] == ["ok", "ok"]


def test_an_account_that_the_app_does_not_know_is_told(config: WecomKfConfig, redis_connection, clock) -> None:
    stranger = WecomKf(replace(config, open_kfid="wkStranger"), redis_connection, clock)
    assert [finding.level for finding in stranger.examine()] == ["ok", "fail"]


def test_a_wrong_secret_is_told_and_not_shown(config: WecomKfConfig, redis_connection, clock) -> None:
    findings = list(WecomKf(replace(config, secret="wrong-secret"), redis_connection, clock).examine())
    assert [finding.level for finding in findings] == ["fail"]
    assert "wrong-secret" not in json.dumps([finding.what + finding.remedy for finding in findings])


def test_an_expired_token_is_renewed_and_the_message_sent(kf: WecomKf, alice, wechat: WeChat) -> None:
    alice.send("在吗")
    wechat.kf.faults.expire_tokens(to="kf/send_msg")
    kf.send(ALICE, text("您好"))
    assert heard(alice) == ["您好"]
