"""Runs the year and tells what came of it."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from app.care import review_fleet
from app.dispatching import place_waiting
from app.fault_knowledge import fault_knowledge, maintenance_plans
from app.operation.agenda import Agenda, Course
from app.operation.arrivals import Arrivals, by_weeks
from app.operation.desk import Desk
from app.operation.people import People, standing_consents
from app.operation.stuck import stuck_orders
from app.operation.workshop import Finding, Workshops
from app.order_clocks import release_agreed, run_clocks
from app.outbox_worker import OutboxWorker
from app.parts import parts_desk
from app.settings import Settings
from domain.care import DayUsage, Enrolment
from domain.errors import DeliveryError
from domain.fleet import Dealer, VaultEntry, Vehicle
from domain.orders import Order, OrderKind
from domain.records import Commit, OutboxEvent
from domain.repairs import RepairResult
from notifier.alerts.alert_policy import load_alert_policy
from notifier.dealers.routing_policy import Routing, load_routing_policy
from notifier.dispatch.batch import CAN_WAIT
from notifier.kpis.report import report_json
from notifier.orders.order_states import OPEN_STATES
from notifier.orders.service_levels import load_service_levels
from notifier.orders.settling import settle_order
from notifier.parts.holds import review_holds
from notifier.push.messages import OPERATIONS, rfc3339
from pipeline.casework import Casework
from rules.pack import load_rules
from simulator.operation import population
from simulator.operation.breakdowns import Breakdown, Truth, breakdowns, truth_of
from simulator.operation.chance import Chance
from simulator.operation.tables import driver_shares, fault_rates, habits
from simulator.usage import DRIVERS, days_of_use
from storage.memory_store import MemoryStore
from web.kpis import MOST_WEEKS, gather_kpis

DAY_NS, MINUTE_NS = 86_400_000_000_000, 60_000_000_000
START_NS = 20_454 * DAY_NS
"""2026-01-01."""
UTC_OFFSET_H = 8.0
PUSH_EVERY_NS, LOOK_EVERY_NS, BATCH_EVERY_NS, CARE_EVERY_DAYS = 5 * MINUTE_NS, 30 * MINUTE_NS, 60 * MINUTE_NS, 7
EVENTS_KEPT_DAYS = 30
COMES_BACK_DAYS = (2.0, 25.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class YearPlan:
    """How large and how long; the same seed gives the same year."""

    cars: int = 5000
    dealers: int = 120
    days: int = 365
    seed: int = 1


class _Town:
    """The workshops' ends of the pushes, and the log that operations read; a `domain.ports.Channel` for both."""

    def __init__(self, name: str, chance: Chance, down: Callable[[str, int], bool]) -> None:
        self.name = name
        self._chance, self._down = chance, down
        self._lock = threading.Lock()
        self._received: list[OutboxEvent] = []

    def deliver(self, event: OutboxEvent, dealer: Dealer | None, attempt_ns: int) -> None:
        """Take it, unless the endpoint is down or the attempt fails."""
        if dealer is not None and (
            self._down(dealer.id, attempt_ns) or self._chance.does("push_failure", event.id, event.attempts)
        ):
            raise DeliveryError("answered 503")
        with self._lock:
            self._received.append(event)

    def received(self) -> list[OutboxEvent]:
        """What has come since the last look, in an order that no thread decides."""
        with self._lock:
            received, self._received = self._received, []
        return sorted(received, key=lambda event: event.id)


class _LeanStore(MemoryStore):
    """Forgets the words of a push that is delivered: those of a year would fill the memory."""

    def record(self, event: OutboxEvent) -> None:
        """As ever."""
        super().record(event)
        known = self._outbox[event.id]
        if known.state == "delivered":
            self._outbox.put(event.id, replace(known, body="{}"))


