"""What the playground may see and do inside the bot. The web process has it only when ``up`` runs the playground."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, jsonify, redirect, request
from sqlalchemy import Connection, Row, ScalarResult, Select, Table, delete, or_, select
from werkzeug.wrappers import Response as AnyResponse

from bot.conversation import Conversation, Turn
from bot.inbox import stored_message
from bot.storage.tables import attachments, conversations, cursors, inbox, metadata, outbox
from claims.tables import claims
from compose import Bot
from config.channels import ChannelConfig, GroupWebhookConfig, load_channels
from config.errors import ConfigError
from config.settings import Settings
from escalation.tables import ticket_events, tickets
from handlers.reading import Readings
from handlers.speaker import Speakers
from handlers.state import HISTORY
from shop.importing import import_orders
from shop.residents import sync_directory
from shop.tables import kf_links

DEMO_ORDERS = "orders.csv"
END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)


def playground_routes(bot: Bot, playground_url: str) -> Blueprint:
    """``/playground/``, which leads to the page; and ``/inspection/`` for who has the token of this start.

    Raises ConfigError together with channels that lead anywhere else than to the playground.
    """
    settings = bot.ground.settings
    refuse_real_channels(settings, playground_url)
    routes = Blueprint("inspection", __name__)

    @routes.get("/playground/")
    def page() -> AnyResponse:
        # Under the name by which this machine was reached, which may be another one than it has for itself.
        name = request.host.removesuffix(f":{urlsplit(request.host_url).port}")
        return redirect(f"http://{name}:{urlsplit(playground_url).port}/playground/")

    @routes.get("/inspection/<channel>/message")
    def message(channel: str) -> Response:
        _check_token(settings)
        return _message(bot, channel, request.args.get("key", ""))

    @routes.post("/inspection/forget")
    def forget() -> Response:
        _check_token(settings)
        _forget(bot)
        return jsonify(ok=True)

    return routes


def refuse_real_channels(settings: Settings, playground_url: str) -> None:
    """Raises ConfigError for the first channel whose API is not the playground's."""
    for channel in load_channels(settings.file("channels.yaml"), settings.environ):
        leads_to = _host(channel)
        if leads_to != urlsplit(playground_url).hostname:
            raise ConfigError(
                f"QUNDA_PLAYGROUND_URL is set, but the channel {channel.name} leads to {leads_to}",
                "unset QUNDA_PLAYGROUND_URL: the playground shows what residents write, and never runs with real ones",
            )


def _host(channel: ChannelConfig) -> str | None:
    """Where a channel's API is, and nothing more: a webhook's address holds its key."""
    return urlsplit(channel.url if isinstance(channel, GroupWebhookConfig) else channel.api_base).hostname


def _check_token(settings: Settings) -> None:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not settings.inspection_token or not secrets.compare_digest(given.encode(), settings.inspection_token.encode()):
        abort(404)


def _message(bot: Bot, channel: str, key: str) -> Response:
    """The inbox row whose key begins so, how its words are understood, and what was written since."""
    with bot.store.read() as connection:
        query = select(inbox).where(inbox.c.channel == channel, inbox.c.dedupe_key.startswith(key, autoescape=True))
        came = connection.execute(query.order_by(inbox.c.id)).first() if key else None
        if came is None:
            return jsonify(message=None)
        conversation = connection.execute(select(conversations).where(conversations.c.id == came.conversation_id)).one()
        earlier = _earlier_words(connection, came)
        records = {
            name: [_plain(row) for row in connection.execute(query)] for name, query in _records(connection, came)
        }
    return jsonify(
        message=_plain(came),
        understanding=_understanding(bot, came, conversation, earlier),
        conversation={"holder": conversation.holder, "flow": conversation.state.get("flow")},
        records=records,
    )


def _earlier_words(connection: Connection, came: Row[Any]) -> list[str]:
    query = select(inbox.c.text).where(inbox.c.conversation_id == came.conversation_id, inbox.c.id < came.id)
    words: ScalarResult[str] = connection.scalars(
        query.where(inbox.c.text != "").order_by(inbox.c.id.desc()).limit(HISTORY)
    )
    return list(words)[::-1]


def _understanding(bot: Bot, came: Row[Any], conversation: Row[Any], earlier: list[str]) -> Mapping[str, Any] | None:
    """Read once more with the same earlier words; None for what is not read: commands of staff, and no words."""
    if not came.text.strip() or bot.rooms.directory.staff_by_account(came.channel, conversation.account):
        return None
    speakers = Speakers(bot.store, bot.rooms.directory, bot.rooms.texts)
    where = Conversation(
        id=conversation.id,
        channel=conversation.channel,
        account=conversation.account,
        chat=conversation.chat,
        version=conversation.version,
        state={"history": earlier},
        holder=None,
        followed=False,
    )
    turn = Turn(stored_message(came, conversation), where, came.received_at)
    return Readings(lambda: bot.snapshots.current, speakers).of(turn).as_dict()


def _records(connection: Connection, came: Row[Any]) -> list[tuple[str, Select[Any]]]:
    """What was written in this message's turn, whosever it is, and in its conversation until the next message."""
    began, here = came.received_at, came.conversation_id
    later = select(inbox.c.received_at).where(
        inbox.c.conversation_id == here, inbox.c.id > came.id, inbox.c.dedupe_key.not_like("job:%")
    )
    ended = connection.execute(later.order_by(inbox.c.id).limit(1)).scalar() or END_OF_TIME
    about = ticket_events.join(tickets, tickets.c.id == ticket_events.c.ticket_id)

    def written(column: Any, owner: Any) -> Any:
        return or_(column == began, (owner == here) & (column >= began) & (column < ended))

    return [
        ("outbox", select(outbox).where(written(outbox.c.created_at, outbox.c.conversation_id)).order_by(outbox.c.id)),
        ("tickets", select(tickets).where(written(tickets.c.opened_at, tickets.c.conversation_id))),
        (
            "ticket_events",
            select(ticket_events).select_from(about).where(written(ticket_events.c.at, tickets.c.conversation_id)),
        ),
        (
            "claims",
            select(claims).where(
                or_(written(claims.c.submitted_at, claims.c.conversation_id), claims.c.decided_at == began)
            ),
        ),
        ("attachments", select(attachments).where(attachments.c.inbox_id == came.id)),
    ]


def _plain(row: Row[Any]) -> dict[str, Any]:
    """A row for JSON, without what is empty."""
    values = row._mapping.items()
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values
        if value not in (None, "", {}, [])
    }


def _forget(bot: Bot) -> None:
    """A demo begins anew: no record is left, and the demo's people and orders are as on the first day."""
    settings, directory = bot.ground.settings, bot.rooms.directory
    orders = settings.config_dir / DEMO_ORDERS
    if not orders.exists():
        abort(409, f"{settings.config_dir} holds no demo")
    now = bot.clock.now()
    with bot.store.write() as connection:
        for table in _of_conversations():
            connection.execute(delete(table))
        sync_directory(connection, directory, now)
    import_orders(bot.store, orders, directory=directory, timezone=settings.timezone, now=now, dry_run=False)


def _of_conversations() -> list[Table]:
    """Every table, those that point to others first; but what was read stays read, and the communities' links hold."""
    return [table for table in reversed(metadata.sorted_tables) if table not in (cursors, kf_links)]
