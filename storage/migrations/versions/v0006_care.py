"""Care: enrolment, state, daily use, completions and reminders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

WORD = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "care_enrolment",
        sa.Column("vehicle", WORD, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("vehicle", name=op.f("pk_care_enrolment")),
    )
    op.create_table(
        "care_state",
        sa.Column("vehicle", WORD, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("vehicle", name=op.f("pk_care_state")),
    )
    op.create_table(
        "daily_usage",
        sa.Column("vehicle", WORD, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("vehicle", "day", name=op.f("pk_daily_usage")),
    )
    op.create_table(
        "care_completion",
        sa.Column("id", WORD, nullable=False),
        sa.Column("vehicle", WORD, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_completion")),
    )
    op.create_index(op.f("ix_care_completion_vehicle_day"), "care_completion", ["vehicle", "day"], unique=False)
    op.create_table(
        "reminder",
        sa.Column("id", WORD, nullable=False),
        sa.Column("vehicle", WORD, nullable=False),
        sa.Column("item", WORD, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("opened_day", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder")),
    )
    op.create_index(op.f("ix_reminder_vehicle_opened_day_id"), "reminder", ["vehicle", "opened_day", "id"], unique=False)
    op.create_index(op.f("ix_reminder_state_opened_day"), "reminder", ["state", "opened_day"], unique=False)
