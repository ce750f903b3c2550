"""``./qunda kf link``: the way in that a leader posts in her group."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from bot.storage.store import Store
from commands import kf
from commands.errors import CommandRefused
from config.settings import Settings
from playground import demo_data
from playground.wechat import WeChat
from shop.directory import Community
from shop.kf_links import link_to


@pytest.fixture
def wechat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WeChat]:
    platforms = WeChat(demo_data.credentials(tmp_path), demo_data.cast(with_kf=True))
    platforms.open()
    urls = [platform.server.url for platform in (platforms.oa, platforms.wecom, platforms.kf)]
    environment = demo_data.prepare(tmp_path, *urls, with_kf=True) | {"QUNDA_DATA_DIR": str(tmp_path)}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for name in ("QUNDA_DATABASE_URL", "QUNDA_REDIS_URL"):
        monkeypatch.setenv(name, "")
    yield platforms
    platforms.close()


def printed_link(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out.splitlines()[0].partition(": ")[2]


def test_the_printed_link_leads_into_the_chat_and_tells_the_community(
    wechat: WeChat, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kf.link("sunshine", None, None) == 0
    customer = wechat.customer("路人甲")
    customer.enter_by(printed_link(capsys))
    assert wechat.kf.entries[-1].message["event"]["scene_param"] == "sunshine"
    with Image.open(tmp_path / "links" / "sunshine.png") as picture:
        assert picture.width > 200


def test_a_community_may_be_named_as_people_name_it_and_the_picture_put_elsewhere(
    wechat: WeChat, tmp_path: Path
) -> None:
    assert kf.link("阳光花园", "kf", tmp_path / "post-me.png") == 0
    assert (tmp_path / "post-me.png").read_bytes().startswith(b"\x89PNG")


def test_the_link_is_kept_for_answers_in_groups_and_carries_a_topic(wechat: WeChat, tmp_path: Path) -> None:
    kf.link("sunshine", None, None)
    kf.link("sunshine", None, None)
    store = Store(Settings.load({"QUNDA_DATA_DIR": str(tmp_path)}, make_secret=True).database_url)
    with store.read() as connection:
        sunshine = Community("sunshine", "阳光花园", kf_scene="sunshine")
        with_topic = link_to(connection, sunshine, "order-status")
        nobody = link_to(connection, Community("lake", "翠湖里", kf_scene="lake"))
        too_long = link_to(connection, sunshine, "很长" * 40)
    store.close()
    assert with_topic is not None
    assert too_long is not None
    assert with_topic.endswith("&scene_param=sunshine.order-status")
    assert too_long.endswith("&scene_param=sunshine")
    assert nobody is None


def test_without_a_community_each_gets_its_link(
    wechat: WeChat, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kf.link(None, None, None) == 0
    told = capsys.readouterr().out
    assert "阳光花园: http" in told
    assert "翠湖里: http" in told
    assert sorted(path.name for path in (tmp_path / "links").iterdir()) == ["lake.png", "sunshine.png"]
    with pytest.raises(CommandRefused, match="--out takes one picture"):
        kf.link(None, None, tmp_path / "one.png")


def test_what_is_missing_is_told(wechat: WeChat, tmp_path: Path) -> None:
    with pytest.raises(CommandRefused, match="no community nowhere"):
        kf.link("nowhere", None, None)
    with pytest.raises(CommandRefused, match="no customer-service account oa"):
        kf.link("sunshine", "oa", None)
    wechat.kf.faults.answer(95017, to="kf/add_contact_way")
    with pytest.raises(CommandRefused, match="95017"):
        kf.link("sunshine", None, None)
    people = tmp_path / "playground" / "config" / "people.yaml"
    people.write_text(people.read_text(encoding="utf-8").replace("kf_scene: sunshine, ", ""), encoding="utf-8")
    with pytest.raises(CommandRefused, match="has no kf_scene"):
        kf.link("sunshine", None, None)


def test_without_a_customer_service_account_it_says_so(wechat: WeChat, tmp_path: Path) -> None:
    demo_data.prepare(tmp_path, "http://127.0.0.1:1", with_kf=False)
    with pytest.raises(CommandRefused, match="names no customer-service account"):
        kf.link("sunshine", None, None)
