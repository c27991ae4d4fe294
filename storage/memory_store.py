"""The store without a database: for a replay whose results are only shown, and for tests of every stage above."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from domain.errors import StorageError
from domain.findings import Alert, AlertState, Order, Recommendation
from domain.fleet import Dealer, VaultEntry, Vehicle
from domain.records import Commit, DeadLetter, DriveProgress, OutboxEvent, SeenSequences, StageState, VehicleCase


class MemoryStore:
    """Implements `domain.ports.Store` and `domain.ports.Outbox` in dictionaries; promises what `storage.sql_store.SqlStore` does.

    Not for several threads at once.
    """

    def __init__(self) -> None:
        self._vehicles: dict[str, Vehicle] = {}
        self._vault: dict[str, VaultEntry] = {}
        self._dealers: dict[str, Dealer] = {}
        self._alerts: dict[str, dict[str, Alert]] = {}
        self._recommendations: dict[str, dict[str, Recommendation]] = {}
        self._orders: dict[str, dict[str, Order]] = {}
        self._order_states: dict[tuple[str, int], str] = {}
        self._states: dict[str, dict[str, StageState]] = {}
        self._progress: dict[str, DriveProgress] = {}
        self._outbox: dict[str, OutboxEvent] = {}
        self._dead_letters: dict[str, DeadLetter] = {}
        self._seen: dict[str, dict[int, SeenSequences]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Nothing to give back; here for the contract."""

    def register(self, vehicles: Iterable[tuple[Vehicle, VaultEntry]]) -> None:
        """Add or replace vehicles and their vault entries."""
        for vehicle, entry in vehicles:
            self._vehicles[vehicle.id] = vehicle
            self._vault[entry.vehicle] = entry

    def vehicle(self, vehicle: str) -> Vehicle | None:
        """The vehicle of this pseudonym."""
        return self._vehicles.get(vehicle)

    def vehicles(self) -> tuple[Vehicle, ...]:
        """All vehicles, by id."""
        return tuple(self._vehicles[key] for key in sorted(self._vehicles))

    def vault_entry(self, vehicle: str) -> VaultEntry | None:
        """The personal data of one vehicle: for what is sent to its owner or to the dealer who accepted, never for a log."""
        return self._vault.get(vehicle)

    def save_dealers(self, dealers: Iterable[Dealer]) -> None:
        """Add or replace dealers."""
        self._dealers.update((dealer.id, dealer) for dealer in dealers)

    def dealers(self) -> tuple[Dealer, ...]:
        """All dealers, by id."""
        return tuple(self._dealers[key] for key in sorted(self._dealers))

    def commit(self, changes: Commit) -> None:
        """Take all changes; doing it again changes nothing."""
        for case in changes.cases:
            self._commit_case(case)
        for state in changes.states:
            self._states.setdefault(state.vehicle, {})[state.stage] = state
        self._progress.update((progress.drive, progress) for progress in changes.progress)
        for event in changes.outbox:
            self._outbox.setdefault(event.id, event)
        for letter in changes.dead_letters:
            self._dead_letters.setdefault(letter.id, letter)
        for seen in changes.seen:
            self._seen.setdefault(seen.vehicle, {})[seen.boot_session] = seen

    def _commit_case(self, case: VehicleCase) -> None:
        self._alerts.setdefault(case.vehicle, {}).update((alert.id, alert) for alert in case.alerts)
        kept = self._recommendations.setdefault(case.vehicle, {})
        kept.update((recommendation.incident_id, recommendation) for recommendation in case.recommendations)
        self._orders.setdefault(case.vehicle, {}).update((order.id, order) for order in case.orders)
        for order in case.orders:
            self._order_states.setdefault((order.id, order.version), order.state)

    def case(self, vehicle: str) -> VehicleCase:
        """Everything stored on one vehicle, ordered as `VehicleCase` says."""
        recommendations = self._recommendations.get(vehicle, {})
        return VehicleCase(
            vehicle=vehicle,
            alerts=_by_opening(self._alerts.get(vehicle, {}).values()),
            recommendations=tuple(recommendations[key] for key in sorted(recommendations)),
            orders=_by_creation(self._orders.get(vehicle, {}).values()),
        )

    def alerts(self, *, vehicle: str | None = None, state: AlertState | None = None) -> tuple[Alert, ...]:
        """Alerts by (opened_ns, id), of one vehicle or of all, in one state or in any."""
        of = self._alerts.values() if vehicle is None else [self._alerts.get(vehicle, {})]
        return _by_opening(alert for alerts in of for alert in alerts.values() if state in (None, alert.state))

    def recommendations(self) -> tuple[Recommendation, ...]:
        """The latest recommendation of every incident, by incident id."""
        found = (recommendation for of in self._recommendations.values() for recommendation in of.values())
        return tuple(sorted(found, key=lambda recommendation: recommendation.incident_id))

    def orders(self) -> tuple[Order, ...]:
        """All orders by (created_ns, id)."""
        return _by_creation(order for orders in self._orders.values() for order in orders.values())

    def order_states(self, order: str) -> tuple[tuple[int, str], ...]:
        """(version, state) of one order, as it went through them."""
        return tuple(sorted((version, state) for (key, version), state in self._order_states.items() if key == order))

    def states(self, vehicle: str) -> tuple[StageState, ...]:
        """The latest state of every stage for one vehicle, by stage name."""
        states = self._states.get(vehicle, {})
        return tuple(states[stage] for stage in sorted(states))

    def seen(self, vehicle: str) -> tuple[SeenSequences, ...]:
        """The sequence numbers committed for one vehicle, by boot session."""
        sessions = self._seen.get(vehicle, {})
        return tuple(sessions[key] for key in sorted(sessions))

    def progress(self, drive: str) -> DriveProgress | None:
        """How far a drive has been committed, None where nothing of it was."""
        return self._progress.get(drive)

    def dead_letters(self) -> tuple[DeadLetter, ...]:
        """All dead letters by (origin, position, id)."""
        return tuple(sorted(self._dead_letters.values(), key=lambda letter: (letter.origin, letter.position, letter.id)))

    def dead_letter(self, identifier: str) -> DeadLetter | None:
        """One dead letter."""
        return self._dead_letters.get(identifier)

    def delete_dead_letter(self, identifier: str) -> bool:
        """Drop a dead letter that has been replayed; False where there is none."""
        return self._dead_letters.pop(identifier, None) is not None

    def outbox_events(self) -> tuple[OutboxEvent, ...]:
        """Every push, delivered or not, by (due_ns, id)."""
        return tuple(sorted(self._outbox.values(), key=lambda event: (event.due_ns, event.id)))

    def due(self, now_ns: int, limit: int) -> tuple[OutboxEvent, ...]:
        """At most `limit` pending events whose time has come, the longest due first."""
        waiting = (event for event in self.outbox_events() if event.state == "pending" and event.due_ns <= now_ns)
        return tuple(event for event, _ in zip(waiting, range(limit), strict=False))

    def record(self, event: OutboxEvent) -> None:
        """Write an event's delivery (due_ns, attempts, state, last_error) and nothing else of it.

        Raises:
            StorageError: no such event was ever committed.
        """
        known = self._outbox.get(event.id)
        if known is None:
            raise StorageError(f"outbox event {event.id} is not in the database; commit it before it is delivered")
        self._outbox[event.id] = dataclasses.replace(
            known, due_ns=event.due_ns, attempts=event.attempts, state=event.state, last_error=event.last_error
        )


def _by_opening(alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    return tuple(sorted(alerts, key=lambda alert: (alert.opened_ns, alert.id)))


def _by_creation(orders: Iterable[Order]) -> tuple[Order, ...]:
    return tuple(sorted(orders, key=lambda order: (order.created_ns, order.id)))
