"""Model versions and reports of them, risks of vehicles, emerging cases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

WORD = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "model_version",
        sa.Column("id", WORD, nullable=False),
        sa.Column("name", WORD, nullable=False),
        sa.Column("stage", WORD, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_version")),
    )
    op.create_index(op.f("ix_model_version_name"), "model_version", ["name"])
    op.create_table(
        "model_report",
        sa.Column("model", WORD, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("model", "kind", "time_ns", name=op.f("pk_model_report")),
    )
    op.create_table(
        "risk_assessment",
        sa.Column("vehicle", WORD, nullable=False),
        sa.Column("model", WORD, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("vehicle", "model", "day", name=op.f("pk_risk_assessment")),
    )
    op.create_index(op.f("ix_risk_assessment_day"), "risk_assessment", ["day"])
    op.create_index(op.f("ix_risk_assessment_model_day"), "risk_assessment", ["model", "day"])
    op.create_table(
        "emerging_case",
        sa.Column("id", WORD, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("opened_ns", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emerging_case")),
    )
    op.create_index(op.f("ix_emerging_case_opened_ns"), "emerging_case", ["opened_ns"])


def downgrade() -> None:
    """Forget them."""
    for table in ("emerging_case", "risk_assessment", "model_report", "model_version"):
        op.drop_table(table)
