"""Photos and voice messages to send: drawn and made up, the same bytes for the same name each time."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from random import Random

from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[int, int, int]

SIZE = (960, 720)
TABLE: Colour = (196, 164, 124)
# AMR-NB (3GPP TS 26.101): the header byte of a 12.2 kbit/s frame of good quality, 20 ms of sound in 31 bytes.
AMR_MAGIC = b"#!AMR\n"
AMR_HEADER = 0x3C
AMR_FRAME_BYTES = 31
AMR_FRAMES_PER_SECOND = 50


@dataclass(frozen=True, slots=True)
class Subject:
    """What is on a photo: so many round or long things of one colour, with spots of another."""

    skin: Colour
    spots: Colour
    count: int
    radius: int
    length: float = 1.0


SUBJECTS = {
    "bad-apple": Subject((188, 44, 40), (74, 46, 26), 3, 150),
    "rotten-tomato": Subject((214, 62, 38), (52, 60, 44), 4, 120),
    "mouldy-strawberry": Subject((206, 32, 56), (214, 218, 206), 9, 72, 1.25),
    "black-banana": Subject((224, 190, 70), (58, 40, 24), 3, 80, 3.2),
    "broken-eggs": Subject((226, 186, 150), (240, 196, 60), 8, 86, 1.2),
    "mouldy-orange": Subject((236, 140, 36), (104, 140, 120), 4, 130),
    "limp-greens": Subject((110, 146, 62), (196, 180, 70), 6, 70, 2.6),
    "soft-grapes": Subject((150, 178, 84), (96, 74, 44), 16, 58),
}


@cache
def photo(name: str) -> bytes:
    """A JPEG by a name such as ``bad-apple-2.jpg``: the subject, and which picture of it.

    Raises ``KeyError`` that lists the subjects when there is no such one.
    """
    subject = SUBJECTS.get(name.removesuffix(".jpg").rpartition("-")[0])
    if subject is None:
        raise KeyError(f"there is no photo {name}; write one of {', '.join(SUBJECTS)} with -1.jpg, -2.jpg … after it")
    chance = Random(name)
    picture = _table(chance)
    for _ in range(subject.count):
        _draw_thing(picture, subject, chance)
    grain = Image.frombytes("L", SIZE, chance.randbytes(SIZE[0] * SIZE[1])).convert("RGB")
    output = io.BytesIO()
    Image.blend(picture, grain, 0.06).save(output, "JPEG", quality=82)
    return output.getvalue()


@cache
def voice(name: str, seconds: float = 1.0) -> bytes:
    """A well-formed AMR file of that length; nobody says anything in it."""
    chance = Random(name)
    frames = (
        bytes([AMR_HEADER]) + chance.randbytes(AMR_FRAME_BYTES) for _ in range(int(seconds * AMR_FRAMES_PER_SECOND))
    )
    return AMR_MAGIC + b"".join(frames)


def _table(chance: Random) -> Image.Image:
    picture = Image.new("RGB", SIZE, TABLE)
    draw = ImageDraw.Draw(picture)
    top = 0
    while top < SIZE[1]:
        height = chance.randint(60, 150)
        draw.rectangle((0, top, SIZE[0], top + height), fill=_shade(TABLE, chance.uniform(0.8, 1.1)))
        draw.line((0, top, SIZE[0], top), fill=_shade(TABLE, 0.55), width=4)
        top += height
    return picture


def _draw_thing(picture: Image.Image, subject: Subject, chance: Random) -> None:
    """One fruit on a layer of its own, shaded towards the rim, turned, and laid on the table with its shadow."""
    long, wide = int(subject.radius * subject.length), subject.radius
    layer = Image.new("RGBA", (2 * long, 2 * wide))
    draw = ImageDraw.Draw(layer)
    for step in range(20):
        inset, light = step / 20, 0.6 + 0.5 * step / 20
        box = (inset * long * 0.8, inset * wide * 0.8, 2 * long - inset * long, 2 * wide - inset * wide)
        draw.ellipse(box, fill=(*_shade(subject.skin, light), 255))
    outline = layer.getchannel("A")
    for _ in range(chance.randint(2, 4)):
        _draw_spot(draw, subject, chance, (long, wide))
    layer.putalpha(outline)
    turned = layer.rotate(chance.uniform(0, 360), expand=True)
    place = (chance.randint(-40, SIZE[0] - turned.width + 40), chance.randint(-40, SIZE[1] - turned.height + 40))
    shadow = turned.getchannel("A").point(lambda value: value // 2).filter(ImageFilter.GaussianBlur(12))
    picture.paste((40, 30, 20), (place[0] + 14, place[1] + 18), shadow)
    picture.paste(turned, place, turned)


def _draw_spot(draw: ImageDraw.ImageDraw, subject: Subject, chance: Random, centre: tuple[int, int]) -> None:
    reach = subject.radius * 0.7
    x = centre[0] + chance.uniform(-reach, reach) * subject.length
    y = centre[1] + chance.uniform(-reach, reach)
    for _ in range(9):
        size = subject.radius * chance.uniform(0.1, 0.28)
        left, top = x + chance.uniform(-size, size), y + chance.uniform(-size, size)
        draw.ellipse(
            (left - size, top - size, left + size, top + size),
            fill=(*_shade(subject.spots, chance.uniform(0.7, 1.15)), 255),
        )


def _shade(colour: Colour, light: float) -> Colour:
    red, green, blue = (min(255, int(part * light)) for part in colour)
    return red, green, blue
