"""Temporary media: a file goes to the platform first, then a message names its id."""

from __future__ import annotations

import io
from typing import Any

from bot.channels.channel import Outgoing
from bot.errors import PlatformUnreachable, ResultUnknown

_SUFFIX = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "audio/amr": "amr",
    "video/mp4": "mp4",
}


def upload(client: Any, outgoing: Outgoing) -> str:
    """Uploads the content of a picture, sound or film through a wechatpy client; returns its media id.

    An upload that may or may not have arrived does no harm, so its loss counts as unreachable.
    """
    name = f"{outgoing.kind}.{_SUFFIX.get(outgoing.content_type, 'bin')}"
    file = (name, io.BytesIO(outgoing.content), outgoing.content_type or "application/octet-stream")
    try:
        answer = client.media.upload(outgoing.kind, file)
    except ResultUnknown:
        raise PlatformUnreachable("the upload's answer was lost") from None
    return str(answer["media_id"])
