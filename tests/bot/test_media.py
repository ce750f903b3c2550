from __future__ import annotations

import contextlib
import hashlib
import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import select

from bot.jobs import MEDIA_LOST, MEDIA_REFUSED, MEDIA_STORED, Jobs
from bot.media import UnacceptableMedia, check_image, store_media, stored_path
from bot.message import Media
from bot.storage.tables import attachments, jobs
from tests.bot.conftest import ALICE
from tests.bot.rig import Rig, message

AMR = b"#!AMR\n" + bytes(32)


def picture(kind: str = "JPEG", size: tuple[int, int] = (40, 30)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(buffer, kind)
    return buffer.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A small PNG that says it is huge."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_pictures_are_kept_by_the_hash_of_their_content(tmp_path, kind: str) -> None:
    content = picture(kind)
    stored = store_media(tmp_path, "image", content)
    assert stored_path(tmp_path, stored.sha256).read_bytes() == content
    assert stored.content_type == f"image/{kind.lower()}"
    assert store_media(tmp_path, "image", content) == stored


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"<html>not a picture</html>", "not_an_image"),
        (AMR, "not_an_image"),
        (picture()[:400], "broken"),
        (bomb(60_000, 60_000), "too_many_pixels"),
        (bomb(7_000, 7_000), "too_many_pixels"),
        (b"\xff\xd8" + bytes(10 * 1024 * 1024), "too_large"),
    ],
    ids=["empty", "html", "sound", "cut off", "bomb", "many pixels", "too large"],
)
def test_what_is_no_sound_picture_is_refused_and_leaves_no_file(tmp_path, content: bytes, code: str) -> None:
    with pytest.raises(UnacceptableMedia) as caught:
        store_media(tmp_path, "image", content)
    assert caught.value.code == code
    assert list(tmp_path.rglob("*")) == []


@given(st.binary(max_size=2000))
def test_any_bytes_are_a_picture_or_refused(content: bytes) -> None:
    with contextlib.suppress(UnacceptableMedia):
        assert check_image(content).startswith("image/")


@given(st.data())
def test_a_damaged_picture_is_a_picture_or_refused(data) -> None:
    content = bytearray(picture(data.draw(st.sampled_from(["JPEG", "PNG", "GIF", "WEBP"]))))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(UnacceptableMedia):
        check_image(bytes(content))


@pytest.mark.parametrize(
    ("content", "content_type"),
    [(AMR, "audio/amr"), (b"\x02#!SILK_V3" + bytes(9), "audio/silk"), (b"whatever", "application/octet-stream")],
)
def test_a_voice_message_is_kept_whatever_it_is(tmp_path, content: bytes, content_type: str) -> None:
    assert store_media(tmp_path, "voice", content).content_type == content_type


def film(brand: bytes = b"isom") -> bytes:
    """The head of an MP4, and some bytes."""
    return b"\x00\x00\x00\x18ftyp" + brand + bytes(4) + b"isomavc1" + bytes(200)


@pytest.mark.parametrize("brand", [b"isom", b"mp42", b"avc1"])
def test_a_film_is_kept_as_it_is(tmp_path, brand: bytes) -> None:
    stored = store_media(tmp_path, "video", film(brand))
    assert (stored.kind, stored.content_type) == ("video", "video/mp4")
    assert stored_path(tmp_path, stored.sha256).read_bytes() == film(brand)


def test_of_files_pictures_and_films_are_kept_as_what_they_are(tmp_path) -> None:
    assert store_media(tmp_path, "file", picture("PNG")).kind == "image"
    assert store_media(tmp_path, "file", film()).kind == "video"


@pytest.mark.parametrize("kind", ["video", "file"])
@pytest.mark.parametrize(
    "content",
    [
        b"<html><script>alert(1)</script></html>",
        b"MZ this is a program",
        b"%PDF-1.7 a document",
        b"PK\x03\x04 an archive",
        b"\x00\x00\x00\x18ftypheic a picture in the same wrapping",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        AMR,
        b"",
        b"\x00\x00\x00\x18ftypisom" + bytes(10 * 1024 * 1024),
    ],
    ids=["html", "program", "document", "archive", "heic", "svg", "sound", "empty", "too large"],
)
def test_whatever_else_comes_as_a_film_or_a_file_is_refused_and_leaves_no_file(tmp_path, kind, content: bytes) -> None:
    with pytest.raises(UnacceptableMedia):
        store_media(tmp_path, kind, content)
    assert list(tmp_path.rglob("*")) == []


