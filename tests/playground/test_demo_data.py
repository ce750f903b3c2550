from __future__ import annotations

import csv
import io
import json
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import combinations, pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from PIL import Image

from config.channels import GroupWebhookConfig, WecomAibotConfig, load_channels
from playground import demo_data, samples
from playground.wechat import BOT_NAME
from shop.directory import Directory
from shop.order_file import OrderFile
from shop.source import SourceLine
from shop.statuses import STATUS_WORDS, status_of

OA, WECOM, KF, BOT = (f"http://127.0.0.1:{port}" for port in range(8101, 8105))
NOW = datetime(2026, 3, 1, 4, 30, tzinfo=UTC)  # 12:30 in China


def test_the_bot_takes_the_demos_channels_people_and_every_order(tmp_path: Path) -> None:
    environment = demo_data.prepare(tmp_path, OA, WECOM, KF, BOT, now=NOW)
    folder = Path(environment["QUNDA_CONFIG_DIR"])

    channels = load_channels(folder / "channels.yaml", environment)
    directory = Directory.load(folder / "people.yaml", environment)
    lines = list(OrderFile(folder / "orders.csv", directory=directory, timezone=ZoneInfo("Asia/Shanghai")).lines())

    served_at = [(channel.name, getattr(channel, "api_base", "")) for channel in channels]
    assert served_at == [("oa", OA), ("app", WECOM), ("kf", KF), ("group-bot", BOT), ("staff-room", "")]
    assert [line for line in lines if not isinstance(line, SourceLine)] == []
    assert len(lines) == 60


