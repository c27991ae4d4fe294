"""Pushes of one order to one recipient go out in the order of its versions."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; fill it in where a push still waits."""
    op.add_column("outbox", sa.Column("version", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    outbox = sa.table("outbox", sa.column("id"), sa.column("body"), sa.column("state"), sa.column("version"))
    waiting = op.get_bind().execute(sa.select(outbox.c.id, outbox.c.body).where(outbox.c.state == "pending")).all()
    for identifier, body in waiting:
        op.execute(sa.update(outbox).where(outbox.c.id == identifier).values(version=_version(body)))


def _version(body: str) -> int:
    try:
        return int(json.loads(body)["data"]["version"])
    except (ValueError, KeyError, TypeError):
        return 0


def downgrade() -> None:
    """Forget the versions."""
    op.drop_column("outbox", "version")
