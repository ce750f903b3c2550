"""The address by which residents of a community come to the customer service, as ``./qunda kf link`` has made it."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from sqlalchemy import Connection, delete, insert, select

from shop.directory import Community
from shop.tables import kf_links

LONGEST_SCENE_PARAM = 128
"""Bytes, behind the address and url-encoded. Source: developer.work.weixin.qq.com document 94665."""


def keep_link(connection: Connection, channel: str, community: Community, url: str, now: datetime) -> None:
    """Remembers the address that the platform gave for a community; the newest counts. Needs a write transaction."""
    known = (kf_links.c.channel == channel) & (kf_links.c.scene == community.kf_scene)
    connection.execute(delete(kf_links).where(known))
    row = {"channel": channel, "scene": community.kf_scene, "url": url, "made_at": now}
    connection.execute(insert(kf_links), row)


def link_to(connection: Connection, community: Community, topic: str = "") -> str | None:
    """The address for a community's residents; None while none was made.

    ``topic``: what was spoken of in the group, as the id of a knowledge entry or the name of a skill; the private chat
    goes on with it.
    """
    if not community.kf_scene:
        return None
    query = select(kf_links.c.url).where(kf_links.c.scene == community.kf_scene)
    url = connection.execute(query.order_by(kf_links.c.made_at.desc()).limit(1)).scalar()
    return whole_link(url, community, topic) if url else None


def whole_link(url: str, community: Community, topic: str = "") -> str:
    """The platform's address with what the event of entering shall tell. A topic that is too long is left out."""
    told = quote(f"{community.kf_scene}.{topic}" if topic else community.kf_scene, safe="")
    if len(told) > LONGEST_SCENE_PARAM:
        told = quote(community.kf_scene, safe="")
    return f"{url}{'&' if '?' in url else '?'}scene_param={told}"
