"""Moments in requests."""

from __future__ import annotations

from datetime import datetime


def moment_ns(moment: datetime) -> int:
    """Nanoseconds since the epoch of an aware datetime."""
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1000
