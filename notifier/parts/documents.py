"""Stock and lots as JSON documents."""

from __future__ import annotations

from typing import Any

from domain.parts import AWAITED, PartLot, StockLevel
from notifier.push.messages import rfc3339


def stock_json(level: StockLevel) -> dict[str, Any]:
    """One level."""
    return {
        "dealer": level.dealer,
        "part": level.part,
        "quantity": level.quantity,
        "reserved": level.reserved,
        "available": level.available,
        "version": level.version,
    }


def lot_json(lot: PartLot, now_ns: int) -> dict[str, Any]:
    """One lot; `late` where it should have come by now."""
    awaited = lot.state in AWAITED and lot.eta_ns is not None
    return {
        "id": lot.id,
        "order": lot.order,
        "dealer": lot.dealer,
        "wanted": lot.wanted,
        "part": lot.part,
        "quantity": lot.quantity,
        "state": lot.state.value,
        "source": lot.source,
        "expected": rfc3339(lot.eta_ns) if lot.eta_ns is not None else None,
        "late": awaited and lot.eta_ns is not None and lot.eta_ns < now_ns,
        "updated": rfc3339(lot.updated_ns),
    }
