from __future__ import annotations

import threading
from pathlib import Path

import pytest

from commands.demo import play_all
from playground.platform.callbacks import Delivery
from playground.play import WentOtherwise, pattern_of, play
from playground.scenario import SCENARIOS, Script, Unreadable, all_scripts, read_script
from playground.wechat import Cast, WeChat
from tests.playground.conftest import CREDENTIALS, Api, EchoBot
from tests.playground.smart_bot import SmartBot, stream
from tests.playground.test_cards import TICKET, send

SHORT = 0.1  # seconds to wait for what does not come


def script(folder: Path, *lines: str) -> Script:
    file = folder / "talk.txt"
    file.write_text("\n".join(["# A talk", *lines]), encoding="utf-8")
    return read_script(file)


def test_every_shipped_script_can_be_read_and_names_people_of_the_demo() -> None:
    from playground.demo_data import cast

    scripts = all_scripts(SCENARIOS)
    known = {**cast().residents, **cast().staff, **cast().groups, "客服值班群": "the staff's room"}

    assert len(scripts) >= 12
    for each in scripts:
        assert each.names, each.name
        assert set(each.names) <= set(known), each.name


def test_a_conversation_that_goes_as_written_is_played_to_its_end(wechat: WeChat, bot: EchoBot, tmp_path: Path) -> None:
    bot.answer = lambda fields: "已为您转接，工单 0123" if "人工" in fields["Content"] else f"收到 {fields['Content']}"
    seen: list[str] = []

    play(
        script(
            tmp_path,
            "Resident 王桂兰 sends: 转人工",
            "Bot says: *工单 {ticket}*",
            "Leader 张团长 says: 接单 {ticket}",
            "Bot says: 收到*{ticket}",
        ),
        wechat,
        on_line=lambda person, bubble: seen.append(f"{person.name} {bubble.speaker} {bubble.text}"),
    )

    assert seen == [
        "王桂兰 person 转人工",
        "王桂兰 bot 已为您转接，工单 0123",
        "张团长 person 接单 0123",
        "张团长 bot 收到 接单 0123",
    ]


def test_a_button_of_a_card_is_tapped_by_its_words(wechat: WeChat, bot: EchoBot, wecom: Api, tmp_path: Path) -> None:
    bot.answer = lambda fields: f"{fields['EventKey']} 收到"
    send(wecom, TICKET)

    play(script(tmp_path, "Leader 张团长 taps on the card: 同意", "Bot says: agree:{ticket} 收到"), wechat)

    with pytest.raises(WentOtherwise, match="no card with 拒绝"):
        play(script(tmp_path, "Leader 张团长 taps on the card: 拒绝"), wechat)


@pytest.mark.parametrize("door", ["oa", "kf"])
def test_a_line_of_a_menu_is_tapped_or_its_number_written(
    wechat: WeChat, bot: EchoBot, kf: Api, tmp_path: Path, door: str
) -> None:
    talk = script(tmp_path, "Resident 王桂兰 sends: 取货", "Resident 王桂兰 chooses: *带什么*")
    bot.answer = lambda fields: "您想问什么？\n1. 几点取货\n2. 取货要带什么？" if "取货" in fields["Content"] else ""
    if door == "kf":
        items = [{"type": "click", "click": {"id": name, "content": name}} for name in ("几点取货", "要带什么")]
        menu = {"msgtype": "msgmenu", "msgmenu": {"head_content": "您想问什么？", "list": items}}
        wechat.customer("王桂兰").send("在吗")
        to = {"touser": wechat.customer("王桂兰").account, "open_kfid": CREDENTIALS.open_kfid}
        assert kf.post("kf/send_msg", {**to, **menu})["errcode"] == 0

    play(talk, wechat, door=door)

    assert wechat.at(door, "王桂兰").chat()[-1].text == {"oa": "2", "kf": "要带什么"}[door]
    with pytest.raises(WentOtherwise, match="no 在哪 to choose"):
        play(script(tmp_path, "Resident 王桂兰 chooses: 在哪"), wechat, door=door)


def test_a_script_can_be_kept_to_one_door(tmp_path: Path) -> None:
    assert script(tmp_path, "Resident 王桂兰 follows").doors == ("oa", "kf")
    assert script(tmp_path, "Only at kf", "Resident 王桂兰 follows").doors == ("kf",)


def test_members_speak_in_a_group_and_somebody_follows_the_link_that_is_shown_there(tmp_path: Path) -> None:
    cast = Cast(
        residents={"赵敏": "oZhaoMin"},
        staff={"张团长": ("leader", "ZhangLeader")},
        groups={"服务群": ("wrOne", ("赵敏", "张团长"))},
        members={"赵敏": "ZhaoMin"},
    )
    bot = SmartBot(CREDENTIALS.bot_token, CREDENTIALS.bot_aes_key)
    wechat = WeChat(CREDENTIALS, cast)
    wechat.open()
    wechat.connect(bot.server.url)
    try:
        bot.answer = lambda heard: stream(f"{heard['from']['userid']}，请点 https://example.com/kf")
        talk = script(
            tmp_path,
            "Member 赵敏 says in 服务群: 今天真冷",
            "Member 赵敏 asks in 服务群: 我的订单到哪了",
            "Bot says: ZhaoMin*",
            "Member 张团长 asks in 服务群: 几点到货",
            "Everybody in 服务群 reads: ZhangLeader*",
            "Resident 赵敏 opens the link from 服务群",
        )

        with pytest.raises(WentOtherwise, match=r"talk.txt:7.*\n.*not a link of this account"):
            play(talk, wechat, door="kf")
        assert len(bot.heard) == 2
    finally:
        wechat.close()
        bot.server.close()


