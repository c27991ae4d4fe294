"""From findings to alerts, diagnoses, recommendations and orders: one vehicle and one event time after the other."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter

from domain.findings import AlertState, Finding
from domain.fleet import Vehicle
from domain.open_case import open_part, overlaid
from domain.ports import Knowledge, Store
from domain.records import OutboxEvent, VehicleCase
from domain.silences import Silence
from notifier.alerts.alert_policy import PLAIN, AlertPolicy
from notifier.alerts.alerting import apply_findings, look_again
from notifier.alerts.review import reviewed
from notifier.dealers.dealer_choice import DealerNetwork
from notifier.dealers.routing_policy import PLAIN_ROUTING, Routing
from notifier.orders.order_states import OPEN_STATES
from notifier.orders.ordering import update_orders
from pipeline.drive_ticks import Ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What the findings of one push led to: changed cases, the pushes that they call for, and how many alerts opened."""

    cases: tuple[VehicleCase, ...] = ()
    outbox: tuple[OutboxEvent, ...] = ()
    opened_alerts: int = 0


REFRESH_NS = 30_000_000_000
NEXT_DRIVE = -2
"""The drive after an end of a drive: no alert was raised in it yet."""


class Casework:
    """Holds the cases of the vehicles at hand; the store holds them for good.

    Args:
        network_mark: something that changes with the store's dealers and orders. Where it is given, dealers imported meanwhile and
            bookings that people changed are taken in before a decision, if the last look is half a minute old.
        clock: wall time in ns, for that half minute.
        policy: what holds alerts back. silences: all that may still hold; asked before each round of decisions.
        routing: how dealers are chosen.
    """

    def __init__(
        self,
        *,
        store: Store,
        knowledge: Knowledge,
        network_mark: Callable[[], str] | None = None,
        clock: Callable[[], int] = lambda: 0,
        policy: AlertPolicy = PLAIN,
        silences: Callable[[], Sequence[Silence]] = tuple,
        routing: Routing = PLAIN_ROUTING,
    ) -> None:
        self._store, self._knowledge = store, knowledge
        self._network_mark, self._clock = network_mark, clock
        self._policy, self._silences = policy, silences
        self._routing = routing
        self._mark, self._looked_ns = "", 0
        self._cases: dict[str, VehicleCase] = {}
        self.reload()

    def reload(self) -> None:
        """Drop every case and book the dealers anew from the orders in the store: after a commit that failed."""
        if self._network_mark is not None:
            # the mark first: what changes between the two is found by the next look
            self._mark, self._looked_ns = self._network_mark(), self._clock()
        self._network = DealerNetwork.from_orders(
            self._store.dealers(), self._store.orders(state=OPEN_STATES), routing=self._routing
        )
        self._cases.clear()

    def _refresh(self) -> None:
        """Not while cases are at hand: what they have booked is not in the store yet."""
        if self._network_mark is None or self._cases or self._clock() - self._looked_ns < REFRESH_NS:
            return
        self._looked_ns = self._clock()
        if self._network_mark() != self._mark:
            self.reload()

    def handle(self, findings: Sequence[Finding], ended: Ended = ()) -> Decided:
        """Apply findings sorted by (vehicle, `order_ns`). All findings of one vehicle and moment are decided together.

        Args:
            ended: drives that ended meanwhile: what held for a drive is looked at again, after the findings of that moment.
        """
        if not findings and not ended:
            return Decided()
        self._refresh()
        silences = self._silences()
        changed: dict[str, VehicleCase] = {}
        outbox: list[OutboxEvent] = []
        opened = 0
        for vehicle, time_ns, together in moments(findings, ended):
            before = self._case(vehicle)
            decided = self._decide(open_part(before, OPEN_STATES), time_ns, together, silences, outbox)
            after = overlaid(before, decided)
            opened += len(after.alerts) - len(before.alerts)
            if together or after != before:
                changed[vehicle] = self._cases[vehicle] = after
        return Decided(cases=tuple(changed.values()), outbox=tuple(outbox), opened_alerts=opened)

    def forget(self, vehicle: str) -> None:
        """Drop a vehicle whose case is committed."""
        self._cases.pop(vehicle, None)

    def _case(self, vehicle: str) -> VehicleCase:
        """Since the last commit whole, before that only what was open: older history cannot matter."""
        return self._cases.get(vehicle) or self._store.open_case(vehicle, OPEN_STATES)

    def _decide(
        self,
        before: VehicleCase,
        time_ns: int,
        findings: tuple[Finding, ...],
        silences: Sequence[Silence],
        outbox: list[OutboxEvent],
    ) -> VehicleCase:
        vehicle = self._store.vehicle(before.vehicle) or Vehicle(id=before.vehicle)
        location = next((f.location for f in reversed(findings) if f.location), vehicle.home)
        concerned = [silence for silence in silences if silence.concerns(vehicle, time_ns)]
        if findings:
            case, incidents = apply_findings(before, findings, self._policy, concerned)
        else:
            case, incidents = look_again(before, time_ns, self._policy, drive=NEXT_DRIVE, silences=concerned)
        for incident in incidents:
            alerts = [alert for alert in case.alerts if alert.incident_id == incident]
            if all(alert.state is AlertState.RESOLVED or alert.standing.holds for alert in alerts):
                continue  # nothing is open any more, or held back: an order that exists stays, none is made
            diagnosis = self._knowledge.diagnose(case, incident, vehicle)
            recommendation = reviewed(self._knowledge.recommend(case, diagnosis, vehicle, time_ns), case)
            consents = self._store.consents(vehicle.id)
            case, events = update_orders(case, recommendation, vehicle, self._network, location, time_ns, consents)
            outbox += events
        return case


def moments(findings: Sequence[Finding], ended: Ended) -> list[tuple[str, int, tuple[Finding, ...]]]:
    """(vehicle, event time, findings), without findings where a drive ends; in order of vehicle and time."""
    groups = itertools.groupby(findings, key=lambda finding: (finding.vehicle, finding.order_ns))
    moments = [(vehicle, time_ns, tuple(together)) for (vehicle, time_ns), together in groups]
    if not ended:
        return moments
    moments += [(vehicle, time_ns, ()) for vehicle, time_ns in ended]
    return sorted(moments, key=itemgetter(0, 1))  # stable: the end of a drive comes after its findings
