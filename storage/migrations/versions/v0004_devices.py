"""Devices: which vehicle publishes under which device id."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

WORD = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "device",
        sa.Column("id", WORD, nullable=False),
        sa.Column("vehicle", WORD, nullable=False),
        sa.ForeignKeyConstraint(["vehicle"], ["vehicle.id"], name=op.f("fk_device_vehicle")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device")),
    )
    op.create_index(op.f("ix_device_vehicle"), "device", ["vehicle"], unique=False)