def test_a_servicer_answers_in_the_client_once_the_chat_is_hers(
    wechat: WeChat, bot: EchoBot, kf: Api, tmp_path: Path
) -> None:
    talk = script(
        tmp_path,
        "Resident 王桂兰 sends: 转人工",
        "Leader 张团长 answers 王桂兰 in the client: 我来看看",
        "Resident 王桂兰 reads: 我来看看",
        "Leader 张团长 ends it with 王桂兰 in the client",
    )
    with pytest.raises(WentOtherwise, match="did not come over to 张团长"):
        play(talk, wechat, door="kf", patience=SHORT)

    customer = wechat.customer("王桂兰").account
    who = {"external_userid": customer, "servicer_userid": "ZhangLeader"}
    move = {"open_kfid": CREDENTIALS.open_kfid, "service_state": 3, **who}
    threading.Timer(SHORT, lambda: kf.post("kf/service_state/trans", move)).start()
    play(talk, wechat, door="kf")

    assert wechat.kf.session(customer).servicer == ""


def test_a_mismatch_names_file_and_line_and_shows_the_chat(wechat: WeChat, bot: EchoBot, tmp_path: Path) -> None:
    bot.answer = lambda fields: "不知道"
    talk = script(tmp_path, "Resident 王桂兰 sends: 在吗", "", "Bot says: *在*")

    with pytest.raises(WentOtherwise) as failure:
        play(talk, wechat, patience=SHORT)

    assert f"{talk.file}:4: Bot says: *在*" in str(failure.value)
    assert "王桂兰: 在吗" in str(failure.value)
    assert "机器人: 不知道" in str(failure.value)


def test_a_number_must_stay_the_same(wechat: WeChat, bot: EchoBot, tmp_path: Path) -> None:
    numbers = iter(["工单 0123", "工单 0124"])
    bot.answer = lambda fields: next(numbers)
    talk = script(
        tmp_path,
        "Resident 王桂兰 sends: 在吗",
        "Bot says: 工单 {ticket}",
        "Resident 王桂兰 sends: 在吗",
        "Bot says: 工单 {ticket}",
    )

    with pytest.raises(WentOtherwise, match=r"talk\.txt:5"):
        play(talk, wechat, patience=SHORT)


def test_order_is_kept_so_an_older_bubble_does_not_count(wechat: WeChat, bot: EchoBot, tmp_path: Path) -> None:
    talk = script(tmp_path, "Resident 王桂兰 sends: 一", "Resident 王桂兰 sends: 二", "Bot says: 二", "Bot says: 一")

    with pytest.raises(WentOtherwise, match=r"talk\.txt:5"):
        play(talk, wechat, patience=SHORT)


def test_silence_is_proven_by_the_next_answer(wechat: WeChat, bot: EchoBot, tmp_path: Path) -> None:
    talk = script(
        tmp_path, "Resident 王桂兰 sends: 嗯", "Bot is silent", "Resident 王桂兰 sends: 在吗", "Bot says: 在吗"
    )
    bot.answer = lambda fields: "" if fields["Content"] == "嗯" else fields["Content"]
    play(talk, wechat)

    bot.answer = lambda fields: fields["Content"]
    with pytest.raises(WentOtherwise, match="silence before, but came: 嗯"):
        play(talk, wechat)


def test_a_silence_that_nothing_proves_is_an_error(wechat: WeChat, bot: EchoBot, tmp_path: Path) -> None:
    bot.answer = lambda fields: ""

    with pytest.raises(WentOtherwise, match="not proven"):
        play(script(tmp_path, "Resident 王桂兰 sends: 嗯", "Bot is silent"), wechat)


def test_what_must_never_be_read_fails_even_when_it_comes_later(wechat: WeChat, bot: EchoBot, tmp_path: Path) -> None:
    talk = script(
        tmp_path,
        "Leader 李团长 says: 看",
        "Leader 李团长 never reads: *橙子*",
        "Leader 李团长 says: 橙子",
    )

    with pytest.raises(WentOtherwise, match="but came: 橙子"):
        play(talk, wechat)


def test_repeating_a_callback_must_give_the_same_answer(wechat: WeChat, bot: EchoBot, tmp_path: Path) -> None:
    talk = script(tmp_path, "Resident 王桂兰 sends: 在吗", "Resident 王桂兰 sends the same callback again")
    play(talk, wechat)

    answers = iter(["工单 0001", "工单 0002"])
    bot.answer = lambda fields: next(answers)
    with pytest.raises(WentOtherwise, match="another answer: 工单 0002"):
        play(talk, wechat)


