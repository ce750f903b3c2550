"""What people do on their phones, in the platforms' own field names."""

from __future__ import annotations

from collections.abc import Sequence

from playground.platform.xml import Fields

Payload = dict[str, "str | int | float | Fields | Sequence[Fields]"]


def text(content: str, menu_id: str = "") -> Payload:
    """``menu_id`` is that of the line of a menu message that was tapped instead of writing."""
    tapped = {"bizmsgmenuid": menu_id} if menu_id else {}
    return {"MsgType": "text", "Content": content, **tapped}


def image(media_id: str, pic_url: str) -> Payload:
    return {"MsgType": "image", "PicUrl": pic_url, "MediaId": media_id}


def voice(media_id: str, *, media_id_16k: str = "", recognition: str | None = None) -> Payload:
    """``recognition`` None leaves the field out, as WeCom does; an empty one is what the Official Account sends."""
    payload: Payload = {"MsgType": "voice", "MediaId": media_id, "Format": "amr"}
    if media_id_16k:
        payload["MediaId16K"] = media_id_16k
    if recognition is not None:
        payload["Recognition"] = recognition
    return payload


def video(media_id: str, thumb_media_id: str) -> Payload:
    return {"MsgType": "video", "MediaId": media_id, "ThumbMediaId": thumb_media_id}


def location(latitude: float, longitude: float, label: str) -> Payload:
    return {
        "MsgType": "location",
        "Location_X": latitude,
        "Location_Y": longitude,
        "Scale": 16,
        "Label": label,
    }


def link(title: str, description: str, url: str) -> Payload:
    return {"MsgType": "link", "Title": title, "Description": description, "Url": url}


def event(name: str, key: str = "", **fields: str | int) -> Payload:
    return {"MsgType": "event", "Event": name, "EventKey": key, **fields}
