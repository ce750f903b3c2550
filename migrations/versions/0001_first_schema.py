"""The first schema: conversations and their boxes, residents and orders, tickets, claims."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:

    op.create_table(
        "conversations",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=128), nullable=False),
        sa.Column("chat", sa.String(length=128), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", JSON, nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=True),
        sa.Column("followed", sa.Boolean(), nullable=False),
        sa.Column("window_opened_at", INSTANT, nullable=True),
        sa.Column("window_sent", sa.Integer(), nullable=False),
        sa.Column("burst_began_at", INSTANT, nullable=True),
        sa.Column("burst_count", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversations")),
        sa.UniqueConstraint("channel", "account", "chat", name=op.f("uq_conversations_channel_account_chat")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("payload", JSON, nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.Column("error", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("key", name=op.f("uq_jobs_key")),
    )
    op.create_index("ix_jobs_due", "jobs", ["status", "due_at"], unique=False)

    op.create_table(
        "residents",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("phone", sa.String(length=16), nullable=True),
        sa.Column("community_id", sa.String(length=64), nullable=True),
        sa.Column("elder", sa.Boolean(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_residents")),
        sa.UniqueConstraint("phone", name=op.f("uq_residents_phone")),
    )
    op.create_table(
        "inbox",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("dedupe_key", sa.String(length=200), nullable=False),
        sa.Column("conversation_id", BIG_ID, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("payload", JSON, nullable=False),
        sa.Column("sent_at", INSTANT, nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("handler", sa.String(length=64), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_inbox_conversation_id_conversations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        sa.UniqueConstraint("channel", "dedupe_key", name=op.f("uq_inbox_channel_dedupe_key")),
    )
    op.create_index("ix_inbox_conversation", "inbox", ["conversation_id", "id"], unique=False)

    op.create_table(
        "order_lines",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("order_no", sa.String(length=64), nullable=False),
        sa.Column("product", sa.String(length=120), nullable=False),
        sa.Column("spec", sa.String(length=120), nullable=False),
        sa.Column("resident_id", BIG_ID, nullable=False),
        sa.Column("community_id", sa.String(length=64), nullable=True),
        sa.Column("batch", sa.String(length=64), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=12, scale=3, asdecimal=False), nullable=False),
        sa.Column("amount_fen", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("pickup_code", sa.String(length=32), nullable=False),
        sa.Column("ordered_at", INSTANT, nullable=False),
        sa.Column("eta", INSTANT, nullable=True),
        sa.Column("arrived_at", INSTANT, nullable=True),
        sa.Column("notes", JSON, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["resident_id"], ["residents.id"], name=op.f("fk_order_lines_resident_id_residents")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_lines")),
        sa.UniqueConstraint("order_no", "product", "spec", name=op.f("uq_order_lines_order_no_product_spec")),
    )
    op.create_index("ix_order_lines_pickup_code", "order_lines", ["pickup_code"], unique=False)
    op.create_index("ix_order_lines_resident", "order_lines", ["resident_id", "ordered_at"], unique=False)

    op.create_table(
        "resident_accounts",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=128), nullable=False),
        sa.Column("resident_id", BIG_ID, nullable=False),
        sa.Column("bound_at", INSTANT, nullable=False),
        sa.Column("how", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["residents.id"], name=op.f("fk_resident_accounts_resident_id_residents")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resident_accounts")),
        sa.UniqueConstraint("channel", "account", name=op.f("uq_resident_accounts_channel_account")),
    )
    op.create_index(op.f("ix_resident_accounts_resident_id"), "resident_accounts", ["resident_id"], unique=False)

    op.create_table(
        "tickets",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("conversation_id", BIG_ID, nullable=False),
        sa.Column("resident_id", BIG_ID, nullable=True),
        sa.Column("community_id", sa.String(length=64), nullable=True),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("priority", sa.String(length=2), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("first_response_at", INSTANT, nullable=True),
        sa.Column("solved_at", INSTANT, nullable=True),
        sa.Column("confirmed_at", INSTANT, nullable=True),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_tickets_conversation_id_conversations")
        ),
        sa.ForeignKeyConstraint(["resident_id"], ["residents.id"], name=op.f("fk_tickets_resident_id_residents")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_tickets_conversation", "tickets", ["conversation_id", "status"], unique=False)
    op.create_index("ix_tickets_owner", "tickets", ["owner", "status"], unique=False)
    op.create_index("ix_tickets_resident", "tickets", ["resident_id"], unique=False)
    op.create_index(
        "uq_tickets_open_handoff",
        "tickets",
        ["conversation_id"],
        unique=True,
        sqlite_where=sa.text("kind = 'handoff' AND status IN ('waiting', 'held')"),
        postgresql_where=sa.text("kind = 'handoff' AND status IN ('waiting', 'held')"),
    )

    op.create_table(
        "attachments",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("inbox_id", BIG_ID, nullable=False),
        sa.Column("conversation_id", BIG_ID, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("platform_id", sa.String(length=256), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("content_type", sa.String(length=64), nullable=True),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_attachments_conversation_id_conversations")
        ),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_attachments_inbox_id_inbox")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachments")),
        sa.UniqueConstraint("inbox_id", name=op.f("uq_attachments_inbox_id")),
    )
    op.create_index("ix_attachments_conversation", "attachments", ["conversation_id", "id"], unique=False)

    op.create_table(
        "claims",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("ticket_id", BIG_ID, nullable=False),
        sa.Column("conversation_id", BIG_ID, nullable=False),
        sa.Column("resident_id", BIG_ID, nullable=True),
        sa.Column("order_line_id", BIG_ID, nullable=True),
        sa.Column("kinds", JSON, nullable=False),
        sa.Column("share", sa.String(length=60), nullable=False),
        sa.Column("share_ratio", sa.Float(), nullable=True),
        sa.Column("wish", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("submitted_at", INSTANT, nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_claims_conversation_id_conversations")
        ),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.id"], name=op.f("fk_claims_order_line_id_order_lines")
        ),
        sa.ForeignKeyConstraint(["resident_id"], ["residents.id"], name=op.f("fk_claims_resident_id_residents")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_claims_ticket_id_tickets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claims")),
        sa.UniqueConstraint("ticket_id", name=op.f("uq_claims_ticket_id")),
    )
    op.create_index("ix_claims_conversation", "claims", ["conversation_id", "id"], unique=False)
    op.create_index(
        "uq_claims_open_order_line",
        "claims",
        ["order_line_id"],
        unique=True,
        sqlite_where=sa.text("status IN ('submitted', 'approved')"),
        postgresql_where=sa.text("status IN ('submitted', 'approved')"),
    )

    op.create_table(
        "outbox",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("conversation_id", BIG_ID, nullable=False),
        sa.Column("inbox_id", BIG_ID, nullable=True),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("payload", JSON, nullable=False),
        sa.Column("voice", sa.String(length=16), nullable=False),
        sa.Column("about", sa.String(length=64), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("error", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_outbox_conversation_id_conversations")
        ),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_outbox_inbox_id_inbox")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_key")),
    )
    op.create_index("ix_outbox_conversation", "outbox", ["conversation_id", "id"], unique=False)
    op.create_index("ix_outbox_due", "outbox", ["status", "due_at"], unique=False)
    op.create_index("ix_outbox_inbox", "outbox", ["inbox_id"], unique=False)

    op.create_table(
        "ticket_events",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("ticket_id", BIG_ID, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_events_ticket_id_tickets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_events")),
    )
    op.create_index("ix_ticket_events_ticket", "ticket_events", ["ticket_id", "id"], unique=False)

    op.create_table(
        "ticket_watchers",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("ticket_id", BIG_ID, nullable=False),
        sa.Column("staff_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_watchers_ticket_id_tickets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_watchers")),
        sa.UniqueConstraint("ticket_id", "staff_id", name=op.f("uq_ticket_watchers_ticket_id_staff_id")),
    )
    op.create_index("ix_ticket_watchers_staff", "ticket_watchers", ["staff_id"], unique=False)

    op.create_table(
        "evidence",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("claim_id", BIG_ID, nullable=False),
        sa.Column("attachment_id", BIG_ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["attachment_id"], ["attachments.id"], name=op.f("fk_evidence_attachment_id_attachments")
        ),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_evidence_claim_id_claims")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
        sa.UniqueConstraint("claim_id", "attachment_id", name=op.f("uq_evidence_claim_id_attachment_id")),
    )
    op.create_index(op.f("ix_evidence_attachment_id"), "evidence", ["attachment_id"], unique=False)
