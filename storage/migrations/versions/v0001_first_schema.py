"""The first schema: vehicles and their vault, dealers, alerts to orders, outbox, carried state, progress, dead letters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

WORD = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "alert",
        sa.Column("id", WORD, nullable=False),
        sa.Column("vehicle", WORD, nullable=False),
        sa.Column("incident_id", WORD, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("severity", WORD, nullable=False),
        sa.Column("urgency", sa.Integer(), nullable=False),
        sa.Column("source_id", WORD, nullable=False),
        sa.Column("opened_ns", sa.BigInteger(), nullable=False),
        sa.Column("updated_ns", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
    )
    op.create_index(op.f("ix_alert_incident_id"), "alert", ["incident_id"], unique=False)
    op.create_index(op.f("ix_alert_state_opened_ns"), "alert", ["state", "opened_ns"], unique=False)
    op.create_index(op.f("ix_alert_vehicle_opened_ns_id"), "alert", ["vehicle", "opened_ns", "id"], unique=False)
    op.create_table(
        "dead_letter",
        sa.Column("id", WORD, nullable=False),
        sa.Column("origin", WORD, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("reason", WORD, nullable=False),
        sa.Column("detail", WORD, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("vehicle", WORD, nullable=False),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letter")),
    )
    op.create_index(op.f("ix_dead_letter_origin_position"), "dead_letter", ["origin", "position"], unique=False)
    op.create_table(
        "dealer",
        sa.Column("id", WORD, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dealer")),
    )
    op.create_table(
        "drive_progress",
        sa.Column("drive", WORD, nullable=False),
        sa.Column("vehicle", WORD, nullable=False),
        sa.Column("frames", sa.BigInteger(), nullable=False),
        sa.Column("signals", sa.BigInteger(), nullable=False),
        sa.Column("dtcs", sa.BigInteger(), nullable=False),
        sa.Column("dead_letters", sa.BigInteger(), nullable=False),
        sa.Column("finished", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("drive", name=op.f("pk_drive_progress")),
    )
    op.create_table(
        "meta",
        sa.Column("name", WORD, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_meta")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", WORD, nullable=False),
        sa.Column("type", WORD, nullable=False),
        sa.Column("subject", WORD, nullable=False),
        sa.Column("recipient", WORD, nullable=False),
        sa.Column("channel", WORD, nullable=False),
        sa.Column("body", WORD, nullable=False),
        sa.Column("due_ns", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("last_error", WORD, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(op.f("ix_outbox_state_due_ns_id"), "outbox", ["state", "due_ns", "id"], unique=False)
    op.create_index(op.f("ix_outbox_subject"), "outbox", ["subject"], unique=False)
    op.create_table(
        "recommendation",
        sa.Column("incident_id", WORD, nullable=False),
        sa.Column("vehicle", WORD, nullable=False),
        sa.Column("urgency", sa.Integer(), nullable=False),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_recommendation")),
    )
    op.create_index(op.f("ix_recommendation_vehicle"), "recommendation", ["vehicle"], unique=False)
    op.create_table(
        "seen_sequence",
        sa.Column("vehicle", WORD, nullable=False),
        sa.Column("boot_session", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("vehicle", "boot_session", name=op.f("pk_seen_sequence")),
    )
    op.create_table(
        "service_order",
        sa.Column("id", WORD, nullable=False),
        sa.Column("vehicle", WORD, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("dealer", WORD, nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("updated_ns", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_order")),
    )
    op.create_index(op.f("ix_service_order_dealer"), "service_order", ["dealer"], unique=False)
    op.create_index(op.f("ix_service_order_state_created_ns"), "service_order", ["state", "created_ns"], unique=False)
    op.create_index(
        op.f("ix_service_order_vehicle_created_ns_id"), "service_order", ["vehicle", "created_ns", "id"], unique=False
    )
    op.create_table(
        "vehicle",
        sa.Column("id", WORD, nullable=False),
        sa.Column("brand", WORD, nullable=False),
        sa.Column("model", WORD, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("profile", WORD, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vehicle")),
    )
    op.create_table(
        "vehicle_state",
        sa.Column("vehicle", WORD, nullable=False),
        sa.Column("stage", WORD, nullable=False),
        sa.Column("version", WORD, nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("vehicle", "stage", name=op.f("pk_vehicle_state")),
    )
    op.create_table(
        "order_history",
        sa.Column("order_id", WORD, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["service_order.id"], name=op.f("fk_order_history_order_id")),
        sa.PrimaryKeyConstraint("order_id", "version", name=op.f("pk_order_history")),
    )
    op.create_table(
        "vault",
        sa.Column("vehicle", WORD, nullable=False),
        sa.Column("vin", WORD, nullable=False),
        sa.Column("owner_name", WORD, nullable=False),
        sa.Column("owner_phone", WORD, nullable=False),
        sa.Column("owner_email", WORD, nullable=False),
        sa.ForeignKeyConstraint(["vehicle"], ["vehicle.id"], name=op.f("fk_vault_vehicle")),
        sa.PrimaryKeyConstraint("vehicle", name=op.f("pk_vault")),
    )
