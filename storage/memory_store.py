"""The store without a database: for a replay whose results are only shown, and for tests of every stage above."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from types import TracebackType
from typing import Self

from domain.consents import Consent
from domain.errors import StorageError
from domain.findings import AlertState, Recommendation
from domain.fleet import Dealer, VaultEntry, Vehicle
from domain.live import AnsweredRequest, FeedEvent, Settle, keep_stored
from domain.notices import owner_recipient
from domain.open_case import open_part
from domain.order_audit import audit_entry
from domain.order_clocks import restarted
from domain.orders import Order
from domain.owners import Owner
from domain.papers import Paper
from domain.parts import NoPartsDesk, PartsDesk
from domain.records import Commit, DeadLetter, DeliveryAttempt, DriveProgress, OutboxEvent, SeenSequences, StageState, VehicleCase
from domain.repair import repaired
from domain.slots import SLOT_STATES, asks_for_place, place_is_taken
from storage.feed import alert_event, delivery_event, is_critical, order_event
from storage.memory_care import MemoryCare
from storage.memory_consents import MemoryConsents
from storage.memory_papers import MemoryPapers
from storage.memory_parts import MemoryParts
from storage.memory_predictions import MemoryPredictions
from storage.memory_verdicts import MemoryVerdicts
from storage.memory_views import by_creation, by_opening
from storage.merging import merge
from storage.record_json import to_json


class MemoryStore(MemoryPapers, MemoryVerdicts, MemoryCare, MemoryConsents, MemoryPredictions, MemoryParts):
    """Implements `domain.ports.Store` and `domain.ports.Outbox` in dictionaries; promises what `storage.sql_store.SqlStore` does.

    Not for several threads at once.
    """

    def __init__(
        self, *, settle: Settle = keep_stored, desk: PartsDesk | None = None, clock: Callable[[], int] = time.time_ns
    ) -> None:
        MemoryPapers.__init__(self, clock)
        MemoryVerdicts.__init__(self)
        MemoryParts.__init__(self, desk or NoPartsDesk())
        MemoryCare.__init__(self)
        MemoryConsents.__init__(self)
        MemoryPredictions.__init__(self)
        self._settle = settle
        self._vault: dict[str, VaultEntry] = {}
        self._dealers: dict[str, Dealer] = {}
        self._recommendations: dict[str, dict[str, Recommendation]] = {}
        self._states: dict[str, dict[str, StageState]] = {}
        self._progress: dict[str, DriveProgress] = {}
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

    def vehicle_of_device(self, device: str) -> str | None:
        """The vehicle that this device (a pseudonym) is registered with."""
        return next((vehicle.id for vehicle in reversed(self._vehicles.values()) if device in vehicle.devices), None)

    def vehicles(self) -> tuple[Vehicle, ...]:
        """All vehicles, by id."""
        return tuple(self._vehicles[key] for key in sorted(self._vehicles))

    def vault_entry(self, vehicle: str) -> VaultEntry | None:
        """The personal data of one vehicle: for what is sent to its owner or to the dealer who accepted, never for a log."""
        return self._vault.get(vehicle)

    def save_dealers(self, dealers: Iterable[Dealer]) -> None:
        """Add or replace dealers; one that names parts has these and no others on its shelf, one that names none keeps what it has."""
        for dealer in dealers:
            self._dealers[dealer.id] = dataclasses.replace(dealer, stock=())
            self._take_stock([dealer])

    def dealers(self) -> tuple[Dealer, ...]:
        """All dealers, by id, with what is available at each."""
        return self._stocked(self._dealers[key] for key in sorted(self._dealers))

    def _dealer(self, identity: str) -> Dealer | None:
        known = self._dealers.get(identity)
        return None if known is None else self._stocked([known])[0]

    def network_mark(self) -> str:
        """Changes with every change of a dealer or order, whoever made it."""
        return repr((self.dealers(), [(order.id, order.version) for order in self.orders()]))

    def commit(self, changes: Commit) -> None:
        """Take all changes, merged with what people did meanwhile (`storage.merging`); doing it again changes nothing."""
        merged = merge(
            changes,
            alerts={key: alert for case in changes.cases for key, alert in self._alerts.get(case.vehicle, {}).items()},
            orders={key: order for case in changes.cases for key, order in self._orders.get(case.vehicle, {}).items()},
            vehicle_of=self._vehicles.get,
            dealer_of=self._dealer,
            settle=self._settle,
        )
        for case in changes.cases:
            kept = self._recommendations.setdefault(case.vehicle, {})
            kept.update((recommendation.incident_id, recommendation) for recommendation in case.recommendations)
        for _, alert in merged.alerts:
            self._alerts.setdefault(alert.vehicle, {})[alert.id] = alert
        for before, order in merged.orders:
            self._write_order(before, order)
        for state in changes.states:
            self._states.setdefault(state.vehicle, {})[state.stage] = state
        self._progress.update((progress.drive, progress) for progress in changes.progress)
        self._write_outbox(merged.outbox)
        for letter in changes.dead_letters:
            self._dead_letters.setdefault(letter.id, letter)
        for seen in changes.seen:
            self._seen.setdefault(seen.vehicle, {})[seen.boot_session] = seen
        for vehicle, day in changes.usage:
            self.save_usage(vehicle, [day])
        self._append_events(alert_event(before, after) for before, after in merged.alerts)
        self._append_order_changes(merged.orders)

    def _append_order_changes(self, changed: Iterable[tuple[Order | None, Order]]) -> None:
        for before, after in changed:
            self._append_events([order_event(before, after)])
            clock = restarted(before, after, self._clock())
            self.save_papers([] if clock is None else [clock])
            last = self._audit[-1] if self._audit else None
            self._audit.append(audit_entry(before, after, to_json(after), last=last, time_ns=self._clock()))

    def _write_order(self, before: Order | None, order: Order) -> None:
        self._orders.setdefault(order.vehicle, {})[order.id] = order
        self._orders_by_id.put(order.id, order)
        self._order_states.setdefault(order.id, {}).setdefault(order.version, order.state)
        self._keep_parts(before, order, self._dealers, self._clock)

    def append_event(self, event: FeedEvent) -> None:
        """Append to the feed what is no change of a record (the pipeline started …); id and time are given here."""
        self._append_events([event])

    def change_order(
        self,
        order: Order,
        expected_version: int,
        outbox: Sequence[OutboxEvent] = (),
        request: AnsweredRequest | None = None,
        mended: Collection[str] = (),
        papers: Iterable[Paper] = (),
    ) -> bool:
        """A change made outside the pipeline: store it, its history, its feed event and its pushes, if the order is still of this version.

        Args:
            request: that asked for it, to be known when it comes again.
            mended: incidents whose repair the workshop confirms with it (`domain.repair`).
            papers: what is written with it, added or replaced.

        Returns:
            False where the order has been changed meanwhile or is not there, or somebody else has the place at its appointment;
            nothing is stored then.
        """
        stored = self.order(order.id)
        if stored is None or stored.version != expected_version:
            return False
        marked = dataclasses.replace(order, people_version=order.version)
        if marked.choice is not None and asks_for_place(stored, marked):
            theirs = self.orders(state=SLOT_STATES, dealer=marked.choice.dealer)
            if place_is_taken(stored, marked, self._dealers.get(marked.choice.dealer), theirs):
                return False
        self._write_order(stored, marked)
        self._write_outbox(outbox)
        self.save_papers(papers)
        if request is not None:
            self._requests[request.caller, request.key] = request
        self._append_order_changes([(stored, marked)])
        own = self._alerts.get(order.vehicle, {})
        for alert in repaired(list(own.values()), mended):
            self._append_events([alert_event(own[alert.id], alert)])
            own[alert.id] = alert
        return True

    def change_owner(self, owner: Owner, papers: Iterable[Paper], consents: Iterable[Consent]) -> None:
        """Take the new owner's record, end `papers` of the former one, add statements, and forget whom the vault names."""
        known = self._vault.get(owner.vehicle)
        if known is not None:
            self._vault[owner.vehicle] = VaultEntry(vehicle=owner.vehicle, vin=known.vin)
        for event in list(self._outbox.values()):
            if event.recipient == owner_recipient(owner.vehicle) and event.state == "pending":
                self._outbox.put(
                    event.id, dataclasses.replace(event, state="cancelled", last_error="the vehicle has another owner")
                )
        self.add_consents(consents)
        self.save_papers([owner, *papers])

    def acknowledge_alert(self, identifier: str) -> bool:
        """Somebody has seen an open alert; False where it is not there or not open."""
        stored = self.alert(identifier)
        if stored is None or stored.state is not AlertState.OPEN:
            return False
        seen = dataclasses.replace(stored, state=AlertState.ACKNOWLEDGED)
        self._alerts[stored.vehicle][identifier] = seen
        self._append_events([alert_event(stored, seen)])
        return True

    def case(self, vehicle: str) -> VehicleCase:
        """Everything stored on one vehicle, ordered as `VehicleCase` says."""
        recommendations = self._recommendations.get(vehicle, {})
        return VehicleCase(
            vehicle=vehicle,
            alerts=by_opening(self._alerts.get(vehicle, {}).values()),
            recommendations=tuple(recommendations[key] for key in sorted(recommendations)),
            orders=by_creation(self._orders.get(vehicle, {}).values()),
        )

    def open_case(self, vehicle: str, open_orders: Collection[str]) -> VehicleCase:
        """What decisions need of the case (`domain.open_case`)."""
        return open_part(self.case(vehicle), open_orders)

    def recommendations(self) -> tuple[Recommendation, ...]:
        """The latest recommendation of every incident, by incident id."""
        found = (recommendation for of in self._recommendations.values() for recommendation in of.values())
        return tuple(sorted(found, key=lambda recommendation: recommendation.incident_id))

    def order_states(self, order: str) -> tuple[tuple[int, str], ...]:
        """(version, state) of one order, as it went through them."""
        return tuple(sorted(self._order_states.get(order, {}).items()))

    def states(self, vehicle: str) -> tuple[StageState, ...]:
        """The latest state of every stage for one vehicle, by stage name."""
        states = self._states.get(vehicle, {})
        return tuple(states[stage] for stage in sorted(states))

    def states_of(self, stage: str) -> tuple[StageState, ...]:
        """The latest state of one stage for every vehicle that has one, by vehicle."""
        return tuple(states[stage] for _, states in sorted(self._states.items()) if stage in states)

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

    def delete_old_dead_letters(self, kept: int) -> int:
        """Forget all but the latest dead letters; gives how many."""
        old = list(self._dead_letters)[: max(0, len(self._dead_letters) - kept)]
        for identifier in old:
            del self._dead_letters[identifier]
        return len(old)

    def delete_old_sessions(self, kept: int) -> int:
        """Forget the sequence numbers of all but each vehicle's latest boot sessions; gives how many sessions."""
        old = [(vehicle, boot) for vehicle, sessions in self._seen.items() for boot in sorted(sessions)[:-kept]]
        for vehicle, boot in old:
            del self._seen[vehicle][boot]
        return len(old)

    def delete_dead_letter(self, identifier: str) -> bool:
        """Drop a dead letter that has been replayed; False where there is none."""
        return self._dead_letters.pop(identifier, None) is not None

    def outbox_events(self) -> tuple[OutboxEvent, ...]:
        """Every push, delivered or not, by (due_ns, id)."""
        return _by_due(self._outbox.values())

    def due(self, now_ns: int, limit: int) -> tuple[OutboxEvent, ...]:
        """At most `limit` pending events whose time has come and that wait for no earlier version, the longest due first."""
        pending = _by_due(event for event in self._outbox.values("pending") if event.due_ns <= now_ns)
        waiting = (event for event in pending if not self._pending_before(event))
        return tuple(event for event, _ in zip(waiting, range(limit), strict=False))

    def claim_due(self, now_ns: int, limit: int, until_ns: int, *, critical_only: bool = False) -> tuple[OutboxEvent, ...]:
        """Due events, critical ones first, that nobody else is given before `until_ns`: their due time is moved there.

        An event is left where one of the same subject to the same recipient, of an earlier version, is still pending.
        `record` ends the claim, `release` gives it back; the claim of a worker that died ends by itself at `until_ns`. The events
        come with the due time that they had.
        """
        waiting = sorted(self.due(now_ns, len(self._outbox)), key=lambda event: not is_critical(event))
        claimed = tuple(event for event in waiting if is_critical(event) or not critical_only)[:limit]
        for event in claimed:
            self._outbox.put(event.id, dataclasses.replace(event, due_ns=until_ns))
        return claimed

    def release(self, events: Iterable[OutboxEvent], until_ns: int) -> None:
        """Give claimed events back unattempted, due as they were; those whose claim has ended meanwhile stay as they are."""
        for event in events:
            known = self._outbox[event.id]
            if (known.state, known.due_ns) == ("pending", until_ns):
                self._outbox.put(event.id, dataclasses.replace(known, due_ns=event.due_ns))

    def record(self, event: OutboxEvent) -> None:
        """Write an event's delivery (due_ns, attempts, state, last_error) and nothing else of it; what is delivered stays delivered.

        Raises:
            StorageError: no such event was ever committed.
        """
        known = self._outbox.get(event.id)
        if known is None:
            raise StorageError(f"outbox event {event.id} is not in the database; commit it before it is delivered")
        if known.state == "delivered":
            return
        after = dataclasses.replace(
            known, due_ns=event.due_ns, attempts=event.attempts, state=event.state, last_error=event.last_error
        )
        self._outbox.put(event.id, after)
        if (known.attempts, known.state) != (after.attempts, after.state):
            self._append_events([delivery_event(after)])
            made = self._attempts.setdefault(event.id, [])
            made.append(
                DeliveryAttempt(
                    event=event.id, number=len(made) + 1, time_ns=self._clock(), state=after.state, error=event.last_error
                )
            )

    def send_again(self, identifiers: Collection[str], now_ns: int) -> int:
        """Make pushes due anew, delivered or not, with the ids that they had and their whole schedule; gives how many."""
        found = sorted(name for name in set(identifiers) if name in self._outbox)
        for name in found:
            again = dataclasses.replace(self._outbox[name], state="pending", attempts=0, due_ns=now_ns, last_error="")
            self._outbox.put(name, again)
            self._append_events([delivery_event(again)])
        return len(found)


def _by_due(events: Iterable[OutboxEvent]) -> tuple[OutboxEvent, ...]:
    return tuple(sorted(events, key=lambda event: (event.due_ns, event.id)))
