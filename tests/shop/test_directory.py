from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import ConfigError
from shop.directory import Directory
from shop.hours import parse_hours

EXAMPLE = Path(__file__).resolve().parents[2] / "config" / "people.example.yaml"

PEOPLE = """\
communities:
  - id: sunshine
    name: 阳光花园
    leader: zhang
    chats: [{channel: group-bot, id: wrk1}]
    kf_scene: sunshine
    pickup_point: 东门自提点
    pickup_hours: "16:00-20:00"
  - {id: riverside, name: 滨江苑, leader: li}
  - {id: hillside, name: 山景苑}
staff:
  - {id: zhang, name: 张团长, role: leader, accounts: {app: ZhangLeader}, skills: [fresh]}
  - {id: li, name: 李团长, role: leader, accounts: {app: LiLeader}}
  - {id: chen, name: 小陈, role: agent, accounts: {app: ChenAgent}, hours: "09:00-12:00,13:30-21:00"}
  - {id: wu, name: 吴主管, role: supervisor, accounts: {app: WuBoss}}
residents:
  - {name: 王桂兰, phone: "13800000001", community: sunshine, accounts: {oa: oABC}, elder: true}
"""


def load(tmp_path: Path, text: str) -> Directory:
    path = tmp_path / "people.yaml"
    path.write_text(text, encoding="utf-8")
    return Directory.load(path, {})


@pytest.fixture
def people(tmp_path: Path) -> Directory:
    return load(tmp_path, PEOPLE)


def test_people_are_found_by_what_the_platform_knows_of_them(people: Directory) -> None:
    zhang = people.staff_by_account("app", "ZhangLeader")
    assert zhang is not None
    assert zhang.name == "张团长"
    assert people.staff_by_account("oa", "ZhangLeader") is None
    assert people.community_of_chat("group-bot", "wrk1") is people.community("sunshine")
    assert people.community_of_scene("sunshine") is people.community_named("阳光花园")
    assert people.community_of_scene("") is None


def test_a_community_without_leader_has_none(people: Directory) -> None:
    leader = people.leader_of("sunshine")
    assert leader is not None
    assert leader.id == "zhang"
    assert people.leader_of("hillside") is None
    assert people.leader_of("nowhere") is None
    assert people.leader_of(None) is None


def test_agents_and_supervisors_are_kept_apart(people: Directory) -> None:
    assert [person.id for person in people.agents()] == ["chen"]
    assert [person.id for person in people.supervisors()] == ["wu"]


def test_a_leader_sees_only_her_own_community(people: Directory) -> None:
    leader, other = people.staff_member("zhang"), people.staff_member("li")
    assert leader is not None
    assert other is not None
    assert people.may_see(leader, "sunshine")
    assert not people.may_see(other, "sunshine")
    for everybody_elses in ("riverside", "hillside", "nowhere", None):
        assert not people.may_see(leader, everybody_elses)


def test_agents_and_supervisors_see_every_community(people: Directory) -> None:
    for person in (*people.agents(), *people.supervisors()):
        assert people.may_see(person, "sunshine")
        assert people.may_see(person, None)


def test_working_hours_are_minutes_of_the_day(people: Directory) -> None:
    assert people.agents()[0].hours == ((540, 720), (810, 1260))
    assert people.supervisors()[0].hours == ()


@pytest.mark.parametrize("text", ["9-12", "12:00-09:00", "09:00-25:00", "09:00-12:60", "09:00-12:00,11:00-13:00", ""])
def test_hours_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"span|time of day|ends before|overlap"):
        parse_hours(text)


def test_the_listed_resident_is_not_shown_in_a_repr(people: Directory) -> None:
    assert people.residents[0].elder is True
    assert "王桂兰" not in repr(people.residents)
    assert "13800000001" not in repr(people.residents)


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        ("leader: zhang\n", "leadr: zhang\n", 4, "did you mean leader"),
        ("residents:\n", "resident:\n", 16, "did you mean residents"),
        ("leader: zhang\n", "leader: zhan\n", 4, "did you mean zhang"),
        ("leader: zhang\n", "leader: chen\n", 4, "there is no leader 'chen'"),
        ("name: 阳光花园\n", "name:\n", 3, "name is missing"),
        ("id: riverside", "id: sunshine", 9, "stands twice"),
        ("app: LiLeader", "app: ZhangLeader", 13, "belongs to zhang already"),
        ("name: 小陈", "name: 李团长", 14, "stands twice"),
        ("09:00-12:00", "12:00-09:00", 14, "ends before it starts"),
        ('"16:00-20:00"', '"all day"', 8, "09:00-12:00,13:30-21:00"),
        ("role: agent", "role: agnt", 14, "did you mean agent"),
        ('"13800000001"', '"138001"', 17, "not a mobile number"),
        ("community: sunshine", "community: sunshin", 17, "did you mean sunshine"),
        ("elder: true", "elder: maybe", 17, "neither true nor false"),
        ("oa: oABC", "app: WuBoss", 17, "belongs to somebody else"),
        ("skills: [fresh]", "skills: fresh", 12, "not a list of words"),
        ("channel: group-bot", "chanel: group-bot", 5, "did you mean channel"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_to_write(
    tmp_path: Path, old: str, new: str, line: int, problem: str
) -> None:
    assert old in PEOPLE
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, PEOPLE.replace(old, new, 1))
    assert caught.value.line == line
    assert problem in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "text", ["", "[]", "communities: 5", "communities: [5]", "staff: [{id: [1], name: x, role: agent}]"]
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError):
        load(tmp_path, text)


def test_a_repeated_phone_number_is_refused_without_being_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="this phone number stands twice") as caught:
        load(tmp_path, PEOPLE + '  - {name: 李四, phone: "13800000001"}\n')
    assert "13800000001" not in str(caught.value)


def test_the_shipped_example_is_read_without_complaint() -> None:
    directory = Directory.load(EXAMPLE, {})
    assert directory.community_named("阳光花园")
    assert directory.agents()
