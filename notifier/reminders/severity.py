"""Whether a vehicle is used hard, as its days of use show.

Thresholds as makers' severe-use definitions have them: most trips short, much idling, cold or heat, towing, dust.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from domain.care import DayUsage, Use

WINDOW_DAYS = 28
SHORT_TRIP_KM = 8.0
COLD_C, HOT_C = -10.0, 35.0
LEAST_TRIPS = 10
LEAST_KM = 100.0
LEAST_S = 5 * 3600.0
LEAVES_AT = 0.8
"""Of a threshold: below that the use is normal again, so that it does not flicker."""


class Hardship(StrEnum):
    """Why a use is severe."""

    DECLARED = "declared"
    SHORT_TRIPS = "short_trips"
    IDLING = "idling"
    TEMPERATURE = "temperature"
    TOWING = "towing"
    DUST = "dust"


THRESHOLDS = {
    Hardship.SHORT_TRIPS: 0.5,
    Hardship.IDLING: 0.3,
    Hardship.TEMPERATURE: 0.5,
    Hardship.TOWING: 0.1,
    Hardship.DUST: 0.25,
}


def shares(window: Sequence[DayUsage]) -> dict[Hardship, float]:
    """Share of each hardship, 0..1, where there is enough use to tell."""
    trips, short = sum(day.trips for day in window), sum(day.short_trips for day in window)
    idle, driving = sum(day.idle_s for day in window), sum(day.driving_s for day in window)
    distance = sum(day.distance_km for day in window)
    found: dict[Hardship, float] = {}
    if trips >= LEAST_TRIPS:
        found[Hardship.SHORT_TRIPS] = short / trips
    if idle + driving >= LEAST_S:
        found[Hardship.IDLING] = idle / (idle + driving)
        found[Hardship.TEMPERATURE] = sum(day.extreme_s for day in window) / driving if driving else 0.0
    if distance >= LEAST_KM:
        found[Hardship.TOWING] = sum(day.towing_km for day in window) / distance
        found[Hardship.DUST] = sum(day.dusty_km for day in window) / distance
    return found


def hardships(window: Sequence[DayUsage], before: Use, declared: Use | None) -> tuple[Hardship, ...]:
    """Why the use is severe; empty = normal. `before` gives hysteresis, `declared` wins."""
    if declared is not None:
        return (Hardship.DECLARED,) if declared is Use.SEVERE else ()
    factor = LEAVES_AT if before is Use.SEVERE else 1.0
    return tuple(kind for kind, share in shares(window).items() if share > factor * THRESHOLDS[kind])
