"""The web application over a real replay of the sample drives: for looking at it, and for the browser tests.

python -m tests.browser.preview [PORT]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from app.care import review_fleet
from app.fleet import choose_fleet
from app.replaying import replay_drives
from domain.care import Enrolment
from domain.fleet import DEVELOPMENT_KEY
from domain.live import VehicleSighting
from domain.orders import Order
from dtc_knowledge.maintenance import shipped_plans
from notifier.orders.order_states import OrderEvent, transition
from notifier.reminders.completions import DAY_NS
from rules.pack import load_rules
from simulator.usage import DRIVERS, days_of_use
from storage.memory_store import MemoryStore
from web.api import create_app

SAMPLES = Path(__file__).parents[2] / "sample_can_logs"
SECOND = 1_000_000_000


def filled_store(history: Path) -> MemoryStore:
    """A store as a replay of all sample drives leaves it, with cars that were heard of lately and orders that have moved on."""
    store = MemoryStore()
    for manifest in ("manifest_faulty.csv", "manifest_healthy.csv"):
        choice = choose_fleet(
            (),
            key=DEVELOPMENT_KEY,
            vin=None,
            manifest=SAMPLES / manifest,
            profile=None,
            start_ns=None,
            vehicle_table=None,
            dealer_table=None,
        )
        replay_drives(choice, store, history=history)
    _hear(store)
    _move(store)
    _look_after(store)
    store.save_figures(
        {"decode_share": 0.973, "lag_s": 0.4, "frames": 41_250_117, "connected": True, "reported_ns": evening_ns(store)}
    )
    return store


def evening_ns(store: MemoryStore) -> int:
    """A quarter of an hour after the last alert."""
    return max(alert.updated_ns for alert in store.alerts()) + 900 * SECOND


def _hear(store: MemoryStore) -> None:
    """All cars were heard of seconds ago, at the end of their drive; one has been silent for a quarter of an hour."""
    now_ns = evening_ns(store)
    for number, vehicle in enumerate(store.vehicles()):
        alerts = store.case(vehicle.id).alerts
        latest_ns = max((alert.updated_ns for alert in alerts), default=now_ns)
        heard_ns = now_ns - (900 if number == 2 else 1 + number % 7) * SECOND
        place = next((alert.location for alert in reversed(alerts) if alert.location), vehicle.home)
        sighting = VehicleSighting(vehicle=vehicle.id, event_ns=latest_ns + 7 * 60 * SECOND, received_ns=heard_ns, location=place)
        store.save_sightings([sighting])


def _look_after(store: MemoryStore) -> None:
    """Three months of care, up to the odometer that each car's recording tells."""
    today = evening_ns(store) // DAY_NS - 1
    for number, vehicle in enumerate(store.vehicles()):
        begin, recorded = today - 90, [day.odometer_km for day in store.usage(vehicle.id, 0).values() if day.odometer_km]
        drivers = [driver for driver in DRIVERS if driver.powertrain == vehicle.powertrain]
        driven = days_of_use(drivers[number % len(drivers)], begin + 1, 90, 0.0, number)
        odometer = max(0.0, (recorded or [60_000.0])[-1] - max(day.odometer_km or 0.0 for day in driven))
        store.enrol_care([Enrolment(vehicle=vehicle.id, day=begin, odometer_km=odometer, first_used_day=begin - 700)])
        store.save_usage(vehicle.id, days_of_use(drivers[number % len(drivers)], begin + 1, 90, odometer, number))
    review_fleet(store, shipped_plans(), today)


def _move(store: MemoryStore) -> None:
    paths = [
        ["offer"],
        ["offer", "accept", "schedule"],
        ["offer", "accept", "schedule", "check_in", "diagnose", "quote", "approve", "start", "inspect", "pass"],
        ["offer", "accept"],
        ["give_up"],
    ]
    for order, path in zip(store.orders(), paths, strict=False):
        _follow(store, order, path)


def _follow(store: MemoryStore, order: Order, path: list[str]) -> None:
    for word in path:
        moved = transition(order, OrderEvent(word), time_ns=order.updated_ns, actor="preview")
        if store.change_order(moved.order, order.version):
            order = moved.order


def preview_app(history: Path, store: MemoryStore | None = None) -> FastAPI:
    """The application over `filled_store`, or over another store."""
    shown = filled_store(history) if store is None else store
    offset_ns = evening_ns(shown) - time.time_ns() if shown.alerts() else 0

    def clock() -> int:
        return time.time_ns() + offset_ns

    return create_app(
        lambda: shown,
        metrics=lambda: "",
        clock=clock,
        rules=load_rules(None),
        history=history,
        schedule_of=shipped_plans().schedule,
        open_access=True,
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
        uvicorn.run(preview_app(Path(folder)), host="127.0.0.1", port=port, timeout_graceful_shutdown=1)
