"""Stock of parts as a table of its own, and what is kept for which order."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

WORD = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables, and move the stock out of the dealers' documents."""
    stock = op.create_table(
        "part_stock",
        sa.Column("dealer", WORD, nullable=False),
        sa.Column("part", WORD, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("dealer", "part", name=op.f("pk_part_stock")),
    )
    op.create_index(op.f("ix_part_stock_part_dealer"), "part_stock", ["part", "dealer"])
    op.create_table(
        "part_lot",
        sa.Column("id", WORD, nullable=False),
        sa.Column("order_id", WORD, nullable=False),
        sa.Column("dealer", WORD, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("eta_ns", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_part_lot")),
    )
    op.create_index(op.f("ix_part_lot_order_id"), "part_lot", ["order_id"])
    op.create_index(op.f("ix_part_lot_state_eta_ns"), "part_lot", ["state", "eta_ns"])
    op.create_index(op.f("ix_part_lot_dealer_state"), "part_lot", ["dealer", "state"])
    connection = op.get_bind()
    dealer = sa.table("dealer", sa.column("id"), sa.column("document"))
    for identifier, text in connection.execute(sa.select(dealer.c.id, dealer.c.document)).all():
        document = json.loads(text)
        pieces = dict(document.get("stock") or ())
        if pieces:
            rows = [
                {"dealer": identifier, "part": part, "quantity": count, "reserved": 0, "version": 1}
                for part, count in pieces.items()
            ]
            connection.execute(sa.insert(stock), rows)
            emptied = json.dumps({**document, "stock": []}, separators=(",", ":"))
            connection.execute(sa.update(dealer).where(dealer.c.id == identifier).values(document=emptied))


def downgrade() -> None:
    """Put the stock back into the dealers' documents, and forget what is kept for orders."""
    connection = op.get_bind()
    stock = sa.table("part_stock", sa.column("dealer"), sa.column("part"), sa.column("quantity"))
    pieces: dict[str, list[list[object]]] = {}
    for identifier, part, quantity in connection.execute(sa.select(stock.c.dealer, stock.c.part, stock.c.quantity)).all():
        pieces.setdefault(identifier, []).append([part, quantity])
    dealer = sa.table("dealer", sa.column("id"), sa.column("document"))
    for identifier, text in connection.execute(sa.select(dealer.c.id, dealer.c.document)).all():
        document = json.dumps({**json.loads(text), "stock": pieces.get(identifier, [])}, separators=(",", ":"))
        connection.execute(sa.update(dealer).where(dealer.c.id == identifier).values(document=document))
    op.drop_table("part_lot")
    op.drop_table("part_stock")