def test_the_orders_have_every_status_and_are_dated_around_now(tmp_path: Path) -> None:
    environment = demo_data.prepare(tmp_path, OA, WECOM, now=NOW)
    with (Path(environment["QUNDA_CONFIG_DIR"]) / "orders.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))

    assert {status_of(row["状态"]) for row in rows} == set(STATUS_WORDS)
    assert rows[0]["下单时间"] == "2026-02-27 18:05"
    assert rows[0]["到达时间"] == "2026-03-01 05:30"
    assert not any("{" in cell for row in rows for cell in row.values())


def test_secrets_are_private_and_kept_over_a_restart(tmp_path: Path) -> None:
    first = demo_data.prepare(tmp_path, OA, WECOM, KF, BOT)

    assert demo_data.prepare(tmp_path, OA, WECOM, KF, BOT) == first
    assert stat.S_IMODE((tmp_path / "playground" / "secrets.json").stat().st_mode) == 0o600
    assert demo_data.credentials(tmp_path).oa_secret == first["PLAYGROUND_OA_SECRET"]


def test_each_data_dir_has_secrets_of_its_own(tmp_path: Path) -> None:
    one, other = (demo_data.credentials(tmp_path / name) for name in ("one", "other"))

    assert one.oa_aes_key != other.oa_aes_key
    assert one.oa_secret not in repr(one)


def test_two_processes_that_begin_together_agree_on_the_secrets(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        made = set(threads.map(lambda _: demo_data.credentials(tmp_path), range(8)))

    assert len(made) == 1


def test_what_an_older_file_of_secrets_lacks_is_added(tmp_path: Path) -> None:
    first = demo_data.credentials(tmp_path)
    file = tmp_path / "playground" / "secrets.json"
    older = {name: value for name, value in json.loads(file.read_text()).items() if not name.startswith("kf_")}
    file.write_text(json.dumps(older))

    second = demo_data.credentials(tmp_path)

    assert second.oa_secret == first.oa_secret
    assert second.kf_secret not in ("", first.kf_secret)
    assert demo_data.credentials(tmp_path) == second
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_customer_services_channel_is_there_when_it_is_asked_for(tmp_path: Path) -> None:
    environment = demo_data.prepare(tmp_path, OA, WECOM, KF, with_kf=True)
    channels = yaml.safe_load((Path(environment["QUNDA_CONFIG_DIR"]) / "channels.yaml").read_text(encoding="utf-8"))

    given = {name: environment[value[2:-1]] for name, value in channels["kf"].items() if value.startswith("$")}
    credentials = demo_data.credentials(tmp_path)
    assert (given["api_base"], given["open_kfid"]) == (KF, credentials.open_kfid)
    assert (given["secret"], given["corp_id"]) == (credentials.kf_secret, credentials.corp_id)


def test_the_groups_are_switched_on_by_one_word(tmp_path: Path) -> None:
    environment = demo_data.prepare(tmp_path, OA, WECOM, KF, BOT, with_kf=False, with_groups=True)
    channels = load_channels(Path(environment["QUNDA_CONFIG_DIR"]) / "channels.yaml", environment)
    credentials = demo_data.credentials(tmp_path)

    named = {channel.name: channel for channel in channels}
    group_bot, room = named["group-bot"], named["staff-room"]
    assert isinstance(group_bot, WecomAibotConfig)
    assert isinstance(room, GroupWebhookConfig)
    assert (group_bot.api_base, group_bot.token, group_bot.bot_name) == (BOT, credentials.bot_token, BOT_NAME)
    assert room.url == f"{WECOM}/cgi-bin/webhook/send?key={credentials.room_key}"
    assert "kf" not in named


def test_the_groups_belong_to_the_communities_and_their_members_are_in_the_corporation() -> None:
    cast = demo_data.cast(with_groups=True)
    people = yaml.safe_load((demo_data.DEMO / "people.yaml").read_text(encoding="utf-8"))

    chats = {chat["id"] for community in people["communities"] for chat in community["chats"]}
    assert {chatid for chatid, _ in cast.groups.values()} == chats
    assert {member for _, members in cast.groups.values() for member in members} <= {*cast.staff, *cast.members}


def test_the_customer_service_has_some_free_port_when_nothing_else_is_said(tmp_path: Path) -> None:
    assert demo_data.prepare(tmp_path, OA)[demo_data.KF_URL].startswith("http://127.0.0.1:")


def test_wecom_is_one_port_higher_when_nothing_else_is_said(tmp_path: Path) -> None:
    assert demo_data.prepare(tmp_path, OA)["PLAYGROUND_WECOM_URL"] == WECOM


def test_the_cast_and_what_the_shop_knows_agree(tmp_path: Path) -> None:
    environment = demo_data.prepare(tmp_path, OA, WECOM)
    directory = Directory.load(Path(environment["QUNDA_CONFIG_DIR"]) / "people.yaml", environment)
    cast = demo_data.cast()

    assert {person.name: person.accounts["app"] for person in directory.staff} == {
        name: userid for name, (_, userid) in cast.staff.items()
    }
    customers = demo_data.cast(with_kf=True).customers
    for resident in directory.residents:
        assert resident.accounts.get("oa", cast.residents[resident.name]) == cast.residents[resident.name]
        assert resident.accounts.get("kf", customers[resident.name]) == customers[resident.name]


@pytest.mark.parametrize("subject", sorted(samples.SUBJECTS))
def test_photos_are_readable_jpegs_that_differ(subject: str) -> None:
    pictures = [Image.open(io.BytesIO(samples.photo(f"{subject}-{number}.jpg"))) for number in (1, 2, 3)]

    assert {picture.format for picture in pictures} == {"JPEG"}
    hashes = [_difference_hash(picture) for picture in pictures]
    assert min((one ^ other).bit_count() for one, other in combinations(hashes, 2)) > 8


def test_a_photo_is_the_same_each_time_it_is_drawn() -> None:
    first = samples.photo("bad-apple-1.jpg")
    samples.photo.cache_clear()

    assert samples.photo("bad-apple-1.jpg") == first


def test_a_photo_of_an_unknown_subject_names_the_known_ones() -> None:
    with pytest.raises(KeyError, match="bad-apple"):
        samples.photo("good-apple-1.jpg")


def test_a_voice_sample_is_a_file_of_whole_amr_frames() -> None:
    sound = samples.voice("any", seconds=2)

    frames = sound.removeprefix(samples.AMR_MAGIC)
    assert len(frames) == 100 * 32
    assert set(frames[::32]) == {samples.AMR_HEADER}


def _difference_hash(picture: Image.Image) -> int:
    grey = picture.convert("L").resize((9, 8)).tobytes()
    rows = [grey[start : start + 9] for start in range(0, 72, 9)]
    bits = [left > right for row in rows for left, right in pairwise(row)]
    return sum(bit << place for place, bit in enumerate(bits))
