"""What repairs found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

WORD = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "repair_outcome",
        sa.Column("order_id", WORD, nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "created_ns", name=op.f("pk_repair_outcome")),
    )


def downgrade() -> None:
    """Forget it."""
    op.drop_table("repair_outcome")
