"""When dead letters came, so that the oldest can be forgotten first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Letters of before count as the oldest."""
    op.add_column("dead_letter", sa.Column("created_ns", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    op.create_index(op.f("ix_dead_letter_created_ns"), "dead_letter", ["created_ns"], unique=False)


def downgrade() -> None:
    """Forget when they came."""
    op.drop_index(op.f("ix_dead_letter_created_ns"), "dead_letter")
    op.drop_column("dead_letter", "created_ns")
