"""The application over a store in memory, and a client of it."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from domain.fleet import VaultEntry, Vehicle
from domain.live import VehicleSighting
from domain.records import Commit
from notifier.orders.service_levels import load_service_levels
from storage.memory_store import MemoryStore
from tests.web.report_examples import DEALER, SECOND, SEDAN, VAN, VEHICLES, at, overheating, weak_battery
from web.api import create_app

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Starlette would rather have httpx2, which is not what we depend on
    from fastapi.testclient import TestClient

NOW_NS = at(1800)
ORDER = "order-5d20c1f9ab37"
VIN = "LVSHCAMB1CE054249"
OWNER = "Zhang Wei"
PHONE = "+86 138 0013 8000"
SECOND_DEALER = replace(DEALER, id="SH-022", latitude=31.25, longitude=121.50)
ABLE = ("engine", "electric", "hv", "chassis", "truck", "rescue")


def store(*, orders: bool = True) -> MemoryStore:
    """A sedan that overheats and has an order offered to a dealer, and a van whose battery is watched."""
    made = MemoryStore(clock=lambda: NOW_NS)
    made.register((vehicle, VaultEntry(vehicle=vehicle.id, vin=VIN, owner_name=OWNER, owner_phone=PHONE)) for vehicle in VEHICLES)
    made.save_dealers([replace(DEALER, capabilities=ABLE), replace(SECOND_DEALER, capabilities=ABLE)])
    hot = overheating()
    made.commit(Commit(cases=(hot if orders else replace(hot, orders=()), weak_battery())))
    made.save_sightings(
        [
            VehicleSighting(vehicle=SEDAN, event_ns=at(1604), received_ns=NOW_NS - 12 * SECOND, location=(31.2304, 121.4737)),
            VehicleSighting(vehicle=VAN, event_ns=at(8000), received_ns=NOW_NS - 900 * SECOND, location=(30.6, 114.3)),
        ]
    )
    return made


@contextmanager
def client(
    served: MemoryStore | None = None,
    *,
    keys: Mapping[str, Collection[str]] | None = None,
    host: str = "127.0.0.1",
    headers: Mapping[str, str] | None = None,
    **options: Any,
) -> Iterator[TestClient]:
    """A client of the application: open to this machine unless keys (by hash) are given."""
    app = create_app(
        lambda: store() if served is None else served,
        metrics=lambda: "pitcall_alerts 3\n",
        clock=lambda: NOW_NS,
        levels=load_service_levels(),
        api_keys=keys,
        **{"open_access": keys is None, **options},
    )
    with TestClient(
        app, base_url=f"http://{host}", headers=headers, follow_redirects=False, raise_server_exceptions=False
    ) as opened:
        yield opened


def stranger(name: str) -> Vehicle:
    """A vehicle whose every word is hostile."""
    return Vehicle(id=name, brand="<script>alert(1)</script>", model='"><img src=x onerror=alert(1)>', year=2020)
