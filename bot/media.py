"""Pictures, sounds and films: checked for type, size and decompression bombs, and kept by the hash of their content."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from bot.errors import BotError

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 40_000_000

_IMAGE_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp", "BMP": "image/bmp"}
# What a sound is, is told by its first bytes and not by its name: ".amr" files have been SILK.
_SOUNDS = (
    (b"#!AMR", "audio/amr"),
    (b"\x02#!SILK", "audio/silk"),
    (b"#!SILK", "audio/silk"),
    (b"RIFF", "audio/wav"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
)
_FILM = "video/mp4"
# What an MP4 says it is; pictures and sounds come in the same wrapping, under other brands.
_FILM_BRANDS = frozenset(
    {b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"MSNV", b"dash"}
)


class UnacceptableMedia(BotError):
    """The file is not what it should be: ``code`` is empty, too_large, not_an_image, too_many_pixels, not_a_film or
    broken.
    """

    code = "broken"


@dataclass(frozen=True, slots=True)
class StoredMedia:
    """A file in the media store; ``sha256`` names it, ``kind`` is what it has turned out to be."""

    kind: str
    sha256: str
    content_type: str
    size: int


def store_media(media_dir: Path, kind: str, content: bytes) -> StoredMedia:
    """Checks a downloaded file and keeps it; ``kind``: image, voice, video or file. Raises UnacceptableMedia.

    A sound of unknown kind is kept all the same: a person can listen to it, and no voice message is ever lost. Of what
    was sent as a file only pictures and films are kept, whatever it is called.
    """
    if not content:
        raise UnacceptableMedia("the file is empty", code="empty")
    if len(content) > MAX_BYTES:
        raise UnacceptableMedia("the file is too large", code="too_large")
    kind, content_type = _recognised(kind, content)
    digest = hashlib.sha256(content).hexdigest()
    _write_once(stored_path(media_dir, digest), content)
    return StoredMedia(kind, digest, content_type, len(content))


def stored_path(media_dir: Path, sha256: str) -> Path:
    """Where the file with this hash lies."""
    return media_dir / sha256[:2] / sha256


def check_image(content: bytes) -> str:
    """Decodes a picture within the pixel limit; returns its content type. Raises UnacceptableMedia."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=tuple(_IMAGE_TYPES)) as image:
                kind = image.format or ""
                if image.width * image.height > MAX_PIXELS:
                    raise UnacceptableMedia("too many pixels", code="too_many_pixels")
                image.draft("RGB", (1024, 1024))
                image.load()
    except UnacceptableMedia:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UnacceptableMedia("too many pixels", code="too_many_pixels") from None
    except Image.UnidentifiedImageError:
        raise UnacceptableMedia("not a picture", code="not_an_image") from None
    except (OSError, ValueError, SyntaxError, MemoryError, EOFError, IndexError, ArithmeticError):
        raise UnacceptableMedia("the picture is broken", code="broken") from None
    return _IMAGE_TYPES[kind]


def _recognised(kind: str, content: bytes) -> tuple[str, str]:
    """What a file is, and its content type."""
    if kind == "image":
        return kind, check_image(content)
    if kind == "voice":
        found = (content_type for start, content_type in _SOUNDS if content.startswith(start))
        return kind, next(found, "application/octet-stream")
    if content[4:8] == b"ftyp" and content[8:12] in _FILM_BRANDS:
        return "video", _FILM
    if kind == "video":
        raise UnacceptableMedia("not a film", code="not_a_film")
    return "image", check_image(content)


def _write_once(path: Path, content: bytes) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(file.name, path)
