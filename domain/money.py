"""Money: decimal strings outside, exact decimals inside, never floats."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

_CENT = Decimal("0.01")


def cents(amount: Decimal) -> Decimal:
    """Rounded half up to the hundredth."""
    return amount.quantize(_CENT, rounding=ROUND_HALF_UP)
