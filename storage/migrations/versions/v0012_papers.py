"""What is written around orders and owners: quotes, links, ratings, tickets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

WORD = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "paper",
        sa.Column("kind", WORD, nullable=False),
        sa.Column("id", WORD, nullable=False),
        sa.Column("order", WORD, nullable=False),
        sa.Column("vehicle", WORD, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("due_ns", sa.BigInteger(), nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "id", name=op.f("pk_paper")),
    )
    op.create_index(op.f("ix_paper_kind_order"), "paper", ["kind", "order"])
    op.create_index(op.f("ix_paper_kind_vehicle"), "paper", ["kind", "vehicle"])
    op.create_index(op.f("ix_paper_kind_state_due_ns"), "paper", ["kind", "state", "due_ns"])


def downgrade() -> None:
    """Forget them."""
    op.drop_table("paper")