class Fetching:
    """Jobs that fetch from the playground's platform."""

    def __init__(self, store, clock, channels, wechat, tmp_path) -> None:
        self.events: list[tuple[str, dict]] = []
        self.wechat = wechat
        self.rig = Rig(store, clock, self._notice)
        self.jobs = Jobs(store=store, clock=clock, channels=channels, media_dir=tmp_path, turns=self.rig.turns)

    def _notice(self, turn):
        if turn.message.kind == "event":
            self.events.append((turn.message.event, dict(turn.message.extra)))
        return None

    def picture(self, content: bytes) -> int:
        item = self.wechat.oa.media.add("image", content)
        self.rig.take(message(kind="image", media=Media("image", item.id), account=ALICE))
        return self.rig.wakes.jobs[-1]

    def rows(self) -> tuple[list, list]:
        with self.rig.store.read() as connection:
            return list(connection.execute(select(attachments))), list(connection.execute(select(jobs)))


@pytest.fixture
def fetching(store, clock, channels, wechat, tmp_path) -> Fetching:
    return Fetching(store, clock, channels, wechat, tmp_path)


def test_a_picture_is_fetched_stored_and_told_in_a_turn_of_its_own(fetching: Fetching, tmp_path) -> None:
    content = picture()
    fetching.jobs.run(fetching.picture(content))
    (attachment,), (job,) = fetching.rows()
    assert (attachment.status, job.status) == ("stored", "done")
    assert stored_path(tmp_path, attachment.sha256).read_bytes() == content
    assert [name for name, _ in fetching.events] == [MEDIA_STORED]


def test_a_done_job_is_not_done_again(fetching: Fetching) -> None:
    job = fetching.picture(picture())
    fetching.jobs.run(job)
    fetching.jobs.run(job)
    assert fetching.wechat.oa.calls("media/get") == 1
    assert len(fetching.events) == 1


def test_a_worker_that_died_in_the_middle_is_followed_by_another_with_one_outcome(fetching: Fetching, clock) -> None:
    job = fetching.picture(picture())
    fetching.jobs._claim(job)  # the first worker takes it, and is never heard of again
    fetching.jobs.run(job)
    assert fetching.events == []
    clock.advance(minutes=3)
    fetching.jobs.run(job)
    fetching.jobs.run(job)
    assert [name for name, _ in fetching.events] == [MEDIA_STORED]


def test_a_file_that_is_no_picture_is_refused_and_told(fetching: Fetching) -> None:
    fetching.jobs.run(fetching.picture(b"MZ this is a program"))
    (attachment,), (job,) = fetching.rows()
    assert (attachment.status, attachment.reason, job.status) == ("refused", "not_an_image", "done")
    assert [name for name, _ in fetching.events] == [MEDIA_REFUSED]


def test_a_file_over_ten_megabytes_is_refused_without_reading_it_whole(fetching: Fetching) -> None:
    job = fetching.picture(picture())
    store = fetching.wechat.oa.media
    with fetching.wechat.world.changed:
        for item in list(store._items.values()):
            store._items[item.id] = type(item)(**{**_fields(item), "content": bytes(10 * 1024 * 1024 + 1)})
    fetching.jobs.run(job)
    (attachment,), _ = fetching.rows()
    assert (attachment.status, attachment.reason) == ("refused", "too_large")


def _fields(item) -> dict:
    return {name: getattr(item, name) for name in type(item).__dataclass_fields__}


def test_media_that_the_platform_no_longer_has_is_lost_and_told(fetching: Fetching, clock) -> None:
    job = fetching.picture(picture())
    clock.advance(days=4)
    fetching.jobs.run(job)
    (attachment,), _ = fetching.rows()
    assert attachment.status == "lost"
    assert [name for name, _ in fetching.events] == [MEDIA_LOST]


def test_an_unreachable_platform_is_asked_again_later(fetching: Fetching, clock) -> None:
    job = fetching.picture(picture())
    fetching.wechat.oa.server.refuse()
    fetching.jobs.run(job)
    assert fetching.rows()[1][0].status == "queued"
    fetching.wechat.oa.server.accept()
    clock.advance(seconds=10)
    fetching.jobs.run(job)
    assert fetching.rows()[1][0].status == "done"


def test_a_photo_that_cannot_be_stored_is_tried_again_and_in_the_end_told(fetching: Fetching, clock, tmp_path) -> None:
    job = fetching.picture(picture())
    digest = hashlib.sha256(picture()).hexdigest()
    (tmp_path / digest[:2]).write_text("a file stands where the folder should be")
    for _ in range(8):
        fetching.jobs.run(job)
        clock.advance(minutes=10)
    (attachment,), (row,) = fetching.rows()
    assert (attachment.status, row.status) == ("lost", "done")
    assert [name for name, _ in fetching.events] == [MEDIA_LOST]