class OperationYear:
    """The product with a year's people around it."""

    def __init__(self, plan: YearPlan, settings: Settings) -> None:
        self._plan = plan
        self._agenda = agenda = Agenda(START_NS)
        self._chance = chance = Chance(plan.seed, habits())
        self._routing = Routing(policy=load_routing_policy(), waiting=CAN_WAIT)
        self.store = store = _LeanStore(settle=settle_order, desk=parts_desk(settings, self._routing), clock=agenda.clock)
        self._levels = load_service_levels()
        self._knowledge = fault_knowledge(settings=settings)
        self._plans = maintenance_plans(self._knowledge, settings=settings)
        self._vehicles = {vehicle.id: vehicle for vehicle in population.vehicles(plan.cars, chance)}
        self._dealers = {dealer.id: dealer for dealer in population.dealers(plan.dealers, chance)}
        store.register((vehicle, VaultEntry(vehicle=vehicle.id, vin="")) for vehicle in self._vehicles.values())
        store.save_dealers(self._dealers.values())
        for vehicle in self._vehicles.values():
            store.add_consents(standing_consents(vehicle, chance, START_NS))
        self._desk = Desk(store, agenda.clock, self._routing)
        self._people = People(self._desk, agenda, chance)
        self._workshops = Workshops(self._desk, agenda, chance, truth=self._found, settled=self._after)
        self._casework = Casework(
            store=store,
            knowledge=self._knowledge,
            network_mark=lambda: str(agenda.clock()),
            clock=agenda.clock,
            policy=load_alert_policy(),
            routing=self._routing,
        )
        self._arrivals = Arrivals(rules={rule.id: rule for rule in load_rules(None)}, codes=self._knowledge.codes)
        self._channels = [_Town(name, chance, self._down) for name in ("webhook", "log", "display")]
        self._worker = OutboxWorker(store, {each.name: each for each in self._channels}, clock=agenda.clock)
        self._outages = {name: self._outages_of(name) for name in self._dealers}
        self._breakdowns: dict[str, list[Breakdown]] = {}
        self._enrol()

    def run(self, told: Callable[[int], None] = lambda _: None) -> dict[str, Any]:
        """Live it, and tell; `told` is given each day's number."""
        began_s, agenda, plan = time.process_time(), self._agenda, self._plan
        end_ns = START_NS + plan.days * DAY_NS
        for each in sorted(
            breakdowns(list(self._vehicles.values()), fault_rates(), self._chance, start_ns=START_NS, days=plan.days),
            key=lambda each: (each.time_ns, each.vehicle, each.rate.fault),
        ):
            agenda.begin(self._breakdown(each), each.time_ns)
        agenda.every(PUSH_EVERY_NS, self._push)
        agenda.every(LOOK_EVERY_NS, self._look)
        agenda.every(BATCH_EVERY_NS, lambda: _drop(place_waiting(self.store, self._routing, agenda.clock())))
        agenda.begin(self._weeks(), START_NS + CARE_EVERY_DAYS * DAY_NS)
        for day in range(plan.days):
            agenda.run(START_NS + (day + 1) * DAY_NS)
            told(day + 1)
        return self._document(end_ns, time.process_time() - began_s)

    def _breakdown(self, breakdown: Breakdown) -> Course:
        vehicle = self._vehicles[breakdown.vehicle]
        self._breakdowns.setdefault(vehicle.id, []).append(breakdown)
        decided = self._casework.handle([self._arrivals.finding(breakdown, vehicle.home)])
        self.store.commit(Commit(cases=decided.cases, outbox=decided.outbox))
        self._casework.forget(vehicle.id)
        yield from ()

    def _push(self) -> None:
        while self.store.due(self._agenda.clock(), 1) and self._worker.work().attempted:
            pass
        for channel in self._channels:
            for event in channel.received():
                self._receive(event)

    def _receive(self, event: OutboxEvent) -> None:
        data = json.loads(event.body).get("data", {})
        if "order_id" not in data:
            return
        if event.recipient == OPERATIONS:
            self._people.told(event.subject, data["state"])
        elif data["state"] in ("dispatching", "offered") and event.recipient in self._dealers:
            self._workshops.offered(event.subject, OrderKind(data["kind"]), self._dealers[event.recipient])

    def _look(self) -> None:
        now_ns = self._agenda.clock()
        run_clocks(self.store, self._levels, now_ns, routing=self._routing)
        release_agreed(self.store, now_ns, routing=self._routing)
        review_holds(self.store, now_ns)

    def _weeks(self) -> Course:
        """Care is looked at, old days of use are forgotten, and shelves are filled up."""
        while True:
            today = self._agenda.clock() // DAY_NS
            for name, usage in self._use.items():
                self.store.save_usage(name, next(usage))
            review_fleet(self.store, self._plans, today - 1, routing=self._routing)
            self.store.delete_usage(today - CARE_EVERY_DAYS)
            self.store.delete_events(self._agenda.clock() - EVENTS_KEPT_DAYS * DAY_NS)
            for level in self.store.stock():
                usual = dict(self._dealers[level.dealer].stock).get(level.part, 0)
                if level.available < usual:
                    self._desk.count(level.dealer, level.part, usual + level.reserved, level.version)
            yield CARE_EVERY_DAYS * DAY_NS

    def _found(self, order: Order) -> Finding:
        """What is behind the latest breakdown that this order's alerts tell of."""
        told = self._behind(order)
        if told is None or told.truth is Truth.NOTHING:
            return Finding(result=RepairResult.NO_FAULT)
        causes = {cause.id for cause in order.recommendation.causes}
        if told.truth is Truth.OTHER or told.rate.cause not in causes:
            return Finding(result=RepairResult.OTHER_CAUSE)
        return Finding(result=RepairResult.FOUND, cause=told.rate.cause)

    def _behind(self, order: Order) -> Breakdown | None:
        alerts = [alert for alert in self.store.case(order.vehicle).alerts if alert.incident_id in order.incidents]
        sources = {alert.source.id for alert in alerts}
        known = [each for each in self._breakdowns.get(order.vehicle, ()) if sources & {each.rate.rule, each.rate.code}]
        return known[-1] if known else None

    def _after(self, order: Order) -> None:
        """Some faults come back."""
        told, rng = self._behind(order), self._chance.of("comeback", order.id)
        if told is not None and told.truth is not Truth.NOTHING and rng.random() < told.rate.comeback_share:
            time_ns = self._agenda.clock() + round(rng.uniform(*COMES_BACK_DAYS) * DAY_NS)
            again = Breakdown(vehicle=told.vehicle, time_ns=time_ns, rate=told.rate, truth=truth_of(told.rate, rng.random()))
            self._agenda.begin(self._breakdown(again), time_ns)

    def _down(self, dealer: str, time_ns: int) -> bool:
        return any(start <= time_ns < end for start, end in self._outages[dealer])

    def _outages_of(self, dealer: str) -> list[tuple[int, int]]:
        rng = self._chance.of("outages", dealer)
        found, day = list[tuple[int, int]](), rng.expovariate(habits()["outages"].median / 365)
        while day < self._plan.days:
            start_ns = START_NS + round(day * DAY_NS)
            found.append((start_ns, start_ns + self._chance.takes_ns("outage", dealer, day)))
            day += rng.expovariate(habits()["outages"].median / 365)
        return found

    def _usage_of(self, vehicle: Vehicle) -> Iterator[list[DayUsage]]:
        drivers = [driver for driver in DRIVERS if driver.powertrain == vehicle.powertrain]
        rng = self._chance.of("driver", vehicle.id)
        first_day = START_NS // DAY_NS
        driver = rng.choices(drivers, [driver_shares()[driver.name] for driver in drivers])[0]
        days = days_of_use(driver, first_day, self._plan.days, vehicle.odometer_km or 0.0, rng.randrange(2**32))
        return by_weeks(days, first_day)

    def _enrol(self) -> None:
        """Those whose owners wish it, as of the day before."""
        wishing = [vehicle for name, vehicle in sorted(self._vehicles.items()) if self._chance.does("care", name)]
        self._use = {vehicle.id: self._usage_of(vehicle) for vehicle in wishing}
        self.store.enrol_care(
            Enrolment(
                vehicle=vehicle.id,
                day=START_NS // DAY_NS - 1,
                odometer_km=vehicle.odometer_km,
                first_used_day=(date(vehicle.year, 7, 1) - date(1970, 1, 1)).days,
            )
            for vehicle in wishing
        )

    def _document(self, end_ns: int, cpu_s: float) -> dict[str, Any]:
        orders = self.store.orders()
        stuck = stuck_orders(orders, self._levels, self._dealers, end_ns)
        weeks = min(MOST_WEEKS, -(-self._plan.days // 7) + 1)
        report = gather_kpis(self.store, end_ns).report(weeks=weeks, utc_offset_hours=UTC_OFFSET_H)
        return {
            "seed": self._plan.seed,
            "cars": self._plan.cars,
            "dealers": self._plan.dealers,
            "days": self._plan.days,
            "from": rfc3339(START_NS),
            "until": rfc3339(end_ns),
            "alerts": len(self.store.alerts()),
            "orders": dict(sorted(Counter(order.state for order in orders).items())),
            "rescues": sum(order.kind is OrderKind.RESCUE for order in orders),
            "reminders": len(self.store.reminders()),
            "pushes": self.store.outbox_counts(),
            "open": sum(order.state in OPEN_STATES for order in orders),
            "stuck": [asdict(each) for each in stuck],
            "stuck_without_reason": sum(not each.reason for each in stuck),
            "steps": self._agenda.done,
            "cpu_s": round(cpu_s, 1),
            "kpis": report_json(report),
        }


def _drop(_: object) -> None:
    """What a job tells is for its log."""
