"""A stopped vehicle with a rescue that waits for somebody's word, in a store."""

from __future__ import annotations

from domain.consents import Consent, ConsentBasis, ConsentChannel, Purpose
from domain.fleet import Dealer, VaultEntry
from domain.live import VehicleSighting
from domain.orders import Order, OrderKind
from domain.records import Commit, VehicleCase
from notifier.dealers.dealer_choice import DealerNetwork
from notifier.orders.ordering import update_orders
from storage.memory_store import MemoryStore
from tests.notifier.builders import SHANGHAI, WEDNESDAY_10_UTC_NS, dealer, roadside, vehicle

NOW_NS = WEDNESDAY_10_UTC_NS + 60 * 10**9
FRESH_NS = 600 * 10**9
PARTNERS = (
    dealer("tow", 12, capabilities=("rescue",)),
    dealer("slow", 30, capabilities=("rescue",)),
    dealer("shop", 3, capabilities=("hv",)),
)


def stopped(*, sighted: bool = True, dealers: tuple[Dealer, ...] = PARTNERS, group: str = "engine.cooling") -> MemoryStore:
    """A store in which a vehicle has just been told to stop."""
    store = MemoryStore(clock=lambda: NOW_NS)
    store.register([(vehicle(), VaultEntry(vehicle="v1", vin="LTESTVIN000000001"))])
    store.save_dealers(dealers)
    case, events = update_orders(
        VehicleCase(vehicle="v1"),
        roadside(time_ns=WEDNESDAY_10_UTC_NS, group_key=group),
        vehicle(),
        DealerNetwork(dealers),
        SHANGHAI,
        WEDNESDAY_10_UTC_NS,
    )
    store.commit(Commit(cases=(case,), outbox=events))
    if sighted:
        store.save_sightings([sighting()])
    return store


def sighting(age_s: float = 5.0) -> VehicleSighting:
    return VehicleSighting(vehicle="v1", event_ns=NOW_NS, received_ns=NOW_NS - round(age_s * 1e9), location=SHANGHAI)


def rescue_of(store: MemoryStore) -> Order:
    (order,) = store.orders(kind=OrderKind.RESCUE)
    return order


def location_consent(*, given: bool = True, basis: ConsentBasis = ConsentBasis.CONTRACT) -> Consent:
    return Consent(
        vehicle="v1", purpose=Purpose.LOCATION, channel=ConsentChannel.ORDER, given=given, time_ns=NOW_NS - 10**9, basis=basis
    )
