"""What the end of fetching a photo or voice message means for the resident and for staff."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.clock import ShiftedClock
from bot.media import MAX_BYTES
from bot.storage.store import Store
from bot.storage.tables import attachments
from tests.handlers.claim_talk import Stage, Talk, picture


@pytest.fixture
def stage(store: Store, clock: ShiftedClock, tmp_path: Path) -> Stage:
    return Stage(store, clock, tmp_path / "media")


@pytest.fixture
def talk(stage: Stage) -> Talk:
    stage.bought(stage.resident(), "红富士苹果")
    talk = Talk(stage)
    talk.say("昨天的苹果烂了一半，退钱吧")
    return talk


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"x" * (MAX_BYTES + 1), "太大"),
        (b"no picture at all", "不是照片"),
        (picture()[:200], "没传完整"),
        (b"", "没传完整"),
    ],
)
def test_a_photo_that_cannot_be_used_is_asked_for_again(stage: Stage, talk: Talk, content: bytes, words: str) -> None:
    talk.photo("bad", content=content)
    stage.fetch_media()
    [told] = talk.unsolicited()
    assert words in told
    assert "照片" in talk.say("好了")
    talk.photo("good")
    talk.say("好了")
    assert stage.photos_of(stage.claims()[0].id) == ["good"]


def test_a_photo_that_the_platform_has_lost_is_asked_for_again(stage: Stage, talk: Talk) -> None:
    talk.photo("gone")
    del stage.shelf.pictures["gone"]
    stage.fetch_media()
    assert "没收全" in talk.unsolicited()[0]


def test_several_unusable_photos_are_told_of_once_and_a_new_attempt_again(stage: Stage, talk: Talk) -> None:
    for name in ("a", "b", "c"):
        talk.photo(name, content=b"no picture")
    stage.fetch_media()
    assert len(talk.unsolicited()) == 1
    talk.photo("d", content=b"no picture")
    stage.fetch_media()
    assert len(talk.unsolicited()) == 2


def test_an_unusable_photo_leaves_the_evidence_of_a_submitted_claim(stage: Stage, talk: Talk) -> None:
    talk.photo("good")
    talk.photo("bad", content=b"no picture")
    talk.say("好了")
    assert stage.photos_of(stage.claims()[0].id) == ["good", "bad"]
    stage.fetch_media()
    assert stage.photos_of(stage.claims()[0].id) == ["good"]
    assert len(talk.unsolicited()) == 1


def test_a_photo_is_kept_by_its_hash(stage: Stage, talk: Talk) -> None:
    talk.photo("good")
    stage.fetch_media()
    [row] = stage.rows(attachments)
    assert row.status == "stored"
    assert (stage.media_dir / row.sha256[:2] / row.sha256).read_bytes() == stage.shelf.pictures["good"]


def test_a_photo_in_a_waiting_conversation_is_shown_to_staff(stage: Stage) -> None:
    stage.resident()
    talk = Talk(stage)
    talk.say("我要找人工")
    assert "给正在帮您的人看" in talk.photo("look")
    stage.fetch_media()
    assert {"attachment": 1} in [row.payload for row in stage.told("ZhangLeader")]


def test_a_lost_voice_message_is_told_to_staff(stage: Stage) -> None:
    stage.resident()
    talk = Talk(stage)
    talk.photo("voice", kind="voice")
    del stage.shelf.pictures["voice"]
    stage.fetch_media()
    assert not talk.unsolicited()
    assert "语音没有收到" in stage.told("ZhangLeader")[-1].payload["text"]


FILM = b"\x00\x00\x00\x18ftypmp42" + bytes(300)


def shown_to(stage: Stage, account: str) -> list[int]:
    """The attachments that somebody of staff is shown, in order."""
    return [row.payload["attachment"] for row in stage.told(account) if row.kind == "attachment"]


def test_a_video_goes_along_with_the_claim_and_is_no_photo_of_it(stage: Stage, talk: Talk) -> None:
    answer = talk.photo("clip", kind="video", content=FILM)
    assert "视频收到了" in answer
    assert "还差一张照片" in answer
    assert "还有照片吗" in talk.photo("one")
    stage.fetch_media()
    assert shown_to(stage, "ZhangLeader") == []

    talk.say("好了")
    [claim] = stage.claims()
    assert stage.photos_of(claim.id) == ["one", "clip"]
    assert sorted(shown_to(stage, "ZhangLeader")) == [1, 2]
    assert "照片：1 张" in "".join(row.payload.get("text", "") for row in stage.told("ZhangLeader"))


def test_a_video_that_is_fetched_after_the_claim_is_shown_then(stage: Stage, talk: Talk) -> None:
    talk.photo("clip", kind="video", content=FILM)
    talk.photo("one")
    talk.say("好了")
    assert shown_to(stage, "ZhangLeader") == []
    stage.fetch_media()
    assert sorted(shown_to(stage, "ZhangLeader")) == [1, 2]


def test_a_video_before_the_words_belongs_to_the_claim(stage: Stage) -> None:
    stage.bought(stage.resident(), "红富士苹果")
    talk = Talk(stage)
    assert "视频我看不了" in talk.photo("clip", kind="video", content=FILM)
    talk.say("昨天的苹果烂了一半，退钱吧")
    talk.photo("one")
    talk.say("好了")
    assert stage.photos_of(stage.claims()[0].id) == ["one", "clip"]


def test_a_video_belongs_to_one_claim_only(stage: Stage, talk: Talk) -> None:
    talk.photo("clip", kind="video", content=FILM)
    talk.photo("one")
    talk.say("好了")
    stage.bought(1, "香蕉", order_no="20261119800288")
    talk.say("香蕉也烂了一半，退钱")
    talk.photo("two")
    talk.say("好了")
    assert [stage.photos_of(claim.id) for claim in stage.claims()] == [["one", "clip"], ["two"]]


def test_a_video_while_a_ticket_waits_is_shown_to_staff(stage: Stage) -> None:
    stage.resident()
    talk = Talk(stage)
    talk.say("我要找人工")
    assert "会给处理的人看" in talk.photo("clip", kind="video", content=FILM)
    stage.fetch_media()
    assert shown_to(stage, "ZhangLeader") == [1]


def test_a_video_in_a_draft_is_shown_to_the_person_who_takes_over(stage: Stage, talk: Talk) -> None:
    talk.photo("clip", kind="video", content=FILM)
    stage.fetch_media()
    talk.say("人工")
    assert shown_to(stage, "ZhangLeader") == [1]


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"<html>no film</html>", "视频打不开"), (FILM + bytes(MAX_BYTES), "视频太大"), (None, "视频没收全")],
)
def test_a_video_that_cannot_be_kept_is_told(stage: Stage, talk: Talk, content: bytes | None, words: str) -> None:
    talk.photo("clip", kind="video", content=content)
    if content is None:
        del stage.shelf.pictures["clip"]
    stage.fetch_media()
    assert words in talk.unsolicited()[0]


def test_a_video_that_nobody_waits_for_is_not_spoken_of_again(stage: Stage) -> None:
    stage.resident()
    talk = Talk(stage)
    talk.photo("clip", kind="video", content=b"no film")
    stage.fetch_media()
    assert not talk.unsolicited()


def test_a_file_is_answered_in_words_and_kept_when_it_is_a_picture(stage: Stage) -> None:
    stage.resident()
    talk = Talk(stage)
    talk.say("我要找人工")
    assert "文件我打不开" in talk.photo("photo.jpg", kind="file")
    assert "文件我打不开" in talk.photo("virus", kind="file", content=b"MZ a program")
    stage.fetch_media()
    assert [(row.kind, row.status) for row in stage.rows(attachments)] == [("image", "stored"), ("file", "refused")]
    assert shown_to(stage, "ZhangLeader") == [1]
    assert not talk.unsolicited()
