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


def test_a_video_is_answered_in_words_and_the_claim_goes_on(talk: Talk) -> None:
    answer = talk.photo("clip", kind="video")
    assert "视频" in answer
    assert "还差一张照片" in answer
    assert "还有照片吗" in talk.photo("one")
