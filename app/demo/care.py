"""Some months of use for one car, so that its maintenance is due when the demonstration begins."""

from __future__ import annotations

from app.care import review_fleet
from domain.care import Enrolment
from domain.fleet import Vehicle
from dtc_knowledge.maintenance import shipped_plans
from notifier.dealers.routing_policy import Routing, load_routing_policy
from notifier.reminders.completions import DAY_NS
from simulator.usage import DRIVERS, days_of_use
from storage.sql_store import SqlStore

USED_DAYS = 150
SEED = 20260301


def make_due(store: SqlStore, vehicle: Vehicle, now_ns: int) -> None:
    """Enrol the car as new then, with every day since, and let the service look at it: a visit is ordered for tomorrow."""
    today = now_ns // DAY_NS
    first = today - USED_DAYS
    driver = next(each for each in DRIVERS if each.powertrain == vehicle.powertrain)
    usage = list(days_of_use(driver, first, USED_DAYS, 0.0, SEED))
    store.enrol_care([Enrolment(vehicle=vehicle.id, day=first - 1, odometer_km=0.0, first_used_day=first - 1)])
    store.save_usage(vehicle.id, usage)
    review_fleet(store, shipped_plans(), today, routing=Routing(policy=load_routing_policy()))