def test_a_callback_that_the_bot_does_not_take_fails_the_line(wechat: WeChat, bot: EchoBot, tmp_path: Path) -> None:
    bot.server.close()

    with pytest.raises(WentOtherwise, match=r"talk.txt:2.*\n.*did not take the callback"):
        play(script(tmp_path, "Resident 王桂兰 sends: 在吗"), wechat)


def test_hours_pass_and_the_platform_refuses_as_written(wechat: WeChat, bot: EchoBot, oa: Api, tmp_path: Path) -> None:
    before = wechat.clock.now()

    play(script(tmp_path, "After 49 hours", "Platform answers 45047 to the next message/custom/send"), wechat)

    assert (wechat.clock.now() - before).total_seconds() >= 49 * 3600
    assert oa.post("message/custom/send", {})["errcode"] == 45047


def test_photos_and_voices_are_sent(wechat: WeChat, bot: EchoBot, tmp_path: Path) -> None:
    play(
        script(
            tmp_path,
            "Resident 王桂兰 sends photo: bad-apple-1.jpg, bad-apple-2.jpg",
            'Resident 王桂兰 sends voice: any ("苹果坏了")',
            "Resident 王桂兰 sends voice: any",
        ),
        wechat,
    )

    assert [fields["MsgType"] for fields in bot.heard] == ["image", "image", "voice", "voice"]
    assert [fields.get("Recognition") for fields in bot.heard] == [None, None, "苹果坏了", ""]


@pytest.mark.parametrize("line", ["Resident 王桂兰 shouts: 在吗", "Bot says:", "bot says: 在"])
def test_a_line_that_means_nothing_is_refused_with_its_number(tmp_path: Path, line: str) -> None:
    with pytest.raises(Unreadable, match=r"talk.txt:2"):
        script(tmp_path, line)


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("*照片*", "请发一张\n照片给我", True),
        ("*(烂|坏)*", "苹果坏了", True),
        ("*(烂|坏)*", "苹果很好", False),
        ("退款 1.5 元？", "退款 1x5 元？", False),
        ("*工单 {ticket}*", "工单 0123，好", True),
        ("*工单 {ticket}*", "工单 多少", False),
        ("*{known}*", "工单 0077", True),
        ("*{known}*", "工单 10077", False),
    ],
)
def test_patterns_fit_whole_bubbles(pattern: str, text: str, fits: bool) -> None:
    assert (pattern_of(pattern, {"known": "0077"}).fullmatch(text) is not None) is fits


def test_the_demo_counts_what_went_otherwise(wechat: WeChat, bot: EchoBot, tmp_path: Path) -> None:
    lines: list[str] = []
    good = script(tmp_path, "Resident 王桂兰 sends: 在吗", "Bot says: 在吗")
    bad = script(tmp_path, "Resident 王桂兰 sends: 在吗", "Resident 王桂兰 never reads: 在吗")

    assert play_all([good], wechat, lines.append, coloured=False) == 0
    assert play_all([good, bad], wechat, lines.append, coloured=False) == 1
    assert lines[-1] == "1 of 2 conversations went otherwise: talk"
    assert any(line.startswith("机器人 → 王桂兰› 在吗") for line in lines)


def test_waiting_wakes_when_the_bubble_comes(wechat: WeChat, bot: EchoBot) -> None:
    held = threading.Event()
    bot.instead = [held]
    person = wechat.person("王桂兰")
    deliveries: list[Delivery] = []
    sender = threading.Thread(target=lambda: deliveries.append(person.send("在吗")))
    sender.start()
    wechat.world.wait_until(lambda: bool(person.chat()))
    held.set()

    assert person.wait_for(lambda bubble: bubble.text == "在吗").speaker == "bot"
    sender.join()
    assert deliveries[0].accepted


def test_a_script_can_be_played_with_the_resident_at_the_customer_service(
    wechat: WeChat, bot: EchoBot, kf: Api, tmp_path: Path
) -> None:
    talk = script(
        tmp_path,
        "Resident 王桂兰 follows",
        "Resident 王桂兰 sends: 转人工",
        "Resident 王桂兰 sends the same callback again",
        "Resident 王桂兰 taps: help",
        "Leader 张团长 says: 在的",
        "Bot says: 在的",
        "Platform answers 45047 to the next message/custom/send",
    )

    play(talk, wechat, door="kf")

    entries = [entry.message for entry in wechat.kf.entries]
    assert [message["msgtype"] for message in entries] == ["event", "text", "text"]
    assert {fields.get("OpenKfId") for fields in bot.heard[:4]} == {CREDENTIALS.open_kfid}
    assert wechat.person("王桂兰").chat() == []
    body = {"touser": "wmWang", "open_kfid": CREDENTIALS.open_kfid, "msgtype": "text", "text": {"content": "好"}}
    assert [kf.post("kf/send_msg", body)["errcode"] for _ in range(2)] == [95001, 0]
