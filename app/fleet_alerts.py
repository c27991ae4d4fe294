"""What rules and detectors raise on a simulated fleet over months: the same stages as in the line, fed with its samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.composition import build_detectors
from app.kernels import compiler
from app.rule_files import SHIPPED
from domain.findings import Alert, Finding
from domain.open_case import open_part, overlaid
from domain.ports import FindingStage
from domain.records import VehicleCase
from domain.signals import TICK_SIGNAL, SampleBatch
from domain.trouble_codes import dtc_batch
from notifier.alerts.alert_policy import AlertPolicy, load_alert_policy
from notifier.alerts.alerting import apply_findings, look_again
from pipeline.casework import NEXT_DRIVE, moments
from rules.engine import RuleEngine
from simulator.life import FleetYear, VehicleHistory
from simulator.life.tables import sensors

SIDES = ("rules", "models", "both")
GROUP = 20
"""Vehicles in memory at a time."""
STALE_AFTER = {"fast": 50_000_000_000, "slow": 150_000_000_000}
"""Two and a half steps of the slowest unit, in ns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleAlerts:
    """One vehicle's alerts, by side, with the truth about it; times of `history` are seconds since day 0 of `year`."""

    vehicle: str
    history: VehicleHistory
    alerts: dict[str, tuple[Alert, ...]]


def fleet_alerts(
    year: FleetYear, *, told: Callable[[int], None] = lambda _cars: None, before: int = 0
) -> Iterator[VehicleAlerts]:
    """The alerts of each vehicle, one group of vehicles after the other. `told` of the number of vehicles done, `before` of them earlier."""
    rules, models = _rules(year), build_detectors()
    policy = load_alert_policy()
    for first in range(0, len(year.vehicles), GROUP):
        group = range(first, min(first + GROUP, len(year.vehicles)))
        desks = {side: {year.vehicles[number].id: _Desk(year.vehicles[number].id, policy) for number in group} for side in SIDES}
        for samples in year.blocks_of(group):
            found = {"rules": _findings((rules,), samples), "models": _findings(models, samples)}
            found["both"] = found["rules"] + found["models"]
            for side, findings in found.items():
                for vehicle, desk in desks[side].items():
                    desk.take([finding for finding in findings if finding.vehicle == vehicle], _drive_ends(samples, vehicle))
        for number in group:
            vehicle = year.vehicles[number].id
            for stage in (rules, *models):
                stage.forget(vehicle)
            alerts = {side: desks[side][vehicle].alerts for side in SIDES}
            yield VehicleAlerts(vehicle=vehicle, history=year.history(number), alerts=alerts)
        told(before + group.stop)


class _Desk:
    """Forms the alerts of one vehicle as `pipeline.casework` forms them."""

    def __init__(self, vehicle: str, policy: AlertPolicy) -> None:
        self._case, self._policy = VehicleCase(vehicle=vehicle), policy
        self._drives = 0

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """All so far, by time; without their evidence, which takes room."""
        return tuple(replace(alert, evidence=()) for alert in self._case.alerts)

    def take(self, findings: Sequence[Finding], ends_ns: Sequence[int]) -> None:
        """Apply findings in any order and the ends of drives of the same stretch of time."""
        vehicle = self._case.vehicle
        drives = self._drives + np.searchsorted(ends_ns, [finding.time_ns for finding in findings], side="left")
        stamped = [replace(finding, drive=drive) for finding, drive in zip(findings, drives.tolist(), strict=True)]
        stamped.sort(key=lambda finding: (finding.order_ns, finding.source.kind, finding.source.id))
        self._drives += len(ends_ns)
        ended = tuple((vehicle, time_ns) for time_ns in ends_ns) if self._case.alerts or stamped else ()
        for _, time_ns, together in moments(stamped, ended):
            before = open_part(self._case, ())
            if together:
                after, _ = apply_findings(before, together, self._policy)
            elif before.alerts:
                after, _ = look_again(before, time_ns, self._policy, drive=NEXT_DRIVE)
            else:
                continue
            if after is not before:
                self._case = overlaid(self._case, after)


def _rules(year: FleetYear) -> RuleEngine:
    powertrains = {each.id: "truck" if each.is_truck else each.powertrain for each in year.vehicles}
    stale = {path: STALE_AFTER[each.petrol or each.diesel or each.ev or "slow"] for path, each in sensors().items()}
    return RuleEngine(
        SHIPPED.read().rules, stale_after_of=lambda _: stale, powertrain_of=lambda vehicle: powertrains[vehicle], jit=compiler()
    )


def _findings(stages: Sequence[FindingStage], samples: SampleBatch) -> list[Finding]:
    none = dtc_batch(samples.vehicles, ())
    return [finding for stage in stages for finding in stage.evaluate(samples, none)]


def _drive_ends(samples: SampleBatch, vehicle: str) -> list[int]:
    own = samples.vehicle == samples.vehicles.index(vehicle)
    ends: list[int] = samples.time_ns[own & (samples.signal == TICK_SIGNAL)].tolist()
    return ends
