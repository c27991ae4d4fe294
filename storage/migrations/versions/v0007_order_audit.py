"""The audit of orders, an append-only chain of all their changes; requests that have been answered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

WORD = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables; the chain begins with the first change from now on."""
    op.create_table(
        "order_audit",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("order", WORD, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        sa.Column("event", WORD, nullable=False),
        sa.Column("actor", WORD, nullable=False),
        sa.Column("reason", WORD, nullable=False),
        sa.Column("came_from", WORD, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("dealer", WORD, nullable=False),
        sa.Column("content", WORD, nullable=False),
        sa.Column("hash", WORD, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_order_audit")),
    )
    op.create_index(op.f("ix_order_audit_order"), "order_audit", ["order"], unique=False)
    op.create_table(
        "answered_request",
        sa.Column("caller", WORD, nullable=False),
        sa.Column("key", WORD, nullable=False),
        sa.Column("content", WORD, nullable=False),
        sa.Column("order", WORD, nullable=False),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name=op.f("pk_answered_request")),
    )
    op.create_index(op.f("ix_answered_request_time_ns"), "answered_request", ["time_ns"], unique=False)
