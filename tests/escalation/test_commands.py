from __future__ import annotations

import pytest

from escalation.commands import Command, parse


@pytest.mark.parametrize(
    ("message", "command"),
    [
        ("工单", Command("list")),
        ("我的工单", Command("list")),
        ("工單。", Command("list")),
        ("看 0123", Command("look", 123)),
        ("看123", Command("look", 123)),
        ("工单0123", Command("look", 123)),
        ("看工单 0123", Command("look", 123)),
        ("#0123", Command("look", 123)),
        ("0123", Command("look", 123)),
        ("看", Command("look")),
        ("接单0123", Command("take", 123)),
        ("接单 ０１２３", Command("take", 123)),
        ("接单　0123 。", Command("take", 123)),
        ("接單 #0123！", Command("take", 123)),
        ("/接单 0123号", Command("take", 123)),
        ("接单：0123", Command("take", 123)),
        ("接单了", Command("take")),
        ("同意0123", Command("approve", 123)),
        ("解决 0123", Command("solve", 123)),
        ("解決了", Command("solve")),
        ("解决0123了。", Command("solve", 123)),
        ("机器人 开 0123", Command("bot_on", 123)),
        ("机器人关0123", Command("bot_off", 123)),
        ("機器人 0123 關", Command("bot_off", 123)),
        ("机器人 开", Command("bot_on")),
        ("帮助", Command("help")),
        ("？", Command("help")),
        ("Help", Command("help")),
    ],
)
def test_commands_are_read_however_they_are_typed(message: str, command: Command) -> None:
    assert parse(message) == command


@pytest.mark.parametrize(
    ("message", "number", "text"),
    [
        ("回复 0123 您好", 123, "您好"),
        ("回复0123您好", 123, "您好"),
        ("回覆　０１２３　您好，马上到。", 123, "您好，马上到。"),
        ("回复 #123 您好", 123, "您好"),
        ("回复 工单 123 您好", 123, "您好"),
        ("回复 1234：您好", 1234, "您好"),
        ("回复 0123\n第一行\n第二行\n", 123, "第一行\n第二行"),
        ("回复 您好", None, "您好"),
        ("回复：您好\n再见", None, "您好\n再见"),
        ("回复 0123 退您 12.5 元", 123, "退您 12.5 元"),
    ],
)
def test_the_words_of_a_reply_are_kept_as_they_were_typed(message: str, number: int | None, text: str) -> None:
    assert parse(message) == Command("reply", number, text)


@pytest.mark.parametrize(
    ("message", "command"),
    [
        ("0123 接单", Command("take", 123)),
        ("0123同意", Command("approve", 123)),
        ("#0123 回复 您好", Command("reply", 123, "您好")),
        ("0123 不同意 已经过期", Command("reject", 123, "已经过期")),
        ("不同意 0123 已经过期", Command("reject", 123, "已经过期")),
        ("办好了 0123", Command("solve", 123)),
        ("关闭机器人", Command("bot_off")),
        ("打开机器人 0123", Command("bot_on", 123)),
        ("接手 0123", Command("take", 123)),
    ],
)
def test_other_orders_and_words_for_a_command_are_understood(message: str, command: Command) -> None:
    assert parse(message) == command


@pytest.mark.parametrize("message", ["回复 3 个工作日内到账", "回复 123 您好"])
def test_a_short_number_at_the_beginning_of_a_reply_is_doubtful(message: str) -> None:
    command = parse(message)
    assert command is not None
    assert command.doubtful
    assert not command.wrong


@pytest.mark.parametrize(
    "message",
    [
        "回复",
        "回复 0123",
        "回复一下他吧",
        "回复 1000元已退",
        "拒绝",
        "拒绝 0123",
        "拒绝原因不明",
        "不同意",
        "同意退款",
        "同意 0123 不行",
        "解决不了",
        "接单 0123 0124",
        "看起来不错",
        "机器人",
        "机器人 开 关",
        "工单系统坏了",
    ],
)
def test_what_might_mean_something_else_is_not_carried_out(message: str) -> None:
    command = parse(message)
    assert command is not None
    assert command.wrong


@pytest.mark.parametrize("message", ["您好", "今天到货吗", "13800000001", "", "我要回复 0123"])
def test_other_words_are_no_command(message: str) -> None:
    assert parse(message) is None


def test_a_long_message_is_read_in_a_moment() -> None:
    command = parse("回复 0123 " + "1 " * 200_000)
    assert command is not None
    assert command.number == 123
