from __future__ import annotations

import pytest

from config.settings import ROOT
from config.yaml_file import read_yaml
from understanding.person import PersonReader
from understanding.reader import Reader


@pytest.fixture(scope="module")
def person() -> PersonReader:
    return PersonReader.load(read_yaml(ROOT / "config/words/person.yaml", {}))


@pytest.mark.parametrize(
    "text",
    ["人工", "转人工", "人工客服！", "我要找真人", "找团长", "帮我叫一下团长", "客服呢", "别让机器人回我",
     "让你们负责人给我打电话", "我想跟真人说话", "有没有真人", "接人工服务", "一键求助", "转人功", "我找张团长",
     "叫李团长来", "找个人帮帮我", "rengong", "zhuan ren gong", "找个能拍板的", "叫那个管售后的妹妹接一下",
     "帮我转一下管退款的同志", "上次那个客服小李在不在", "说不清楚 你们打过来吧"],
)  # fmt: skip
def test_a_call_for_a_person_is_heard(person: PersonReader, text: str) -> None:
    assert person.called(text)


@pytest.mark.parametrize(
    "text",
    ["人工费多少", "团长是谁", "团长叫什么名字", "客服几点上班", "人工智能是什么", "怎么当团长",
     "不用转人工了", "我想当团长", "怎么联系团长", "找个人帮我拿一下", "能换个团长吗",
     "放假有没有人工", "", "苹果", "renminbi", "找那个管用的开瓶器", "转给管家可以吗", "码扫不出来 团长说失效了",
     "我跟机器人说过的", "请不要白天给我打电话", "抬头开公司的不要个人"],
)  # fmt: skip
def test_what_only_looks_like_a_call_is_left_alone(person: PersonReader, text: str) -> None:
    assert person.called(text) is None


def test_a_call_for_a_person_is_a_skill(reader: Reader) -> None:
    understanding = reader.read("我要找人工")
    assert (understanding.decision, understanding.skill) == ("skill", "person")
    assert any(reason.startswith("找人工") for reason in understanding.why)
