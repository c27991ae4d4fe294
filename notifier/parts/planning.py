"""The demand forecast of a running service: risks and reminders as they are stored."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Protocol

from domain.care import Reminder, Schedule
from domain.fleet import Dealer, Vehicle
from domain.parts import StockLevel
from domain.risk import RiskAssessment
from notifier.parts.demand import (
    PartDemand,
    forecast,
    load_component_parts,
    needs_of_reminders,
    needs_of_risks,
    usual_dealers,
)
from notifier.parts.supply import DAY_NS

RISKS_LAST_DAYS = 35
"""Older assessments tell of nothing that is still to come."""


class DemandStore(Protocol):
    """What a forecast is made of."""

    def vehicles(self) -> tuple[Vehicle, ...]:
        """All vehicles."""

    def dealers(self) -> tuple[Dealer, ...]:
        """All dealers."""

    def stock(self) -> tuple[StockLevel, ...]:
        """All shelves."""

    def assessments(self, *, since_day: int | None = None) -> tuple[RiskAssessment, ...]:
        """Risks from one day on."""

    def reminders(self) -> tuple[Reminder, ...]:
        """All reminders."""


def forecast_demand(
    store: DemandStore, schedule_of: Callable[[Vehicle], Schedule | None], *, horizon_days: int, level: float, now_ns: int
) -> tuple[PartDemand, ...]:
    """Pieces that each dealer will need within so many days, from predicted failures and due maintenance.

    Args:
        schedule_of: the maintenance schedule of a vehicle. level: probability that each interval holds. now_ns: wall time.
    """
    today = now_ns // DAY_NS
    vehicles = {vehicle.id: vehicle for vehicle in store.vehicles()}

    @cache
    def schedule(vehicle: str) -> Schedule | None:
        return schedule_of(vehicles[vehicle]) if vehicle in vehicles else None

    needs = [
        *needs_of_risks(store.assessments(since_day=today - RISKS_LAST_DAYS), load_component_parts(), horizon_days),
        *needs_of_reminders(store.reminders(), schedule, today, horizon_days),
    ]
    wanted = {need.vehicle for need in needs}
    dealer_of = usual_dealers((vehicle for vehicle in vehicles.values() if vehicle.id in wanted), store.dealers())
    return forecast(needs, dealer_of, store.stock(), level)
