"""Every attempt to deliver a push."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

WORD = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "delivery_attempt",
        sa.Column("event", WORD, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("error", WORD, nullable=False),
        sa.PrimaryKeyConstraint("event", "number", name=op.f("pk_delivery_attempt")),
    )
