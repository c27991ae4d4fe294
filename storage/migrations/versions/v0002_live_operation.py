"""Live operation: the event feed, vehicle sightings, pipeline figures, API keys, and which pushes are critical."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WORD = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the new tables; mark the critical ones among the pushes that still wait."""
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("subject", WORD, nullable=False),
        sa.Column("vehicle", WORD, nullable=False),
        sa.Column("body", WORD, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_event_time_ns"), "event", ["time_ns"], unique=False)
    op.create_index(op.f("ix_event_subject"), "event", ["subject"], unique=False)
    op.create_table(
        "vehicle_sighting",
        sa.Column("vehicle", WORD, nullable=False),
        sa.Column("event_ns", sa.BigInteger(), nullable=False),
        sa.Column("received_ns", sa.BigInteger(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("vehicle", name=op.f("pk_vehicle_sighting")),
    )
    op.create_index(op.f("ix_vehicle_sighting_received_ns"), "vehicle_sighting", ["received_ns"], unique=False)
    op.create_table(
        "figures",
        sa.Column("name", WORD, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_figures")),
    )
    op.create_table(
        "api_key",
        sa.Column("hash", WORD, nullable=False),
        sa.Column("name", WORD, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_api_key")),
    )
    op.add_column("outbox", sa.Column("critical", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("outbox", sa.Column("created_ns", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    _mark_critical()


def _mark_critical() -> None:
    outbox = sa.table("outbox", sa.column("id"), sa.column("body"), sa.column("state"), sa.column("critical"))
    waiting = op.get_bind().execute(sa.select(outbox.c.id, outbox.c.body).where(outbox.c.state == "pending")).all()
    for identifier, body in waiting:
        if _is_critical(body):
            op.execute(sa.update(outbox).where(outbox.c.id == identifier).values(critical=sa.true()))


def _is_critical(body: str) -> bool:
    try:
        return bool(json.loads(body)["data"]["priority"] == "P0")
    except (ValueError, KeyError, TypeError):
        return False
