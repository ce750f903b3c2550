"""Tables of residents and what they ordered."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Numeric, String, Table, UniqueConstraint

from bot.storage.tables import metadata
from bot.storage.types import BigId, Instant, Json

residents = Table(
    "residents",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("phone", String(16), unique=True),
    Column("community_id", String(64)),
    Column("elder", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

resident_accounts = Table(
    "resident_accounts",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("channel", String(64), nullable=False),
    Column("account", String(128), nullable=False),
    Column("resident_id", BigId, ForeignKey("residents.id"), nullable=False, index=True),
    Column("bound_at", Instant, nullable=False),
    # who says so: file (people.yaml), orders (an imported file) or proof (the resident, in a chat)
    Column("how", String(16), nullable=False),
    UniqueConstraint("channel", "account"),
)

order_lines = Table(
    "order_lines",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("order_no", String(64), nullable=False),
    Column("product", String(120), nullable=False),
    Column("spec", String(120), nullable=False),
    Column("resident_id", BigId, ForeignKey("residents.id"), nullable=False),
    Column("community_id", String(64)),
    Column("batch", String(64), nullable=False),
    # pieces or kilograms; three decimals, so a float keeps it exactly enough
    Column("quantity", Numeric(12, 3, asdecimal=False), nullable=False),
    Column("amount_fen", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("pickup_code", String(32), nullable=False),
    Column("ordered_at", Instant, nullable=False),
    Column("eta", Instant),
    Column("arrived_at", Instant),
    Column("notes", Json, nullable=False),
    Column("updated_at", Instant, nullable=False),
    UniqueConstraint("order_no", "product", "spec"),
    Index("ix_order_lines_resident", "resident_id", "ordered_at"),
    Index("ix_order_lines_pickup_code", "pickup_code"),
)

kf_links = Table(
    "kf_links",
    metadata,
    # The address of a customer-service account for a community, by the scene_param that stands behind it.
    Column("channel", String(64), primary_key=True),
    Column("scene", String(128), primary_key=True),
    # as the platform gave it, without the scene_param
    Column("url", String(1024), nullable=False),
    Column("made_at", Instant, nullable=False),
)
