"""Silences that people make, and what they say of alerts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

WORD = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "silence",
        sa.Column("id", WORD, nullable=False),
        sa.Column("ends_ns", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_silence")),
    )
    op.create_index(op.f("ix_silence_ends_ns"), "silence", ["ends_ns"], unique=False)
    op.create_table(
        "alert_label",
        sa.Column("alert", WORD, nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("alert", "created_ns", name=op.f("pk_alert_label")),
    )


def downgrade() -> None:
    """Forget them."""
    op.drop_table("alert_label")
    op.drop_index(op.f("ix_silence_ends_ns"), "silence")
    op.drop_table("silence")
