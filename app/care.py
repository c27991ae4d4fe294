"""The day's look at every vehicle's care: what was done is noted, days go by, reminders open, visits are ordered."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from domain.care import CareState, Completion, DayUsage, Enrolment, Reminder
from domain.consents import Consent
from domain.fleet import Dealer, Vehicle
from domain.orders import Order
from domain.records import Commit, VehicleCase
from dtc_knowledge.maintenance import MaintenancePlans
from notifier.dealers.dealer_choice import DealerNetwork
from notifier.dealers.routing_policy import PLAIN_ROUTING, Routing
from notifier.orders.order_states import ENDED_STATES, OPEN_STATES
from notifier.reminders.completions import DAY_NS, DONE_STATES, completions_of
from notifier.reminders.forecast import WINDOW_DAYS
from notifier.reminders.lifecycle import CareInputs, advance, enrol
from notifier.reminders.visits import VisitScene, order_visits

KEPT_USAGE_DAYS = 400
ENROLS_BY_DAYS = 60
"""An odometer that was sent within so many days before the enrolment is the vehicle's."""


class CareStore(Protocol):
    """What the day's look needs of the store."""

    def vehicles(self) -> tuple[Vehicle, ...]:
        """All vehicles."""

    def consents(self, vehicle: str) -> tuple[Consent, ...]:
        """What the owner of one vehicle has agreed to."""

    def dealers(self) -> tuple[Dealer, ...]:
        """All dealers."""

    def orders(self, *, vehicle: str | None = None, state: str | Collection[str] | None = None) -> tuple[Order, ...]:
        """Orders in these states."""

    def order_states(self, order: str) -> tuple[tuple[int, str], ...]:
        """(version, state) of one order."""

    def open_case(self, vehicle: str, open_orders: Collection[str]) -> VehicleCase:
        """The open part of a case."""

    def commit(self, changes: Commit) -> None:
        """One transaction."""

    def enrol_care(self, enrolments: Iterable[Enrolment]) -> None:
        """Enrol vehicles, once."""

    def enrolments(self) -> tuple[Enrolment, ...]:
        """All of them."""

    def usage(self, vehicle: str, after_day: int) -> Mapping[int, DayUsage]:
        """Days of one vehicle."""

    def delete_usage(self, before_day: int) -> int:
        """Forget days."""

    def save_completions(self, completions: Iterable[Completion]) -> None:
        """Note what was done."""

    def completions(self, vehicle: str, from_day: int) -> tuple[Completion, ...]:
        """What was done."""

    def care_state(self, vehicle: str) -> CareState | None:
        """The state of one vehicle's care."""

    def change_care(self, before: CareState | None, after: CareState, reminders: Iterable[Reminder]) -> bool:
        """Store a state, if what is stored is still `before`."""


@dataclass(slots=True)
class CareTally:
    """What one look did. `without_schedule`: enrolled vehicles for which no schedule is known."""

    vehicles: int = 0
    reminders: int = 0
    orders: int = 0
    without_schedule: int = 0
    put_off: int = 0
    """Somebody answered a reminder of the vehicle in the same moment: the next look sees to it."""


def enrol_known(store: CareStore, today: int) -> None:
    """Enrol every vehicle of the table that is not yet, as it stands today: with the odometer that it sent, else that of the table."""
    enrolled = {each.vehicle for each in store.enrolments()}
    new = [vehicle for vehicle in store.vehicles() if vehicle.id not in enrolled]
    store.enrol_care(
        Enrolment(
            vehicle=vehicle.id,
            day=today,
            odometer_km=_last_odometer(store.usage(vehicle.id, today - ENROLS_BY_DAYS), today) or vehicle.odometer_km,
            first_used_day=min(today, (date(vehicle.year, 7, 1) - date(1970, 1, 1)).days) if vehicle.year else None,
        )
        for vehicle in new
    )


def _last_odometer(usage: Mapping[int, DayUsage], today: int) -> float | None:
    known = [use.odometer_km for day, use in sorted(usage.items()) if day <= today and use.odometer_km is not None]
    return known[-1] if known else None


def review_fleet(store: CareStore, plans: MaintenancePlans, until_day: int, *, routing: Routing = PLAIN_ROUTING) -> CareTally:
    """Let every enrolled vehicle's care advance to the end of this day; doing it again does nothing more.

    Orders are stored before the state that led to them: where the process dies between the two, the next look finds the same
    reminders and the orders that they made already.

    Raises:
        StorageError: the database failed; what was stored until then stands.
    """
    tally = CareTally()
    vehicles = {vehicle.id: vehicle for vehicle in store.vehicles()}
    network = DealerNetwork.from_orders(store.dealers(), store.orders(state=OPEN_STATES), routing=routing)
    for enrolment in store.enrolments():
        vehicle = vehicles.get(enrolment.vehicle) or Vehicle(id=enrolment.vehicle)
        _review(store, plans, enrolment, vehicle, network, until_day, tally)
    store.delete_usage(until_day - KEPT_USAGE_DAYS)
    return tally


def _review(
    store: CareStore,
    plans: MaintenancePlans,
    enrolment: Enrolment,
    vehicle: Vehicle,
    network: DealerNetwork,
    until_day: int,
    tally: CareTally,
) -> None:
    schedule = plans.schedule(vehicle)
    if schedule is None:
        tally.without_schedule += 1
        return
    before = store.care_state(vehicle.id)
    state = before or enrol(enrolment, schedule)
    if before is not None and state.day >= until_day:
        return
    orders = store.orders(vehicle=vehicle.id)
    _note_completions(store, plans, orders)
    inputs = CareInputs(
        enrolment=enrolment,
        schedule=schedule,
        campaigns=plans.campaigns(vehicle, state.day, until_day),
        completions=store.completions(vehicle.id, state.day - WINDOW_DAYS),
        visits=tuple(_span(order) for order in orders),
    )
    advanced = advance(state, inputs, store.usage(vehicle.id, state.day), until_day)
    tally.vehicles += 1
    tally.reminders += len(advanced.changed)
    scene = VisitScene(vehicle=vehicle, network=network, time_ns=(until_day + 1) * DAY_NS, consents=store.consents(vehicle.id))
    case, outbox = order_visits(store.open_case(vehicle.id, OPEN_STATES), advanced.changed, plans.items_for(vehicle), scene)
    if any(reminder.is_open for reminder in advanced.changed):
        store.commit(Commit(cases=(case,), outbox=outbox))
        tally.orders += len({event.subject for event in outbox})
    if not store.change_care(before, advanced.state, advanced.changed):
        tally.put_off += 1


def _note_completions(store: CareStore, plans: MaintenancePlans, orders: Iterable[Order]) -> None:
    items = plans.item_of_operation()
    done = [
        completion
        for order in orders
        if order.state in DONE_STATES
        for completion in completions_of(order, {state for _, state in store.order_states(order.id)}, items)
    ]
    if done:
        store.save_completions(done)


def _span(order: Order) -> tuple[int, int | None]:
    return order.created_ns // DAY_NS, order.updated_ns // DAY_NS if order.state in ENDED_STATES else None
